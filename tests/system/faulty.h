/*
 * Programs with a fault on purpose.
 */
#ifndef TESTS_FAULTY_H
#define TESTS_FAULTY_H

#include "harness.h"
#include "server.h"

#define NO_RULES "; none\n"

/* The text of rules: five quick retries of any error, and of what else these lines say. */
#define FAULTY_RULES(matchers)                                                                     \
	"[policy default]\nmax_attempts = 6\nbase = 1ms\nquota = none\n"                           \
	"[rule it]\nerror = any\n" matchers

/* Nobody answers to this name, nor is anybody asked. */
#define NOWHERE "http://nowhere.invalid/x"

/* `retryshim run -v -r RULES -f FAULT PROGRAM...`, RULES being the text of a rules file. `env` as
 * in struct program. */
struct run run_faulty(const char *rules, const char *fault, const char *const *env,
		      const char *const *program);

#define RUN(rules, fault, ...)                                                                     \
	run_faulty(rules, fault, NULL, (const char *const[]){ __VA_ARGS__, NULL })

/* A server with an object for everyone. */
struct server *serve(void);

#endif
