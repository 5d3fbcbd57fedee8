/*
 * The contention experiment of "Exponential Backoff And Jitter" (M. Brooker, AWS Architecture Blog,
 * 2015): N clients want to change one row, which each reads first and then replaces if nobody was
 * faster. Who fails waits as a policy says, and begins again.
 */
#ifndef RS_BENCH_CONTENTION_H
#define RS_BENCH_CONTENTION_H

#include <stdint.h>
#include <stdio.h>

#include "retry/rule.h"

#define STRATEGIES 5
#define POINTS     10  /* 10, 20 … 100 clients */
#define MOST       100 /* clients */

struct result {
	double calls;  /* writes that were tried, by all clients together */
	double end_ms; /* when the last client had succeeded */
};

extern const char *const strategy_names[STRATEGIES];

/* NULL: the clients do not wait at all. Waits are the library's own: retry/backoff.c. */
const struct rs_policy *strategy_policy(int strategy);

/* In virtual time: events one after the other, a clock that jumps. */
struct result simulate(int clients, const struct rs_policy *policy, uint64_t seed);

/* A thread per client, and real sleeping. */
struct result with_threads(int clients, const struct rs_policy *policy, uint64_t seed);

/* A hop in the network: normal, 10 ms on average with a deviation of 2 ms. */
int64_t hop_ns(uint64_t *random);
uint64_t next_random(uint64_t *state);

void write_table(FILE *to, struct result results[POINTS][STRATEGIES], const int *clients,
		 int count);
void write_plot(FILE *to, struct result results[POINTS][STRATEGIES]);

#endif
