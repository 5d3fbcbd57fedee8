/*
 * Debian's own programs as clients of a server that comes late (late.h).
 */
#ifndef TESTS_CLIENT_H
#define TESTS_CLIENT_H

#include "harness.h"

#define PYTHON "/usr/bin/python3"
#define HELLO  "hello from the server\n"

/* A program, and what it prints when it has reached its server. "@" is the port, or the path. */
struct client {
	const char *argv[16];
	const char *prints; /* a part of it */
};

/* Many short waits, in a connect to a server that is not there. */
extern const char client_rules[];

/* How to run it with `name` for "@", and with these rules; until the next one is asked for. */
struct program client_program(const struct client *client, const char *name, enum run_under under);

#endif
