#include "retry/adaptive.h"

/* AWS SDKs and Tools Reference Guide, retry behavior, adaptive mode; the constants are its own. */
#define SMOOTHING    0.8
#define BETA         0.7
#define SCALE        0.4
#define BUCKETS_A_S  2.0
#define LEAST_FILL   0.5
#define LEAST_TOKENS 1.0

static double least(double a, double b)
{
	return a < b ? a : b;
}

static double most(double a, double b)
{
	return a > b ? a : b;
}

/* By Newton's method, from above: each step takes a third off at least until it is near. What is
 * not a number, or too large for one, ends it as well. */
static double cube_root(double x)
{
	double root = x > 1 ? x : 1;

	if (x <= 0)
		return 0;
	for (;;) {
		double next = (2 * root + x / (root * root)) / 3;

		if (!(next < root))
			return root;
		root = next;
	}
}

/* For a time since the machine started, which is what every caller has. */
static double whole(double x)
{
	return (double)(int64_t)x;
}

void rs_adaptive_begin(struct rs_adaptive *adaptive, double now_s)
{
	*adaptive = (struct rs_adaptive){
		.bucket = whole(now_s * BUCKETS_A_S) / BUCKETS_A_S,
		.last_throttle_s = now_s,
		.filled_s = -1,
	};
}

void rs_cubic_window(struct rs_adaptive *adaptive)
{
	adaptive->window_s = cube_root(adaptive->last_max * (1 - BETA) / SCALE);
}

double rs_cubic_success(const struct rs_adaptive *adaptive, double now_s)
{
	double past = now_s - adaptive->last_throttle_s - adaptive->window_s;

	return SCALE * past * past * past + adaptive->last_max;
}

double rs_cubic_throttle(double rate)
{
	return rate * BETA;
}

static void measure(struct rs_adaptive *adaptive, double now_s)
{
	double bucket = whole(now_s * BUCKETS_A_S) / BUCKETS_A_S;
	double rate;

	adaptive->requests++;
	if (bucket <= adaptive->bucket)
		return;
	rate = adaptive->requests / (bucket - adaptive->bucket);
	adaptive->measured = rate * SMOOTHING + adaptive->measured * (1 - SMOOTHING);
	adaptive->requests = 0;
	adaptive->bucket = bucket;
}

static void refill(struct rs_adaptive *adaptive, double now_s)
{
	double more = most(0, now_s - adaptive->filled_s) * adaptive->fill;

	if (adaptive->filled_s >= 0)
		adaptive->tokens = least(adaptive->capacity, adaptive->tokens + more);
	adaptive->filled_s = most(now_s, adaptive->filled_s);
}

static void set_rate(struct rs_adaptive *adaptive, double rate, double now_s)
{
	refill(adaptive, now_s);
	adaptive->fill = most(rate, LEAST_FILL);
	adaptive->capacity = most(rate, LEAST_TOKENS);
	adaptive->tokens = least(adaptive->tokens, adaptive->capacity);
}

static double throttled_rate(struct rs_adaptive *adaptive, double now_s)
{
	double rate =
		adaptive->enabled ? least(adaptive->measured, adaptive->fill) : adaptive->measured;

	adaptive->last_max = rate;
	rs_cubic_window(adaptive);
	adaptive->last_throttle_s = now_s;
	adaptive->enabled = true;
	return rs_cubic_throttle(rate);
}

void rs_adaptive_update(struct rs_adaptive *adaptive, bool throttled, double now_s)
{
	double rate;

	measure(adaptive, now_s);
	if (throttled) {
		rate = throttled_rate(adaptive, now_s);
	} else {
		rs_cubic_window(adaptive);
		rate = rs_cubic_success(adaptive, now_s);
	}
	set_rate(adaptive, least(rate, 2 * adaptive->measured), now_s);
}

double rs_adaptive_wait_s(struct rs_adaptive *adaptive, double now_s)
{
	if (!adaptive->enabled)
		return 0;
	refill(adaptive, now_s);
	return most(0, 1 - adaptive->tokens) / adaptive->fill;
}

void rs_adaptive_take(struct rs_adaptive *adaptive)
{
	if (adaptive->enabled)
		adaptive->tokens--;
}

void rs_adaptive_give(struct rs_adaptive *adaptive)
{
	if (adaptive->enabled)
		adaptive->tokens = least(adaptive->capacity, adaptive->tokens + 1);
}
