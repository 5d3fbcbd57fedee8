/*
 * For make coverage alone, in front of every source: what a process has run is written down at
 * exit(3), which one that ends by _exit(2), as the helper between program and command does, passes
 * by.
 */
#ifndef RS_TESTS_COUNTED_EXIT_H
#define RS_TESTS_COUNTED_EXIT_H

#include <unistd.h>

void __gcov_dump(void);

static inline __attribute__((noreturn)) void rs_counted_exit(int status)
{
	__gcov_dump();
	_exit(status);
}

#define _exit(status) rs_counted_exit(status)

#endif
