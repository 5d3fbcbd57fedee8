/*
 * Membership in a set of errors. Pure; safe anywhere.
 */
#ifndef RS_RETRY_ERROR_SET_H
#define RS_RETRY_ERROR_SET_H

#include <stdbool.h>

#include "retry/outcome.h"
#include "retry/rule.h"

enum rs_error_domain {
	RS_DOMAIN_CURL,
	RS_DOMAIN_ERRNO,
	RS_DOMAIN_EAI,
};

/* Add one code. Codes outside the set's range (no known name has such a code) are ignored. */
void rs_error_set_add(struct rs_error_set *set, enum rs_error_domain domain, int code);
bool rs_error_set_has(const struct rs_error_set *set, enum rs_error_domain domain, int code);

/* The codes of the set, and those of an outcome that it would be asked for, as bits modulo 64:
 * where these have none in common the set does not match. */
uint64_t rs_error_set_folded(const struct rs_error_set *set);
uint64_t rs_error_folded(enum rs_call call, const struct rs_outcome *outcome);

/* Is the outcome's error, in the domain that its call speaks, or the errno behind it, in `set`? */
bool rs_error_set_matches(const struct rs_error_set *set, enum rs_call call,
			  const struct rs_outcome *outcome);

#endif
