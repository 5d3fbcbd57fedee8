/*
 * POSIX extended regular expressions, compiled when they are first needed: regcomp(3) allocates,
 * and rules may have to be read in a signal handler that has interrupted malloc().
 */
#ifndef RS_RETRY_PATTERN_H
#define RS_RETRY_PATTERN_H

#include <regex.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

struct rs_pattern {
	const char *text;
	_Atomic(regex_t *) regex; /* NULL: not compiled yet */
	atomic_int trouble;       /* regcomp()'s answer where it is none; 0: nothing is known */
	atomic_bool told;         /* so is the log */
};

/* 0, or regcomp()'s answer. From any thread; allocates. */
int rs_pattern_compile(struct rs_pattern *pattern);

/* Does it match somewhere in these `len` bytes? `at` may be NULL where there are none. False where
 * it cannot be compiled. From any thread; allocates. */
bool rs_pattern_finds(struct rs_pattern *pattern, const char *at, size_t len);

/* What compiling has allocated. Nobody may be using it. */
void rs_pattern_free(struct rs_pattern *pattern);

#endif
