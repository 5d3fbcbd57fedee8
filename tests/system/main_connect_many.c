/*
 * connect-many COUNT KIND: so many connects to a listener of its own, for counting what each costs.
 * ok: blocking; refused: the same to a port without a listener. Non-blocking, and waited for:
 * begun: by poll(), asked: and then SO_ERROR, selected: by select(), and SO_ERROR, epolled: by an
 * epoll set, and SO_ERROR.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <unistd.h>

#include "loopback.h"

/* ---- ways to wait ---- */

static void ask(int fd)
{
	int error = 0;
	socklen_t len = sizeof(error);

	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0 || error != 0)
		abort();
}

static void wait_poll(int fd)
{
	struct pollfd fds = { .fd = fd, .events = POLLOUT };

	(void)poll(&fds, 1, -1);
}

static void wait_poll_and_ask(int fd)
{
	wait_poll(fd);
	ask(fd);
}

static void wait_select_and_ask(int fd)
{
	fd_set to_write;

	FD_ZERO(&to_write);
	FD_SET(fd, &to_write);
	(void)select(fd + 1, NULL, &to_write, NULL, NULL);
	ask(fd);
}

static void wait_epoll_and_ask(int fd)
{
	static int set = -1;
	struct epoll_event event = { .events = EPOLLOUT, .data.fd = fd };

	if (set < 0)
		set = epoll_create1(0);
	(void)epoll_ctl(set, EPOLL_CTL_ADD, fd, &event);
	(void)epoll_wait(set, &event, 1, -1);
	(void)epoll_ctl(set, EPOLL_CTL_DEL, fd, NULL);
	ask(fd);
}

static const struct kind {
	const char *name;
	void (*wait)(int fd); /* NULL: blocking */
} kinds[] = {
	{ "ok", NULL },
	{ "refused", NULL },
	{ "begun", wait_poll },
	{ "asked", wait_poll_and_ask },
	{ "selected", wait_select_and_ask },
	{ "epolled", wait_epoll_and_ask },
};

static const struct kind *find_kind(const char *name)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (strcmp(kinds[i].name, name) == 0)
			return &kinds[i];
	}
	return NULL;
}

/* The sockets stay: to close them would count, too. */
static void connect_once(const struct sockaddr_in *addr, const struct kind *kind)
{
	int fd = socket(AF_INET, SOCK_STREAM | (kind->wait ? SOCK_NONBLOCK : 0), 0);

	if (connect(fd, (const struct sockaddr *)addr, sizeof(*addr)) != 0 &&
	    errno == EINPROGRESS && kind->wait)
		kind->wait(fd);
}

int main(int argc, char **argv)
{
	const struct kind *kind = argc == 3 ? find_kind(argv[2]) : NULL;
	struct sockaddr_in addr;
	int listener = loopback_bound(&addr);

	if (!kind)
		return 2;
	if (strcmp(kind->name, "refused") != 0 && listen(listener, 4096) != 0)
		return 2;
	for (long count = strtol(argv[1], NULL, 10); count > 0; count--)
		connect_once(&addr, kind);
	return 0;
}
