/*
 * What the kernel says of a socket. Async-signal-safe; no cancellation points.
 */
#ifndef RS_CONNECT_SOCKET_H
#define RS_CONNECT_SOCKET_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

/* Which socket the descriptor is, for as long as the machine runs; 0 where it is none. */
uint64_t rs_socket_cookie(int fd);

/*
 * Was it to be connected to this Internet address, and to nothing since? The kernel remembers that
 * of an attempt that has failed, too, until the next one. One that was accepted, and one that was
 * never connected, is none. To any address (0.0.0.0, ::) means to one of this machine's: then the
 * port counts.
 */
bool rs_socket_aimed_at(int fd, const struct sockaddr_storage *addr);

/*
 * Has its last connect() led to a connection, be it that this is broken by now? TCP remembers: a
 * byte is acknowledged, the SYN's, as soon as the other side has agreed. One that has answered, and
 * not agreed, has refused. Sockets of other protocols (MPTCP's forget), and other kernels, do not
 * tell.
 */
enum rs_socket_past {
	RS_SOCKET_NEVER_CONNECTED,
	RS_SOCKET_WAS_REFUSED,
	RS_SOCKET_WAS_CONNECTED,
	RS_SOCKET_DOES_NOT_TELL,
};
enum rs_socket_past rs_socket_past(int fd);

/* A stream or seqpacket socket? */
bool rs_socket_connects(int fd);

/* False where it is no descriptor at all. */
bool rs_socket_is_nonblocking(int fd);

/* One that has not been connected yet, nor failed to: an attempt is what connect() would make now,
 * not a question. */
bool rs_socket_is_fresh(int fd);

/* Is anybody sent a signal for what happens to it (O_ASYNC)? That cannot be hidden, and who waits
 * for it makes no call. */
bool rs_socket_sends_signals(int fd);

/* Has the program shut it down for reading, at least, since it failed to connect in blocking mode?
 * That it did so for writing alone cannot be seen. */
bool rs_socket_is_shut_down(int fd);

/* One that could be connected now, in blocking mode. */
bool rs_socket_blocks(int fd);

/*
 * With an attempt that has failed the kernel forgets of a socket
 *
 * - its port, where the program has bound it to an address, and left the port to the kernel. Bound
 *   again it keeps it for good. (To any address and any port is what it is without bind(), too.)
 * - two options: read them before the kernel forgets them
 */
struct rs_socket_settings {
	int segment; /* TCP_MAXSEG: the program's, else what the attempt made of it */
	int window;  /* TCP_WINDOW_CLAMP: likewise, which the next one would come to again */
};
void rs_socket_bind_again(int fd);
struct rs_socket_settings rs_socket_settings(int fd);
void rs_socket_restore(int fd, const struct rs_socket_settings *settings); /* both */

/* Have it forget its attempt, failed or under way, so that the next one is free to begin. Of a Unix
 * socket there is nothing to forget: leave it alone. No cancellation point. */
void rs_socket_dissolve(int fd);

/* The same, and its error too: that of a failed one which nobody has taken, or what an attempt
 * under way leaves when it is ended (ECONNRESET). The port and the options are kept. */
void rs_socket_call_off(int fd);

/* Its error, which the kernel forgets with that; 0: it has none. */
int rs_socket_take_error(int fd);

#endif
