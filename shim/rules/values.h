/*
 * Single values: from text to number, and why not. Pure; no locale; safe anywhere.
 *
 * Every function takes a trimmed text, and returns false with *why said where it is wrong.
 */
#ifndef RS_RULES_VALUES_H
#define RS_RULES_VALUES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "retry/rule.h"

struct rs_why {
	char text[256];
};

bool rs_value_duration(const char *text, int64_t *ns, struct rs_why *why);
bool rs_value_size(const char *text, size_t *bytes, struct rs_why *why);
bool rs_value_count(const char *text, int32_t *count, struct rs_why *why);

/* A number from 1 up to a million with at most six decimals. */
bool rs_value_rate(const char *text, int64_t *millionths, struct rs_why *why);

/* "250ms" or "100ms-2s". */
bool rs_value_delay(const char *text, int64_t *min_ns, int64_t *max_ns, struct rs_why *why);

/* A number from 0 to 1 with at most six decimals. */
bool rs_value_probability(const char *text, int32_t *millionths, struct rs_why *why);
bool rs_value_seed(const char *text, uint64_t *seed, struct rs_why *why);
bool rs_value_bool(const char *text, bool *yes, struct rs_why *why);

/* The position of `text` in `choices` ("one\0two\0"). */
bool rs_value_choice(const char *text, const char *choices, unsigned *choice, struct rs_why *why);

/* One of `choices`, or the path of a file: but no word that was hardly meant as a file's name,
 * since it is nearly one of them, or says yes or no. Before those "./" makes a path. */
bool rs_value_place(const char *text, const char *choices, struct rs_why *why);

/* "429", "500-504", "5xx": added to the set. */
bool rs_value_status(const char *text, struct rs_status_set *set, struct rs_why *why);
bool rs_value_port(const char *text, uint16_t *port, struct rs_why *why);

/* "10.0.0.0/8", "::1", or a glob of Unix socket paths ("/…", "@…", "*…"), kept by pointer. A
 * network within ::ffff:0:0/96, which is how IPv6 sockets write IPv4 addresses, is one of IPv4. */
bool rs_value_address(const char *text, struct rs_address_matcher *address, struct rs_why *why);

/* *why = format(…); always false. */
bool rs_why_not(struct rs_why *why, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Is this IPv6 address one of IPv4 (::ffff:10.0.0.1)? Then it becomes that, in its first 4 bytes.
 */
bool rs_value_unmap(uint8_t ip[16]);

#endif
