/*
 * A pending connect of two processes: one has forked the other.
 */
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "pending_case.h"

static void tell_and_exit(int ready, const struct pollfd *fds)
{
	case_tell_poll(ready, fds);
	(void)fflush(stdout);
	_exit(0);
}

static void left_to_child(struct pollfd *fds)
{
	pid_t child = fork();

	if (child == 0)
		tell_and_exit(poll(fds, 1, 15000), fds);
	waitpid(child, NULL, 0);
}

/* Before it has failed. */
void pending_forked_at_once(void)
{
	struct pollfd fds = case_polled(POLLOUT);

	left_to_child(&fds);
}

void pending_forked(void)
{
	struct pollfd fds = case_polled(POLLOUT);

	(void)poll(&fds, 1, 20);
	(void)fflush(stdout);
	left_to_child(&fds);
}

/* Until the other one has come, too. */
static void meet(int end)
{
	char byte = 0;

	if (write(end, &byte, 1) != 1 || read(end, &byte, 1) != 1)
		abort();
}

/* Both wait. Is what the first one was told of still there when the second one has been told? */
void pending_forked_both(void)
{
	struct pollfd fds = case_polled(POLLOUT);
	in_port_t port;
	int ends[2], ready;
	pid_t child;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0)
		abort();
	child = fork();
	ready = poll(&fds, 1, 15000);
	port = case_port(fds.fd);
	meet(ends[child == 0]);
	puts(case_port(fds.fd) == port ? "the same" : "another");
	if (child == 0)
		tell_and_exit(ready, &fds);
	waitpid(child, NULL, 0);
	case_tell_poll(ready, &fds);
}

static void wait_for_nothing(void)
{
	struct epoll_event event;
	int set = epoll_create1(0);

	(void)epoll_wait(set, &event, 1, 200);
	_exit(0);
}

/* The child has waited for something else, and longer than an attempt may take. */
void pending_forked_aside(void)
{
	struct pollfd fds = case_polled(POLLOUT);
	pid_t child = fork();

	if (child == 0)
		wait_for_nothing();
	waitpid(child, NULL, 0);
	case_tell_poll(poll(&fds, 1, 15000), &fds);
}
