/*
 * Names of errors, both ways: CURLE_*, errno E*, EAI_*, and the groups any, timeout, refused,
 * unreachable, reset, dns, tls, partial. Tables; pure; safe anywhere.
 */
#ifndef RS_RULES_NAMES_H
#define RS_RULES_NAMES_H

#include <stdbool.h>
#include <stddef.h>

#include "retry/error_set.h"

/* Add the error or group called `name` to `set`; false where there is none of that name. */
bool rs_error_set_add_name(struct rs_error_set *set, const char *name);

/* A single (not group) name's domain and code; false where there is none of that name. */
bool rs_error_by_name(const char *name, enum rs_error_domain *domain, int *code);

/* "CURLE_COULDNT_CONNECT", "ECONNREFUSED", "EAI_AGAIN"; NULL for a code without a name. */
const char *rs_error_name(enum rs_error_domain domain, int code);

/* The entry of `names` nearest to `word` (edit distance at most a third of it), or NULL. */
const char *rs_nearest(const char *word, const char *const *names, size_t count);

#endif
