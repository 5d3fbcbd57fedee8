#include "cli/expected_wait.h"

#include "retry/ns.h"

#define GRID_STEP 1.01

void rs_expected_wait_begin(struct rs_expected_wait *expected, int64_t base_ns, int64_t cap_ns)
{
	double at = (double)base_ns;
	int points = 0;

	expected->base = (double)base_ns;
	expected->cap = (double)cap_ns;
	expected->mean = expected->base;
	expected->points = 0;
	if (cap_ns == RS_FOREVER || cap_ns <= base_ns)
		return;
	while (at < expected->cap && points < RS_GRID_POINTS - 1) {
		expected->at[points++] = at;
		at *= GRID_STEP;
	}
	expected->at[points++] = expected->cap;
	for (int i = 0; i < points; i++)
		expected->value[i] = expected->at[i];
	expected->points = points;
}

static void integrate(struct rs_expected_wait *expected)
{
	const double *at = expected->at, *value = expected->value;

	expected->area[0] = 0;
	for (int i = 1; i < expected->points; i++)
		expected->area[i] =
			expected->area[i - 1] + (at[i] - at[i - 1]) * (value[i] + value[i - 1]) / 2;
}

/* The integral from base to `to`, which lies in the cell that ends at point `i`. */
static double area_to(const struct rs_expected_wait *expected, int i, double to)
{
	const double *at = expected->at, *value = expected->value;
	double part = (to - at[i - 1]) / (at[i] - at[i - 1]);
	double value_there = value[i - 1] + part * (value[i] - value[i - 1]);

	return expected->area[i - 1] + (to - at[i - 1]) * (value[i - 1] + value_there) / 2;
}

/* value(x) becomes E[value(min(cap, u))], u uniform over base..3x: what was the mean so many waits
 * ahead is now that of one more. In place: x needs only values at x and above. */
static void step(struct rs_expected_wait *expected)
{
	const int last = expected->points - 1;
	const double at_cap = expected->value[last];
	int cell = 1;

	integrate(expected);
	for (int i = 0; i <= last; i++) {
		double high = 3 * expected->at[i];
		double area;

		while (cell < last && expected->at[cell] < high)
			cell++;
		if (high < expected->cap)
			area = area_to(expected, cell, high);
		else
			area = expected->area[last] + (high - expected->cap) * at_cap;
		expected->value[i] = area / (high - expected->base);
	}
}

int64_t rs_expected_wait_next_ns(struct rs_expected_wait *expected)
{
	if (expected->cap <= expected->base)
		return (int64_t)expected->cap;
	if (expected->points > 0) {
		step(expected);
		expected->mean = expected->value[0];
	} else {
		expected->mean = (expected->base + 3 * expected->mean) / 2;
	}
	return expected->mean < (double)RS_FOREVER ? (int64_t)expected->mean : RS_FOREVER;
}
