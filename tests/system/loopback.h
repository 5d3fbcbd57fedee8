/*
 * Ports of 127.0.0.1.
 */
#ifndef TESTS_LOOPBACK_H
#define TESTS_LOOPBACK_H

#include <netinet/in.h>

/* A TCP socket that is bound to a free port, and refuses whoever connects to it for as long as
 * nobody listens there. *addr: where. Ends the program where there is none. */
int loopback_bound(struct sockaddr_in *addr);

#endif
