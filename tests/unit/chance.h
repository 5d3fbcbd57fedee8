/*
 * Cases by chance, the same in every run of a test program.
 */
#ifndef RS_TESTS_CHANCE_H
#define RS_TESTS_CHANCE_H

#include "unit.h"

static uint64_t chance_seed = 1;

static inline size_t below(size_t count)
{
	return next_random(&chance_seed) % count;
}

static inline void fill(char *to, size_t len, const char *alphabet)
{
	for (size_t i = 0; i < len; i++)
		to[i] = alphabet[below(strlen(alphabet))];
}

/* A copy in memory of exactly its size. */
static inline struct rs_span exactly(const char *at, size_t len)
{
	char *copy = malloc(len + (len == 0));

	assert_non_null(copy);
	memcpy(copy, at, len);
	return (struct rs_span){ copy, len };
}

#endif
