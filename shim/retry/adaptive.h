/*
 * How fast attempts to one target may follow each other: the AWS SDKs' adaptive retry mode, a token
 * bucket whose rate is set by CUBIC (RFC 9438's curve) from throttles.
 *
 * Off until the first throttle. It delays, and never refuses. Pure: time is passed in; no libm. Not
 * for use by two threads at once: see rs_pacer.
 */
#ifndef RS_RETRY_ADAPTIVE_H
#define RS_RETRY_ADAPTIVE_H

#include <stdbool.h>
#include <stdint.h>

/* Seconds are doubles of the clock that is passed in; all zero is the state at its second 0. */
struct rs_adaptive {
	bool enabled;
	double measured; /* attempts a second, smoothed */
	double bucket;   /* the half second that is being counted, and the attempts in it */
	double requests;
	double last_max; /* the rate when the last throttle came, and when that was */
	double last_throttle_s;
	double window_s; /* from then until the curve is back at that rate */
	double fill;     /* tokens a second, how many there may be, and are; below 0: owed */
	double capacity;
	double tokens;
	double filled_s; /* up to when they were filled in; < 0: never */
};

void rs_adaptive_begin(struct rs_adaptive *adaptive, double now_s);

/* An attempt has ended, with a throttle or without. */
void rs_adaptive_update(struct rs_adaptive *adaptive, bool throttled, double now_s);

/* How long the next attempt has to wait, in seconds. */
double rs_adaptive_wait_s(struct rs_adaptive *adaptive, double now_s);

/* The attempt will be made after that wait: take its token. */
void rs_adaptive_take(struct rs_adaptive *adaptive);

/* It will not be made after all: there are as many tokens as if it had not been asked for. */
void rs_adaptive_give(struct rs_adaptive *adaptive);

/* The curve itself, for tests: rate after so much success, and after a throttle. */
double rs_cubic_success(const struct rs_adaptive *adaptive, double now_s);
double rs_cubic_throttle(double rate);
void rs_cubic_window(struct rs_adaptive *adaptive);

#endif
