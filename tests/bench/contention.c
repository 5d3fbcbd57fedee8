/*
 * contention [--threads] [--svg FILE]: run the experiment, print its table, draw its plot.
 */
#include "contention.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "retry/ns.h"

#define ROUNDS 100

const char *const strategy_names[STRATEGIES] = { "none", "exponential", "full", "equal",
						 "decorrelated" };

const struct rs_policy *strategy_policy(int strategy)
{
	static const enum rs_jitter jitters[STRATEGIES] = {
		RS_JITTER_NONE,  RS_JITTER_NONE,         RS_JITTER_FULL,
		RS_JITTER_EQUAL, RS_JITTER_DECORRELATED,
	};
	static struct rs_policy policy = {
		.backoff = RS_BACKOFF_EXPONENTIAL,
		.cap_ns = 2000 * RS_NS_PER_MS,
		.rate_millionths = 2 * RS_RATE_ONE,
	};

	policy.jitter = jitters[strategy];
	/* The article's base is 5 ms, and its first wait base * 2^1; ours is base * 2^0. */
	policy.base_ns = (policy.jitter == RS_JITTER_DECORRELATED ? 5 : 10) * RS_NS_PER_MS;
	return strategy == 0 ? NULL : &policy;
}

/* splitmix64 (S. Vigna) */
uint64_t next_random(uint64_t *state)
{
	uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

static double uniform(uint64_t *random)
{
	return ((double)(next_random(random) >> 11) + 0.5) / 9007199254740992.0;
}

int64_t hop_ns(uint64_t *random)
{
	/* Box and Muller's method. */
	double normal =
		sqrt(-2 * log(uniform(random))) * cos(2 * 3.141592653589793 * uniform(random));

	return (int64_t)(fabs(10 + 2 * normal) * (double)RS_NS_PER_MS);
}

static struct result average(int clients, const struct rs_policy *policy)
{
	struct result sum = { 0, 0 };

	for (uint64_t round = 0; round < ROUNDS; round++) {
		struct result one = simulate(clients, policy, round * 1000 + (uint64_t)clients);

		sum.calls += one.calls / ROUNDS;
		sum.end_ms += one.end_ms / ROUNDS;
	}
	return sum;
}

static int run_threads(void)
{
	static const int clients[] = { 20, 50, 100 };
	static struct result results[POINTS][STRATEGIES];

	for (int i = 0; i < 3; i++) {
		for (int s = 0; s < STRATEGIES; s++)
			results[clients[i] / 10 - 1][s] =
				with_threads(clients[i], strategy_policy(s), (uint64_t)i);
	}
	puts("A thread per client, real time, one run:\n");
	write_table(stdout, results, clients, 3);
	return 0;
}

static int draw(const char *path, struct result results[POINTS][STRATEGIES])
{
	FILE *file = fopen(path, "we");

	if (!file) {
		perror(path);
		return 1;
	}
	write_plot(file, results);
	return fclose(file) == 0 ? 0 : 1;
}

int main(int argc, char **argv)
{
	static const int clients[] = { 20, 50, 100 };
	static struct result results[POINTS][STRATEGIES];

	if (argc == 2 && strcmp(argv[1], "--threads") == 0)
		return run_threads();
	for (int i = 0; i < POINTS; i++) {
		for (int s = 0; s < STRATEGIES; s++)
			results[i][s] = average(10 * (i + 1), strategy_policy(s));
	}
	printf("Simulated in virtual time, the average of %d runs:\n\n", ROUNDS);
	write_table(stdout, results, clients, 3);
	return argc == 3 && strcmp(argv[1], "--svg") == 0 ? draw(argv[2], results) : 0;
}
