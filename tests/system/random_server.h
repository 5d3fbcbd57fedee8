/*
 * The server of the random transfers (random_plan.h): it answers as asked, and fails at random.
 */
#ifndef TESTS_RANDOM_SERVER_H
#define TESTS_RANDOM_SERVER_H

#include <stdatomic.h>
#include <stdint.h>

#include "server.h"

struct chaos {
	uint64_t seed;
	const char *noise;      /* noise(PLAN_NOISE, PLAN_SEED) */
	unsigned fault_percent; /* of the answers */
	unsigned slow_permille; /* of the others: they come in pieces, late, or not to their end */
	atomic_ullong requests, faults, continued;
};

/* Of struct server_options; the argument is a struct chaos. */
server_decide chaos_decide;

/* 1: the body that came with the request is what it must be; -1: it is not; 0: none was to come, or
 * the client broke it off. */
int chaos_check(const struct chaos *chaos, const struct request *request);

#endif
