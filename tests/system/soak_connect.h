/*
 * Connections of a long life: to ports that listen, begin to, or never do; blocking ones, and
 * others that are waited for with poll, select and epoll, or given up.
 */
#ifndef TESTS_SOAK_CONNECT_H
#define TESTS_SOAK_CONNECT_H

#include <stdint.h>

enum soak_end { SOAK_GOOD, SOAK_FAILED, SOAK_WRONG };

/* One of them, chosen by the state (random_plan.h). What is wrong is told on stderr. */
enum soak_end soak_connect(uint64_t *state);

/* A name that is looked up, by a library below the shim that fails now and then. */
enum soak_end soak_lookup(void);

#endif
