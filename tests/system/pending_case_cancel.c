/*
 * Threads that are cancelled while they wait for a pending connect, before they do, or in the
 * middle of an attempt.
 */
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/socket.h>

#include "pending_case.h"

static void *poll_in_thread(void *fds)
{
	poll(fds, 1, 15000);
	return NULL;
}

static void tell_end(pthread_t thread)
{
	void *result;

	pthread_join(thread, &result);
	puts(result == PTHREAD_CANCELED ? "cancelled" : "not cancelled");
}

void pending_cancelled(void)
{
	struct pollfd fds = case_polled(POLLOUT);
	sigset_t set;
	pthread_t thread;
	int number;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	pthread_create(&thread, NULL, poll_in_thread, &fds);
	sigwait(&set, &number);
	pthread_cancel(thread);
	tell_end(thread);
	printf("%d\n", poll(&fds, 1, 0));
}

/* What is pending is the other thread's then. The test sees to the cancellation. */
void pending_cancelled_at_work(void)
{
	struct pollfd fds = case_polled(POLLOUT);
	pthread_t thread;

	pthread_create(&thread, NULL, poll_in_thread, &fds);
	tell_end(thread);
	(void)fputs("kept\n", stderr);
	case_tell_poll(poll(&fds, 1, 15000), &fds);
}

/* ---- before ---- */

static void by_poll(int fd)
{
	struct pollfd fds = { .fd = fd, .events = POLLOUT };

	poll(&fds, 1, 15000);
}

static void by_select(int fd)
{
	fd_set to_write;

	FD_ZERO(&to_write);
	FD_SET(fd, &to_write);
	select(fd + 1, NULL, &to_write, NULL, NULL);
}

static void by_epoll(int fd)
{
	struct epoll_event event = { .events = EPOLLOUT };
	int set = epoll_create1(0);

	epoll_ctl(set, EPOLL_CTL_ADD, fd, &event);
	epoll_wait(set, &event, 1, 15000);
}

static void by_asking(int fd)
{
	int error;
	socklen_t len = sizeof(error);

	getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len);
}

static void by_connecting(int fd)
{
	(void)connect(fd, (struct sockaddr *)&case_target, sizeof(case_target));
}

static void (*const ways[])(int fd) = { by_poll, by_select, by_epoll, by_asking, by_connecting };

struct waiter {
	void (*wait)(int fd);
	int fd;
};

/* Its destructor runs as a cleanup handler does. */
static pthread_key_t at_end;

static void tell_mask(void *unused)
{
	sigset_t mask;

	(void)unused;
	pthread_sigmask(SIG_BLOCK, NULL, &mask);
	printf("%s, ", sigismember(&mask, SIGTERM) ? "blocked" : "mask kept");
}

static void *wait_cancelled(void *arg)
{
	const struct waiter *waiter = arg;

	pthread_setspecific(at_end, waiter);
	pthread_cancel(pthread_self());
	waiter->wait(waiter->fd);
	return NULL;
}

void pending_cancelled_before(void)
{
	struct pollfd fds = case_polled(POLLOUT);

	(void)poll(&fds, 1, 20);
	pthread_key_create(&at_end, tell_mask);
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		struct waiter waiter = { ways[i], fds.fd };
		pthread_t thread;

		pthread_create(&thread, NULL, wait_cancelled, &waiter);
		tell_end(thread);
	}
}
