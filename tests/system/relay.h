/*
 * A TCP relay on loopback that cuts connections after so many bytes of the answer.
 *
 * Where it cuts is random and repeatable: each connection passes on a number of bytes between 0
 * and `most`, then is closed or reset in both directions. Every third one is left alone.
 */
#ifndef TESTS_RELAY_H
#define TESTS_RELAY_H

#include <stddef.h>
#include <stdint.h>

struct relay;

/* `socket_path` is the Unix socket that connections are passed on to. */
struct relay *relay_start(const char *socket_path, uint64_t seed, size_t most);
uint16_t relay_port(const struct relay *relay);
int relay_cuts(struct relay *relay);
void relay_stop(struct relay *relay);

#endif
