/*
 * The index of the texts that rules look for in bodies.
 */
#ifndef RS_RULES_INDEX_TEXTS_H
#define RS_RULES_INDEX_TEXTS_H

#include "retry/rule.h"
#include "rules/arena.h"

/* Fill rules->texts, and the text_numbers of its rules, from their texts. False where there is no
 * memory. What lives no longer than this call is put into `scratch`. */
bool rs_index_texts(struct rs_rules *rules, struct rs_arena *arena, struct rs_arena *scratch);

#endif
