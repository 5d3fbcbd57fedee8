/*
 * What a process holds: for comparing early and late in a long life.
 */
#ifndef TESTS_SOAK_MEMORY_H
#define TESTS_SOAK_MEMORY_H

struct holdings {
	long rss_kib, heap_kib;              /* the latter: what malloc() has given out */
	long descriptors, threads, children; /* zombies count as children */
};

struct holdings holdings_now(void);

#endif
