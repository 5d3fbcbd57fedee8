/*
 * Programs that connect under the shim, blocking, with rules that ask for retries.
 *
 * For cmocka programs.
 */
#ifndef TESTS_CONNECTING_H
#define TESTS_CONNECTING_H

#include "harness.h"
#include "server.h"

#define RULE  "\n[rule it]\ncall = connect\nerror = refused, timeout, ENOENT\n"
#define QUICK "[policy default]\nbase = 2ms\nbackoff = constant\njitter = none\n"
#define INFO  "[retryshim]\nlog_level = info\n"

/* Rules: three attempts; and one wait that only something else can end. */
extern const char connecting_few[], connecting_hour[];

/* Until the next one is asked for. */
const char *connecting_port(const struct server *server);

struct program connecting_under(const char *rules, const char *const *argv);

/* A case of connect-case, with that server's port. */
struct child *connecting_start(const char *rules, const char *name, const struct server *server);

/* Run a case against a port that refuses; `path` for those that take one. */
struct run connecting_run(const char *rules, const char *name, const char *path);

#endif
