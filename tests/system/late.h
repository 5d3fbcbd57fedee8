/*
 * A listener that comes late: nobody is there until the test says so. It lives in threads of the
 * test program; what it cannot do ends that with a message.
 */
#ifndef TESTS_LATE_H
#define TESTS_LATE_H

#include <stdint.h>

struct late;

struct late_options {
	const char *path;   /* of a Unix socket; NULL: a port of 127.0.0.1 */
	const char *banner; /* sent to everyone who comes, then the connection ends */
	const char *relay;  /* or: the Unix socket of a server that everyone is put through to */
};

/* Refuses connections (with a path: is not there) until late_open(). The options are kept. */
struct late *late_start(const struct late_options *options);
void late_open(struct late *late);
void late_stop(struct late *late);

/* The port as text, or the path. */
const char *late_name(const struct late *late);

#endif
