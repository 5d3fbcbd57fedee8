/*
 * What calls a rule is for, for the warnings of `check`. Pure.
 */
#ifndef RS_RULES_CALLS_OF_H
#define RS_RULES_CALLS_OF_H

#include "rules/faults.h"

/* The calls that the rule's scope can match, as bits: those it names that have a URL where it asks
 * for one, and so on. 0: none; *key, which may be NULL, then gets the key that leaves none. */
unsigned rs_calls_of(const struct rs_rule *rule, const char **key);

/* Those of its errors that such calls can end with. */
struct rs_error_set rs_errors_of(const struct rs_rule *rule, unsigned calls);

/* Warn of the rule, or of patterns in it, where nothing can match. False: the rule cannot. */
bool rs_warn_never(struct rs_faults *faults, const struct rs_rule *rule);

#endif
