/*
 * Who waits for it elsewhere: not in the set that has it, but for that set; or for a signal.
 */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <unistd.h>

#include "pending_case.h"

static void add(int set, int fd, uint32_t events)
{
	struct epoll_event event = { .events = events };

	if (epoll_ctl(set, EPOLL_CTL_ADD, fd, &event) != 0)
		abort();
}

/* The set itself is only ever asked. */
static void wait_with(int (*ready)(int set))
{
	int fd = case_begin(), set = epoll_create1(0), told = 0;
	struct epoll_event event = { 0 };

	add(set, fd, EPOLLOUT);
	while (told == 0 && ready(set) == 1)
		told = epoll_wait(set, &event, 1, 0);
	printf("%d: %#x\n", told, event.events);
	case_tell_outcome(fd);
}

static int in_another(int set)
{
	static int outer = -1;
	struct epoll_event event;

	if (outer < 0) {
		outer = epoll_create1(0);
		add(outer, set, EPOLLIN);
	}
	return epoll_wait(outer, &event, 1, 15000);
}

static int by_poll(int set)
{
	struct pollfd fds = { .fd = set, .events = POLLIN };

	return poll(&fds, 1, 15000);
}

static int by_select(int set)
{
	struct timeval limit = { .tv_sec = 15 };
	fd_set to_read;

	FD_ZERO(&to_read);
	FD_SET(set, &to_read);
	return select(set + 1, &to_read, NULL, NULL, &limit);
}

void pending_in_a_set(void)
{
	wait_with(in_another);
}

void pending_in_a_poll(void)
{
	wait_with(by_poll);
}

void pending_in_a_select(void)
{
	wait_with(by_select);
}

/* No call waits for the socket. */
void pending_signalled(void)
{
	struct pollfd fds = { .fd = socket(AF_INET, SOCK_STREAM, 0), .events = POLLOUT };
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGIO);
	sigprocmask(SIG_BLOCK, &set, NULL);
	if (fcntl(fds.fd, F_SETOWN, getpid()) != 0 ||
	    fcntl(fds.fd, F_SETFL, O_NONBLOCK | O_ASYNC) != 0)
		abort();
	(void)connect(fds.fd, (struct sockaddr *)&case_target, sizeof(case_target));
	while (sigtimedwait(&set, NULL, &case_patience) == SIGIO && poll(&fds, 1, 0) == 0)
		;
	case_tell_poll(fds.revents != 0, &fds);
}
