/*
 * Connects to a listener of its own. What is timed is connect() alone, to its end.
 */
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <unistd.h>

#include "loop.h"

static struct sockaddr_in address;
static int listener = -1;

static bool bind_somewhere(char **args)
{
	socklen_t len = sizeof(address);

	address = (struct sockaddr_in){ .sin_family = AF_INET,
					.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	return !args[0] && listener >= 0 && bind(listener, (struct sockaddr *)&address, len) == 0 &&
	       getsockname(listener, (struct sockaddr *)&address, &len) == 0;
}

static bool listen_somewhere(char **args)
{
	return bind_somewhere(args) && listen(listener, 16) == 0;
}

/* ---- ways to wait ---- */

static int wait_poll(int fd)
{
	struct pollfd writable = { .fd = fd, .events = POLLOUT };

	return poll(&writable, 1, -1);
}

static int wait_select(int fd)
{
	fd_set writable;

	FD_ZERO(&writable);
	FD_SET(fd, &writable);
	return select(fd + 1, NULL, &writable, NULL, NULL);
}

static int wait_epoll(int fd)
{
	static int set = -1;
	struct epoll_event event = { .events = EPOLLOUT, .data.fd = fd };

	if (set < 0)
		set = epoll_create1(EPOLL_CLOEXEC);
	if (epoll_ctl(set, EPOLL_CTL_ADD, fd, &event) != 0)
		return -1;
	return epoll_wait(set, &event, 1, -1);
}

/* 0, or an errno. */
static int connect_to_end(int fd, int (*wait)(int fd))
{
	int error = 0;
	socklen_t len = sizeof(error);

	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0)
		return 0;
	if (errno != EINPROGRESS || !wait)
		return errno;
	if (wait(fd) != 1 || getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0)
		return errno;
	return error;
}

/* ---- again and again ---- */

/* Both ends go, at once: a port that has to rest for a minute is one that later rounds lack. */
static void drop(int fd, int error)
{
	const struct linger at_once = { .l_onoff = 1, .l_linger = 0 };

	(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	(void)close(fd);
	if (error == 0)
		(void)close(accept(listener, NULL, NULL));
}

/* `wait`: NULL for a blocking socket. */
static void repeat(struct loop_result *result, long count, int (*wait)(int fd), int wanted)
{
	int type = SOCK_STREAM | SOCK_CLOEXEC | (wait ? SOCK_NONBLOCK : 0);

	for (long i = 0; i < count; i++) {
		int fd = socket(AF_INET, type, 0), error;
		int64_t began_ns = loop_now_ns();

		error = connect_to_end(fd, wait);
		result->took_ns[i] = loop_now_ns() - began_ns;
		result->good += error == wanted;
		drop(fd, error);
	}
}

static void connect_blocking(struct loop_result *result, long count)
{
	repeat(result, count, NULL, 0);
}

static void connect_refused(struct loop_result *result, long count)
{
	repeat(result, count, NULL, ECONNREFUSED);
}

static void connect_polled(struct loop_result *result, long count)
{
	repeat(result, count, wait_poll, 0);
}

static void connect_selected(struct loop_result *result, long count)
{
	repeat(result, count, wait_select, 0);
}

static void connect_epolled(struct loop_result *result, long count)
{
	repeat(result, count, wait_epoll, 0);
}

const struct loop_kind loop_connect = { "connect", listen_somewhere, connect_blocking };
const struct loop_kind loop_refused = { "refused", bind_somewhere, connect_refused };
const struct loop_kind loop_begun = { "begun", listen_somewhere, connect_polled };
const struct loop_kind loop_selected = { "selected", listen_somewhere, connect_selected };
const struct loop_kind loop_epolled = { "epolled", listen_somewhere, connect_epolled };
