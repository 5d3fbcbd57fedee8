/*
 * For make coverage alone, in front of every source: what a process has run is written down at
 * exit(3), which one that ends by _exit(2), as the helper between program and command does, or that
 * becomes another program, passes by.
 */
#ifndef RS_TESTS_COUNTED_EXIT_H
#define RS_TESTS_COUNTED_EXIT_H

#include <unistd.h>

void __gcov_dump(void);
void __gcov_reset(void);

static inline __attribute__((noreturn)) void rs_counted_exit(int status)
{
	__gcov_dump();
	_exit(status);
}

static inline int rs_counted_execvp(const char *file, char *const *argv)
{
	int rc;

	__gcov_dump();
	rc = execvp(file, argv);
	__gcov_reset();
	return rc;
}

#define _exit(status)      rs_counted_exit(status)
#define execvp(file, argv) rs_counted_execvp(file, argv)

#endif
