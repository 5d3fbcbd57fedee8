/*
 * Calls that leave a pending connect what it is, though they look like its end.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/wait.h>
#include <unistd.h>

#include "pending_case.h"

/* It has failed, and waits for its next attempt. */
static struct pollfd failed_once(void)
{
	struct pollfd fds = case_polled(POLLOUT);

	if (poll(&fds, 1, 20) != 0)
		abort();
	return fds;
}

/* The test opens the port when it reads this. */
static void await_outcome(struct pollfd *fds)
{
	(void)fputs("kept\n", stderr);
	case_tell_poll(poll(fds, 1, 15000), fds);
}

void pending_vfork_closes(void)
{
	struct pollfd fds = failed_once();
	pid_t child = vfork(); /* NOLINT: what is tested */

	if (child == 0) {
		close(fds.fd); /* NOLINT */
		_exit(0);
	}
	waitpid(child, NULL, 0);
	await_outcome(&fds);
}

void pending_vfork_replaces(void)
{
	struct pollfd fds = failed_once();
	pid_t child = vfork(); /* NOLINT: what is tested */

	if (child == 0) {
		dup2(STDIN_FILENO, fds.fd); /* NOLINT */
		dup2(STDIN_FILENO, fds.fd); /* NOLINT: when it is another one already */
		close(fds.fd);              /* NOLINT */
		_exit(0);
	}
	waitpid(child, NULL, 0);
	await_outcome(&fds);
}

/* The set is the parent's, too. */
void pending_fork_closes(void)
{
	struct pollfd fds = case_polled(POLLOUT);
	struct epoll_event event = { .events = EPOLLOUT, .data.fd = fds.fd };
	int set = epoll_create1(0), ready;
	pid_t child;

	epoll_ctl(set, EPOLL_CTL_ADD, fds.fd, &event);
	ready = epoll_wait(set, &event, 1, 20);
	child = fork();
	if (child == 0) {
		close(fds.fd);
		_exit(0);
	}
	waitpid(child, NULL, 0);
	(void)fputs("kept\n", stderr);
	printf("%d, ", ready);
	ready = epoll_wait(set, &event, 1, 15000);
	printf("%d: %#x\n", ready, event.events);
	case_tell_outcome(fds.fd);
}

void pending_dup_fails(void)
{
	struct pollfd fds = failed_once();
	int (*volatile duplicate)(int, int) = dup2; /* unseen by those who know that it fails */

	errno = 0;
	printf("%d ", duplicate(-1, fds.fd));
	printf("%s, ", case_error_name(errno));
	printf("%d ", dup3(STDIN_FILENO, fds.fd, O_APPEND));
	printf("%s, ", case_error_name(errno));
	printf("%d ", dup3(fds.fd, fds.fd, 0));
	printf("%s, ", case_error_name(errno));
	printf("%s\n", dup2(fds.fd, fds.fd) == fds.fd ? "itself" : "another");
	await_outcome(&fds);
}
