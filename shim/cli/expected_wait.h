/*
 * The mean of decorrelated jitter, min(cap, uniform(base, 3 * previous)), which has no closed form
 * once the cap bites. Computed on a grid; deterministic; without libm.
 */
#ifndef RS_CLI_EXPECTED_WAIT_H
#define RS_CLI_EXPECTED_WAIT_H

#include <stdint.h>

/* Neighbouring points of the grid differ by 1 %, so even base = 1 ns, cap = 292 years fits. */
#define RS_GRID_POINTS 4600

struct rs_expected_wait {
	double base, cap;
	int points;                   /* in use; 0: the cap does not bite, see mean */
	double mean;                  /* of the last wait; base before the first */
	double at[RS_GRID_POINTS];    /* previous waits, ascending from base to cap … */
	double value[RS_GRID_POINTS]; /* … and the mean so many waits after each */
	double area[RS_GRID_POINTS];  /* the integral of value from base to there */
};

void rs_expected_wait_begin(struct rs_expected_wait *expected, int64_t base_ns, int64_t cap_ns);

/* The mean of the next wait, in nanoseconds; the first call tells of a call's first wait. */
int64_t rs_expected_wait_next_ns(struct rs_expected_wait *expected);

#endif
