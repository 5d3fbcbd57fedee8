/*
 * Connections to a port that refuses, and then does not; and names.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "loopback.h"
#include "scarce_case.h"
#include "waiting.h"

#define OPENS_AFTER_MS 4

static void *open_late(void *listener)
{
	(void)poll(NULL, 0, OPENS_AFTER_MS);
	if (listen(*(int *)listener, 8) != 0)
		exit(3);
	return NULL;
}

static bool is_connected(int fd)
{
	struct sockaddr_in peer;
	socklen_t len = sizeof(peer);

	return getpeername(fd, (struct sockaddr *)&peer, &len) == 0;
}

/* What connect() and those who waited came to: 0 or an errno. */
static enum end judge_connect(int fd, int error)
{
	if (error == 0)
		return is_connected(fd) ? RETRIED : scarce_wrong("not connected", 0);
	if (is_connected(fd))
		return scarce_wrong("connected all the same", error);
	return error == ECONNREFUSED ? BARE : scarce_wrong("another error", error);
}

#define PATIENCE_MS 5000

#define AMONG 300

static int wait_by_poll(int fd)
{
	return wait_connected(fd, WAITS_BY_POLL, PATIENCE_MS);
}

/* More than are copied on a stack. */
static int wait_among_many(int fd)
{
	static struct pollfd fds[AMONG];
	int error = 0;
	socklen_t len = sizeof(error);

	for (int i = 0; i < AMONG; i++)
		fds[i].fd = -1;
	fds[AMONG - 1] = (struct pollfd){ .fd = fd, .events = POLLOUT };
	if (poll(fds, AMONG, PATIENCE_MS) != 1 ||
	    getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0)
		return -1;
	return error;
}

static int wait_by_select(int fd)
{
	return wait_connected(fd, WAITS_BY_SELECT, PATIENCE_MS);
}

static int wait_by_epoll(int fd)
{
	return wait_connected(fd, WAITS_BY_EPOLL, PATIENCE_MS);
}

/* wait: NULL for a blocking one. */
static enum end connect_with(int (*wait)(int fd))
{
	struct sockaddr_in addr;
	int listener = loopback_bound(&addr), error = 0;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | (wait ? SOCK_NONBLOCK : 0), 0);
	pthread_t opener;
	enum end end;

	if (pthread_create(&opener, NULL, open_late, &listener) != 0)
		exit(3);
	if (connect(fd, (struct sockaddr *)&addr, sizeof(addr)) != 0)
		error = errno;
	if (wait && error == EINPROGRESS)
		error = wait(fd);
	end = judge_connect(fd, error);
	(void)pthread_join(opener, NULL);
	(void)close(fd);
	(void)close(listener);
	return end;
}

enum end scarce_blocking(void)
{
	return connect_with(NULL);
}

enum end scarce_by_poll(void)
{
	return connect_with(wait_by_poll);
}

enum end scarce_among_many(void)
{
	return connect_with(wait_among_many);
}

enum end scarce_by_select(void)
{
	return connect_with(wait_by_select);
}

enum end scarce_by_epoll(void)
{
	return connect_with(wait_by_epoll);
}

enum end scarce_lookup(void)
{
	struct addrinfo *found = NULL;
	int code = getaddrinfo("service.test", "80", NULL, &found);

	if (code == 0) {
		freeaddrinfo(found);
		return RETRIED;
	}
	return code == EAI_AGAIN ? BARE : scarce_wrong(gai_strerror(code), code);
}

enum end scarce_wrong(const char *what, long number)
{
	printf("wrong: %s (%ld)\n", what, number);
	return WRONG;
}
