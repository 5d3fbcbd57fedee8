/*
 * What the unit tests of the core share: cmocka with what it wants included first, and rules built
 * by hand, without a parser.
 */
#ifndef RS_TESTS_UNIT_H
#define RS_TESTS_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "retry/ns.h"
#include "retry/rule.h"

#define MS(n) ((int64_t)(n)*RS_NS_PER_MS)
#define S(n)  ((int64_t)(n)*RS_NS_PER_S)

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define ALL_CALLS 7u

static inline struct rs_span span(const char *text)
{
	return (struct rs_span){ text, text ? strlen(text) : 0 };
}

/* A policy without chance or limits: 2 6 18 54 … seconds. */
static inline struct rs_policy steps_policy(void)
{
	return (struct rs_policy){
		.name = "steps",
		.max_attempts = 11,
		.backoff = RS_BACKOFF_EXPONENTIAL,
		.base_ns = S(2),
		.rate_millionths = 3 * RS_RATE_ONE,
		.cap_ns = RS_FOREVER,
		.jitter = RS_JITTER_NONE,
		.max_elapsed_ns = RS_FOREVER,
		.retry_after_cap_ns = S(120),
		.attempt_timeout_ns = RS_FOREVER,
		.connect_timeout_ns = RS_FOREVER,
		.quota = RS_NO_QUOTA,
		.cost = 14,
	};
}

/* A rule that matches nothing yet: give it an outcome matcher. */
static inline struct rs_rule any_scope_rule(const char *name)
{
	return (struct rs_rule){
		.name = name,
		.file = "test.ini",
		.calls = ALL_CALLS,
		.method = { .any = true },
		.policy = steps_policy(),
	};
}

static inline void add_status(struct rs_status_set *set, int from, int to)
{
	for (int status = from; status <= to; status++)
		set->bits[status / 64] |= UINT64_C(1) << (status % 64);
}

/* A set that stays as long as the test program. */
static inline const struct rs_status_set *statuses(int from, int to)
{
	static struct rs_status_set sets[1200];
	static size_t used;
	struct rs_status_set *set = &sets[used++];

	assert_true(used <= COUNT(sets));
	add_status(set, from, to);
	return set;
}

/* SplitMix64 (S. Vigna): seeded, so that a failing test fails again. */
static inline uint64_t next_random(uint64_t *state)
{
	uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

#endif
