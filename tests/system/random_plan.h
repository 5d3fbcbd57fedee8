/*
 * What the random transfers ask for and what they must get: known to the client and to the server
 * from the URL alone.
 */
#ifndef TESTS_RANDOM_PLAN_H
#define TESTS_RANDOM_PLAN_H

#include <stddef.h>
#include <stdint.h>

#define PLAN_LARGEST ((size_t)5 << 20)
#define PLAN_SEED    77

/* A sequence of numbers of its own for (seed, number): splitmix64. */
uint64_t plan_random(uint64_t *state);
uint64_t plan_state(uint64_t seed, uint64_t number);

/* Mostly small, sometimes up to PLAN_LARGEST. */
size_t plan_size(uint64_t *state);

/* A transfer: /t/ID/LEN?... carries bytes [plan_offset(id), + len) of the common noise, which is
 * PLAN_NOISE long and noise(PLAN_NOISE, PLAN_SEED). */
#define PLAN_NOISE (PLAN_LARGEST + 65536)
size_t plan_offset(uint64_t id);

#endif
