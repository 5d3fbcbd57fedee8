/*
 * From a document to rules: defaults, inheritance, references, and what only the whole shows.
 */
#ifndef RS_RULES_BUILD_H
#define RS_RULES_BUILD_H

#include "rules/document.h"

/*
 * Fill `rules` from the document, then from `options` ("key=value;key=value", NULL: none).
 * What the rules point to is allocated in `arena`. What is wrong goes to the document's faults;
 * -ENOMEM or 0.
 */
int rs_build_rules(const struct rs_document *document, const char *options, struct rs_arena *arena,
		   struct rs_rules *rules);

/* Warn of rules that can never be reached because one before matches all that they would, and of
 * those, and patterns in them, that can never match. */
void rs_warn_unreachable(const struct rs_rules *rules, struct rs_faults *faults);

#endif
