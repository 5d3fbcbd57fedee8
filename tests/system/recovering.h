/*
 * Rules whose commands recover from an expired token, and a server that wants another one.
 *
 * For cmocka programs.
 */
#ifndef TESTS_RECOVERING_H
#define TESTS_RECOVERING_H

#include "harness.h"
#include "server.h"

#define TOKEN  "tok-42"
#define DENIED "{\"error\":\"token expired\"}"

/* An executable script with this text; the path lives as long as the test program. */
const char *recovering_script(const char *name, const char *text);

/* A rules file: these lines of [retryshim], short waits, and the rule. */
const char *recovering_rules(const char *settings, const char *rule);

/* A rule for 401 with this command, for recovering_rules(); until the next call. */
const char *recovering_rule(const char *command);

/* A server that gives out the object only to who shows the token, and the token at /token: it says
 * DENIED so many times. */
struct server *recovering_serve(int tokens);

/* A header of the server's request, empty where it is not there; until the next call. */
const char *recovering_header(struct server *server, size_t index, const char *name);

#endif
