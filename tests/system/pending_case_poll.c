/*
 * Waiting for a pending connect with poll and select, in all their names.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/time.h>
#include <unistd.h>

#include "pending_case.h"

int __poll_chk(struct pollfd *fds, nfds_t count, int timeout, size_t size);
int __ppoll_chk(struct pollfd *fds, nfds_t count, const struct timespec *timeout,
		const sigset_t *mask, size_t size);

/* ---- poll ---- */

void case_tell_poll(int ready, const struct pollfd *fds)
{
	printf("%d: %#x\n", ready, (unsigned)fds->revents);
	case_tell_outcome(fds->fd);
}

struct pollfd case_polled(short events)
{
	return (struct pollfd){ .fd = case_begin(), .events = events };
}

void pending_poll(void)
{
	struct pollfd fds = case_polled(POLLOUT);

	case_tell_poll(poll(&fds, 1, 15000), &fds);
}

void pending_poll_for_all(void)
{
	struct pollfd fds = case_polled(POLLIN | POLLOUT | POLLPRI | POLLRDHUP | POLLWRNORM);

	case_tell_poll(poll(&fds, 1, -1), &fds);
}

void pending_ppoll(void)
{
	struct pollfd fds = case_polled(POLLOUT);

	case_tell_poll(ppoll(&fds, 1, &case_patience, NULL), &fds);
}

void pending_poll_chk(void)
{
	struct pollfd fds = case_polled(POLLOUT);

	case_tell_poll(__poll_chk(&fds, 1, 15000, sizeof(fds)), &fds);
}

void pending_ppoll_chk(void)
{
	struct pollfd fds = case_polled(POLLOUT);

	case_tell_poll(__ppoll_chk(&fds, 1, &case_patience, NULL, sizeof(fds)), &fds);
}

/* Among others, which are not waited for. */
void pending_poll_among(void)
{
	struct pollfd fds[200];

	for (int i = 1; i < 200; i++)
		fds[i] = (struct pollfd){ .fd = -1, .events = POLLOUT };
	fds[0] = case_polled(POLLOUT);
	case_tell_poll(poll(fds, 200, 15000), fds);
}

/* More of them than are copied on a stack, and all their places taken. */
void pending_many(void)
{
	static struct pollfd fds[700];
	int ready = 0, wrong = 0;

	for (int i = 0; i < 700; i++)
		fds[i] = case_polled(POLLOUT);
	for (int left = 700; left > 0 && ready >= 0; left -= ready) {
		ready = poll(fds, 700, 15000);
		for (int i = 0; i < 700; i++) {
			if (fds[i].revents == 0)
				continue;
			wrong += fds[i].revents != POLLOUT;
			close(fds[i].fd);
			fds[i].fd = -1;
		}
	}
	printf("%d wrong\n", wrong);
}

/* ---- select ---- */

static void tell_select(int fd, int ready, fd_set sets[3])
{
	printf("%d:%s%s%s\n", ready, FD_ISSET(fd, &sets[0]) ? " read" : "",
	       FD_ISSET(fd, &sets[1]) ? " write" : "", FD_ISSET(fd, &sets[2]) ? " except" : "");
	case_tell_outcome(fd);
}

static int prepare_select(fd_set sets[3])
{
	int fd = case_begin();

	for (int i = 0; i < 3; i++) {
		FD_ZERO(&sets[i]);
		FD_SET(fd, &sets[i]);
	}
	return fd;
}

void pending_select(void)
{
	struct timeval limit = { .tv_sec = 15 };
	fd_set sets[3];
	int fd = prepare_select(sets), ready;

	ready = select(fd + 1, &sets[0], &sets[1], &sets[2], &limit);
	printf("%s\n", limit.tv_sec < 15 && limit.tv_sec > 4 ? "time left" : "no time left");
	tell_select(fd, ready, sets);
}

/* With sets that are larger than fd_set, as programs make them by hand: of a descriptor whose
 * number is as large. */
void pending_select_large(void)
{
	static fd_set sets[3][4];
	const struct rlimit limit = { 4 * FD_SETSIZE, 4 * FD_SETSIZE };
	const size_t bits = 8 * sizeof(fd_mask);
	struct timeval patience = { .tv_sec = 15 };
	int fd, ready, told = 0;

	if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
		abort();
	while (dup(STDIN_FILENO) < 3 * FD_SETSIZE)
		continue;
	fd = case_begin();
	for (int i = 0; i < 3; i++)
		sets[i]->fds_bits[(size_t)fd / bits] |= 1L << (size_t)fd % bits;
	ready = select(fd + 1, sets[0], sets[1], sets[2], &patience);
	for (int i = 0; i < 3; i++)
		told |= (int)(sets[i]->fds_bits[(size_t)fd / bits] >> (size_t)fd % bits & 1) << i;
	printf("%d: %d\n", ready, told);
	case_tell_outcome(fd);
}

void pending_pselect(void)
{
	fd_set sets[3];
	int fd = prepare_select(sets);

	tell_select(fd, pselect(fd + 1, &sets[0], &sets[1], &sets[2], &case_patience, NULL), sets);
}

/* ---- what a wait that succeeds leaves in errno ---- */

static void tell_errno(const char *wait, int ready)
{
	printf("%s %d %s\n", wait, ready, case_error_name(errno));
}

void pending_errno(void)
{
	struct pollfd fds = case_polled(POLLOUT);
	struct epoll_event event = { .events = EPOLLOUT };
	int set = epoll_create1(0), fd;
	fd_set sets[3];

	errno = E2BIG;
	tell_errno("poll", poll(&fds, 1, 15000));
	fd = prepare_select(sets);
	errno = E2BIG;
	tell_errno("select", select(fd + 1, &sets[0], &sets[1], &sets[2], NULL));
	epoll_ctl(set, EPOLL_CTL_ADD, case_begin(), &event);
	errno = E2BIG;
	tell_errno("epoll_wait", epoll_wait(set, &event, 1, 15000));
}
