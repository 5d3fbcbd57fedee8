/*
 * What all rules together are about, so that what concerns none of them is known at once.
 */
#ifndef RS_RULES_UNITE_H
#define RS_RULES_UNITE_H

#include "retry/rule.h"

/* Fill the unions of `rules` from its rules. */
void rs_unite_rules(struct rs_rules *rules);

#endif
