/*
 * The ways to wait for one descriptor.
 */
#ifndef TESTS_WAITING_H
#define TESTS_WAITING_H

#include <stdbool.h>

enum waiting { WAITS_BY_POLL, WAITS_BY_SELECT, WAITS_BY_EPOLL };

/* Until it can be written to, or is in error. False: not within that time, or something else was
 * told of. */
bool wait_writable(int fd, enum waiting waiting, int timeout_ms);

/* The same, for a connection that has begun: 0, or the errno that it failed with; -1: neither. */
int wait_connected(int fd, enum waiting waiting, int timeout_ms);

#endif
