/*
 * Event loops that connect under the shim, and bare: connect-loop with rules and faults, in all its
 * ways to wait.
 *
 * For cmocka programs.
 */
#ifndef TESTS_LOOPING_H
#define TESTS_LOOPING_H

#include "harness.h"
#include "server.h"

#define SECOND 1000000000LL
#define NORULE "; none\n"

/* Where an event loop goes on; connect-loop knows more. */
#define WAYS 5
extern const char *const looped_ways[WAYS];

/* A file of rules without waits worth naming: `settings` of [retryshim], and rules. */
const char *looped_rules(const char *settings, const char *rule);

/* The rule "it" for refused connects; both until the next one is asked for. */
const char *looped_rule(const char *class, const char *command);
/* The setting `report`. */
const char *looped_report(const char *path);

/* `way` and `count` as connect-loop takes them; `fault` as $RETRYSHIM_FAULTS, or NULL. */
struct looped {
	const char *way, *rules, *fault, *count;
	enum run_under under;
};

/* Run connect-loop against the server: in two steps, in one, and bare with nothing but a way. */
struct child *looped_start(const struct looped *looped, const struct server *server);
struct run looped_run(const struct looped *looped, const struct server *server);
struct run looped_run_bare(const char *way, const struct server *server);

/* Says 200. */
struct server *looped_serve(void);

/* Both are freed. */
void looped_check_same(struct run run, struct run bare);

/* What is in the report; the caller frees. */
char *looped_report_of(const char *path);

#endif
