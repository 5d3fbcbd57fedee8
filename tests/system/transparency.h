/*
 * Under the shim a program sees what it sees without it: transfers that are made both ways, and
 * what transfer-trace writes down of them compared.
 *
 *   transparency.c            the comparison
 *   transparency_scenarios.c  the transfers, and the failures that come before them
 *
 * For cmocka programs. Differences are counted, and told, as they are found; a test asserts at its
 * end that there were none.
 */
#ifndef TESTS_TRANSPARENCY_H
#define TESTS_TRANSPARENCY_H

#include "harness.h"
#include "server.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

#define SCENARIO_WORDS   12
#define SCENARIO_REPLIES 4

/* `words` are arguments of transfer-trace, @ standing for the server; `good` is how the server
 * answers when nothing fails. The last word is the URL. A reply with headers of type text/x and
 * without a body has a large one, which is made at run time. */
struct scenario {
	const char *name;
	const char *words[SCENARIO_WORDS];
	struct reply good[SCENARIO_REPLIES];
};

/* Nothing of this can reach the program; the rule says to try again. */
struct failure {
	const char *name;
	struct reply reply;
};

struct scenarios {
	const struct scenario *rows;
	size_t count;
};
struct failures {
	const struct failure *rows;
	size_t count;
};

extern const struct scenarios transparency_responses, transparency_requests, transparency_callbacks;
extern const struct failures transparency_failures;

/* Lines that may differ where an answer is held before the program gets it, as trace_differs()
 * takes them; "all", or NULL. */
const char *transparency_apart(const struct scenario *scenario);

/* How transfers are made: all zero for curl_easy_perform() and the server itself. */
struct transparency_way {
	const char *words[4];         /* more arguments of transfer-trace */
	struct server_options server; /* where it listens */
	const char *base;             /* what @ stands for, where that is not the server */
	bool proxied; /* somebody passes on what is HTTP, and answers in the place of what is not */
};
extern struct transparency_way transparency_way;

extern int transparency_differing;

/* Setup and teardown of all tests; setup of each. */
int transparency_prepare(void **state);
int transparency_clean_up(void **state);
int transparency_begin(void **state);

/* With nothing failing; and each after each of the failures. */
void transparency_check_unfailing(const struct scenarios *scenarios);
void transparency_check_failing(const struct scenarios *scenarios);

/* All combinations of callbacks and pointers that are set or not, headers included or not. */
void transparency_check_sinks(void);

#endif
