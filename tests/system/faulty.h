/*
 * Programs with a fault on purpose.
 */
#ifndef TESTS_FAULTY_H
#define TESTS_FAULTY_H

#include "harness.h"

#define NO_RULES "; none\n"

/* `retryshim run -v -r RULES -f FAULT PROGRAM...`, RULES being the text of a rules file. `env` as
 * in struct program. */
struct run run_faulty(const char *rules, const char *fault, const char *const *env,
		      const char *const *program);

#define RUN(rules, fault, ...)                                                                     \
	run_faulty(rules, fault, NULL, (const char *const[]){ __VA_ARGS__, NULL })

#endif
