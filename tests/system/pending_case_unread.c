/*
 * An epoll set that nobody can read: there is no descriptor left to read it with.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

#include "pending_case.h"

static int set_of(int fd)
{
	struct epoll_event event = { .events = EPOLLOUT, .data.fd = fd };
	int set = epoll_create1(0);

	if (epoll_ctl(set, EPOLL_CTL_ADD, fd, &event) != 0)
		abort();
	return set;
}

static void leave_no_descriptor(void)
{
	int next = dup(STDIN_FILENO);
	struct rlimit limit = { .rlim_cur = (rlim_t)next, .rlim_max = (rlim_t)next };

	close(next);
	if (setrlimit(RLIMIT_NOFILE, &limit) != 0 || dup(STDIN_FILENO) >= 0)
		abort();
}

/* Who waits longer is ended by the alarm. */
static void tell_end(int set, int fd)
{
	struct epoll_event event = { 0 };
	int ready = epoll_wait(set, &event, 1, 15000);

	printf("%d: %#x, ", ready, event.events);
	case_tell_outcome(fd);
}

/* For which the rules files are opened. */
static void have_the_rules_read(void)
{
	struct pollfd fds = case_polled(POLLOUT);

	if (poll(&fds, 1, 20) != 0)
		abort();
	close(fds.fd);
}

void pending_unread(void)
{
	int fd, set;

	have_the_rules_read();
	fd = case_begin();
	set = set_of(fd);
	leave_no_descriptor();
	alarm(20);
	tell_end(set, fd);
}

/* Its first failure is hidden by then, and the next attempt is yet to come. */
void pending_unread_later(void)
{
	int fd = case_begin(), set = set_of(fd);
	struct epoll_event event;

	alarm(20);
	if (epoll_wait(set, &event, 1, 20) != 0)
		abort();
	leave_no_descriptor();
	tell_end(set, fd);
}
