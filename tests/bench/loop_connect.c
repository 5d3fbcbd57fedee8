/*
 * Connects to a listener of its own. What is timed is connect() alone, to its end.
 */
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stddef.h>
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

/* 0, or an errno. */
static int connect_to_end(int fd)
{
	struct pollfd writable = { .fd = fd, .events = POLLOUT };
	int error = 0;
	socklen_t len = sizeof(error);

	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0)
		return 0;
	if (errno != EINPROGRESS)
		return errno;
	if (poll(&writable, 1, -1) != 1 || getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0)
		return errno;
	return error;
}

/* Both ends go, at once: a port that has to rest for a minute is one that later rounds lack. */
static void drop(int fd, int error)
{
	const struct linger at_once = { .l_onoff = 1, .l_linger = 0 };

	(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	(void)close(fd);
	if (error == 0)
		(void)close(accept(listener, NULL, NULL));
}

static void repeat(struct loop_result *result, long count, int flags, int wanted)
{
	for (long i = 0; i < count; i++) {
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | flags, 0), error;
		int64_t began_ns = loop_now_ns();

		error = connect_to_end(fd);
		result->took_ns[i] = loop_now_ns() - began_ns;
		result->good += error == wanted;
		drop(fd, error);
	}
}

static void connect_blocking(struct loop_result *result, long count)
{
	repeat(result, count, 0, 0);
}

static void connect_refused(struct loop_result *result, long count)
{
	repeat(result, count, 0, ECONNREFUSED);
}

static void connect_begun(struct loop_result *result, long count)
{
	repeat(result, count, SOCK_NONBLOCK, 0);
}

const struct loop_kind loop_connect = { "connect", listen_somewhere, connect_blocking };
const struct loop_kind loop_refused = { "refused", bind_somewhere, connect_refused };
const struct loop_kind loop_begun = { "begun", listen_somewhere, connect_begun };
