/*
 * When something happened, noted so cheaply that every call can afford it.
 *
 * A mark is the processor's own time counter: a few instructions where reading a clock, the coarse
 * one too, takes sixty. What it means in nanoseconds is only worked out when a call has failed.
 */
#ifndef RS_MARK_H
#define RS_MARK_H

#include <stdint.h>
#include <time.h>

static inline uint64_t rs_mark(void)
{
#ifdef __x86_64__
	return __builtin_ia32_rdtsc();
#elif defined(__aarch64__)
	uint64_t count;

	__asm__ volatile("mrs %0, cntvct_el0" : "=r"(count));
	return count;
#else
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
#endif
}

/* Note what the counter and the clock show now, unless that has been done: before, or beside, the
 * first mark that is taken. Any thread; async-signal-safe. */
void rs_mark_begin(void);

/* The CLOCK_MONOTONIC time of a mark, never later than now. The counter's pace is what it was
 * since rs_mark_begin(); a counter that was reset (by a suspend) makes it now. Any thread;
 * async-signal-safe. */
int64_t rs_mark_ns(uint64_t mark);

#endif
