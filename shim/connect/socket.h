/*
 * What the kernel says of a socket. Async-signal-safe; no cancellation points.
 */
#ifndef RS_CONNECT_SOCKET_H
#define RS_CONNECT_SOCKET_H

#include <stdbool.h>
#include <stdint.h>

/* Which socket the descriptor is, for as long as the machine runs; 0 where it is none. */
uint64_t rs_socket_cookie(int fd);

/* A stream or seqpacket socket? */
bool rs_socket_connects(int fd);

/* False where it is no descriptor at all. */
bool rs_socket_is_nonblocking(int fd);

/* One that has not been connected yet, nor failed to: an attempt is what connect() would make now,
 * not a question. */
bool rs_socket_is_fresh(int fd);

/* One that connects, in blocking mode. */
bool rs_socket_blocks(int fd);

#endif
