#include "soak_connect.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "random_plan.h"
#include "waiting.h"

#define PATIENCE_MS 20000

enum opening { AT_ONCE, LATE, NEVER, OPENINGS };
enum way { BY_POLL, BY_SELECT, BY_EPOLL, BLOCKING, GIVEN_UP, WAYS }; /* as enum waiting, and two */

struct listener {
	int fd;
	enum opening opening;
	struct sockaddr_in addr;
	int open_after_ms;
	pthread_t opener;
};

static enum soak_end wrong(const char *what, int number)
{
	(void)fprintf(stderr, "connect: %s (%d: %s)\n", what, number, strerror(number));
	return SOAK_WRONG;
}

static void *open_late(void *arg)
{
	const struct listener *listener = arg;

	(void)poll(NULL, 0, listener->open_after_ms);
	(void)listen(listener->fd, 4);
	return NULL;
}

/* Bound and not listening, a port refuses and is nobody else's. */
static bool prepare(struct listener *listener, uint64_t *state)
{
	socklen_t len = sizeof(listener->addr);

	listener->opening = (enum opening)(plan_random(state) % 10 < 5   ? AT_ONCE
					   : plan_random(state) % 10 < 9 ? LATE
									 : NEVER);
	listener->open_after_ms = 1 + (int)(plan_random(state) % 30);
	listener->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	listener->addr = (struct sockaddr_in){ .sin_family = AF_INET,
					       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	if (bind(listener->fd, (struct sockaddr *)&listener->addr, len) != 0 ||
	    getsockname(listener->fd, (struct sockaddr *)&listener->addr, &len) != 0)
		return false;
	if (listener->opening == AT_ONCE)
		return listen(listener->fd, 4) == 0;
	return listener->opening == NEVER ||
	       pthread_create(&listener->opener, NULL, open_late, listener) == 0;
}

static void finish(struct listener *listener)
{
	if (listener->opening == LATE)
		(void)pthread_join(listener->opener, NULL);
	(void)close(listener->fd);
}

/* The other end of fd's connection. Others may come to the port, too: other programs on this
 * machine knock at ports that were closed a moment ago. -1: there is none. */
static int accept_from(int fd, const struct listener *listener)
{
	struct sockaddr_in ours = { 0 }, theirs = { 0 };
	socklen_t len = sizeof(ours);
	int peer;

	if (getsockname(fd, (struct sockaddr *)&ours, &len) != 0)
		return -1;
	while ((peer = accept4(listener->fd, (struct sockaddr *)&theirs, &len, SOCK_CLOEXEC)) >=
		       0 &&
	       theirs.sin_port != ours.sin_port)
		(void)close(peer);
	return peer;
}

/* What the listener sends has to arrive here. */
static bool is_the_one(int fd, const struct listener *listener, uint64_t word)
{
	uint64_t got = 0;
	int peer = accept_from(fd, listener);
	bool right = peer >= 0 && send(peer, &word, sizeof(word), MSG_NOSIGNAL) == sizeof(word) &&
		     wait_writable(fd, WAITS_BY_POLL, PATIENCE_MS);
	struct pollfd one = { .fd = fd, .events = POLLIN };

	right = right && poll(&one, 1, PATIENCE_MS) == 1 &&
		recv(fd, &got, sizeof(got), 0) == sizeof(got) && got == word;
	if (peer >= 0)
		(void)close(peer);
	return right;
}

static enum soak_end judge(int fd, int error, struct listener *listener, uint64_t word)
{
	if (error == ECONNREFUSED)
		return SOAK_FAILED;
	if (error != 0)
		return wrong("another error", error);
	if (listener->opening == NEVER)
		return wrong("connected to nobody", 0);
	return is_the_one(fd, listener, word) ? SOAK_GOOD : wrong("not that connection", errno);
}

static enum soak_end connect_to(struct listener *listener, enum way way, uint64_t word)
{
	int type = SOCK_STREAM | SOCK_CLOEXEC | (way == BLOCKING ? 0 : SOCK_NONBLOCK);
	int fd = socket(AF_INET, type, 0), error = 0;
	enum soak_end end = SOAK_GOOD;

	if (connect(fd, (const struct sockaddr *)&listener->addr, sizeof(listener->addr)) != 0)
		error = errno;
	if (error == EINPROGRESS && way != BLOCKING && way != GIVEN_UP)
		error = wait_connected(fd, (enum waiting)way, PATIENCE_MS);
	if (way != GIVEN_UP)
		end = judge(fd, error, listener, word);
	(void)close(fd);
	return end;
}

enum soak_end soak_connect(uint64_t *state)
{
	struct listener listener;
	enum way way = (enum way)(plan_random(state) % WAYS);
	enum soak_end end;

	if (!prepare(&listener, state))
		return wrong("no listener", errno);
	end = connect_to(&listener, way, plan_random(state));
	finish(&listener);
	return end;
}

enum soak_end soak_lookup(void)
{
	struct addrinfo *found = NULL;
	int code = getaddrinfo("service.test", "80", NULL, &found);
	enum soak_end end = SOAK_FAILED;

	if (code == 0) {
		const struct sockaddr_in *addr = (const void *)found->ai_addr;

		end = addr->sin_family == AF_INET && ntohl(addr->sin_addr.s_addr) == INADDR_LOOPBACK
			      ? SOAK_GOOD
			      : wrong("another address", 0);
		freeaddrinfo(found);
	}
	return code == 0 || code == EAI_AGAIN ? end : wrong(gai_strerror(code), 0);
}
