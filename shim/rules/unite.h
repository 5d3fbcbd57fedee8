/*
 * What all rules together are about, so that what concerns none of them is known at once.
 */
#ifndef RS_RULES_UNITE_H
#define RS_RULES_UNITE_H

#include <stdbool.h>

#include "retry/rule.h"
#include "rules/arena.h"

/* Fill the unions of `rules` from its rules, and their briefs where they are many. False where
 * memory is short. */
bool rs_unite_rules(struct rs_rules *rules, struct rs_arena *arena);

#endif
