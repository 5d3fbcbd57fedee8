/*
 * pending-case CASE PORT: a non-blocking connect to 127.0.0.1:PORT, one way to wait for it, and
 * what the program got to see. A case that waits for SIGUSR1 is told when by the test.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../errno_name.h"

#define DATA UINT64_C(0x1234567890abcdef)

int __poll_chk(struct pollfd *fds, nfds_t count, int timeout, size_t size);
int __ppoll_chk(struct pollfd *fds, nfds_t count, const struct timespec *timeout,
		const sigset_t *mask, size_t size);

static struct sockaddr_in target;
static const struct timespec patience = { .tv_sec = 15 };

static int begin(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	if (connect(fd, (struct sockaddr *)&target, sizeof(target)) != -1 || errno != EINPROGRESS)
		abort();
	return fd;
}

static const char *name_of(int error)
{
	return error ? errno_name(error) : "0";
}

/* What a program asks once it was told that the connect is over. */
static void tell_outcome(int fd)
{
	struct sockaddr_in peer;
	socklen_t len = sizeof(peer);
	int error = -1, connected = getpeername(fd, (struct sockaddr *)&peer, &len) == 0;
	ssize_t sent;

	len = sizeof(error);
	getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len);
	printf("%s, SO_ERROR %s", connected ? "connected" : "not connected", name_of(error));
	error = -1;
	getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len);
	sent = send(fd, "x", 1, MSG_NOSIGNAL);
	printf(", then %s, sent %zd\n", name_of(error), sent);
}

/* ---- poll ---- */

static void tell_poll(int ready, const struct pollfd *fds)
{
	printf("%d: %#x\n", ready, (unsigned)fds->revents);
	tell_outcome(fds->fd);
}

static struct pollfd polled(short events)
{
	return (struct pollfd){ .fd = begin(), .events = events };
}

static void with_poll(void)
{
	struct pollfd fds = polled(POLLOUT);

	tell_poll(poll(&fds, 1, 15000), &fds);
}

static void with_poll_for_all(void)
{
	struct pollfd fds = polled(POLLIN | POLLOUT | POLLPRI | POLLRDHUP | POLLWRNORM);

	tell_poll(poll(&fds, 1, -1), &fds);
}

static void with_ppoll(void)
{
	struct pollfd fds = polled(POLLOUT);

	tell_poll(ppoll(&fds, 1, &patience, NULL), &fds);
}

static void with_poll_chk(void)
{
	struct pollfd fds = polled(POLLOUT);

	tell_poll(__poll_chk(&fds, 1, 15000, sizeof(fds)), &fds);
}

static void with_ppoll_chk(void)
{
	struct pollfd fds = polled(POLLOUT);

	tell_poll(__ppoll_chk(&fds, 1, &patience, NULL, sizeof(fds)), &fds);
}

/* More of them than are copied on a stack, and all their places taken. */
static void with_many(void)
{
	static struct pollfd fds[700];
	int ready = 0, wrong = 0;

	for (int i = 0; i < 700; i++)
		fds[i] = polled(POLLOUT);
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
	tell_outcome(fd);
}

static int prepare_select(fd_set sets[3])
{
	int fd = begin();

	for (int i = 0; i < 3; i++) {
		FD_ZERO(&sets[i]);
		FD_SET(fd, &sets[i]);
	}
	return fd;
}

static void with_select(void)
{
	struct timeval limit = { .tv_sec = 15 };
	fd_set sets[3];
	int fd = prepare_select(sets), ready;

	ready = select(fd + 1, &sets[0], &sets[1], &sets[2], &limit);
	printf("%s\n", limit.tv_sec < 15 && limit.tv_sec > 4 ? "time left" : "no time left");
	tell_select(fd, ready, sets);
}

static void with_pselect(void)
{
	fd_set sets[3];
	int fd = prepare_select(sets);

	tell_select(fd, pselect(fd + 1, &sets[0], &sets[1], &sets[2], &patience, NULL), sets);
}

/* ---- epoll ---- */

static int set_with(int fd, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.u64 = DATA };
	int set = epoll_create1(0);

	epoll_ctl(set, EPOLL_CTL_ADD, fd, &event);
	return set;
}

/* The event, whether it comes again, and whether it does after it was asked for again. */
static void tell_epoll(int set, int fd, int ready, struct epoll_event *event, uint32_t events)
{
	struct epoll_event again = { .events = events, .data.u64 = DATA + 1 };

	printf("%d: %#x %s\n", ready, event->events, event->data.u64 == DATA ? "own" : "foreign");
	ready = epoll_wait(set, event, 1, 0);
	printf("%d", ready);
	epoll_ctl(set, EPOLL_CTL_MOD, fd, &again);
	ready = epoll_wait(set, event, 1, 0);
	printf(", then %d: %s\n", ready, event->data.u64 == DATA + 1 ? "own" : "foreign");
	tell_outcome(fd);
}

static void wait_epoll(uint32_t events)
{
	struct epoll_event event = { 0 };
	int fd = begin(), set = set_with(fd, events);

	tell_epoll(set, fd, epoll_wait(set, &event, 1, 15000), &event, events);
}

static void level(void)
{
	wait_epoll(EPOLLOUT | EPOLLIN | EPOLLRDHUP);
}

static void edge(void)
{
	wait_epoll(EPOLLOUT | EPOLLET);
}

static void one_shot(void)
{
	wait_epoll(EPOLLOUT | EPOLLIN | EPOLLONESHOT);
}

static void with_epoll_pwait(void)
{
	struct epoll_event event = { 0 };
	int fd = begin(), set = set_with(fd, EPOLLOUT);

	tell_epoll(set, fd, epoll_pwait(set, &event, 1, 15000, NULL), &event, EPOLLOUT);
}

static void with_epoll_pwait2(void)
{
	struct epoll_event event = { 0 };
	int fd = begin(), set = set_with(fd, EPOLLOUT);

	tell_epoll(set, fd, epoll_pwait2(set, &event, 1, &patience, NULL), &event, EPOLLOUT);
}

/* The program changes its registration while the connect is being retried. */
static void changed(void)
{
	struct epoll_event event = { .events = EPOLLOUT | EPOLLET, .data.u64 = DATA };
	int fd = begin(), set = set_with(fd, EPOLLIN), ready;

	event.data.u64 = DATA + 7;
	ready = epoll_wait(set, &event, 1, 300);
	event = (struct epoll_event){ .events = EPOLLOUT | EPOLLET, .data.u64 = DATA };
	epoll_ctl(set, EPOLL_CTL_MOD, fd, &event);
	printf("%d, ", ready);
	ready = epoll_wait(set, &event, 1, 15000);
	tell_epoll(set, fd, ready, &event, EPOLLOUT | EPOLLET);
}

static sem_t told;

static void *wait_in_thread(void *set)
{
	struct epoll_event event = { 0 };

	if (epoll_wait(*(int *)set, &event, 1, 15000) == 1 && event.data.u64 == DATA)
		sem_post(&told);
	return NULL;
}

/* Two threads wait already when the connect begins. One gets the event; the other, when it is
 * asked for again. */
static void threads(void)
{
	struct epoll_event event = { .events = EPOLLOUT | EPOLLONESHOT, .data.u64 = DATA };
	int set = epoll_create1(0), fd, waiting;
	pthread_t thread[2];

	sem_init(&told, 0, 0);
	for (int i = 0; i < 2; i++)
		pthread_create(&thread[i], NULL, wait_in_thread, &set);
	usleep(20000);
	fd = begin();
	epoll_ctl(set, EPOLL_CTL_ADD, fd, &event);
	sem_wait(&told);
	sem_getvalue(&told, &waiting);
	printf("1 told, %d more\n", waiting);
	epoll_ctl(set, EPOLL_CTL_MOD, fd, &event);
	sem_wait(&told);
	for (int i = 0; i < 2; i++)
		pthread_join(thread[i], NULL);
	tell_outcome(fd);
}

/* ---- asking ---- */

static void ask_error_after(useconds_t pause_us)
{
	int fd = begin(), error = -1;
	socklen_t len = sizeof(error);

	usleep(pause_us);
	getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len);
	printf("%s\n", name_of(error));
	tell_outcome(fd);
}

/* On loopback an answer comes at once; this makes sure that it was there. */
static void ask_error(void)
{
	ask_error_after(1000);
}

static void ask_late(void)
{
	ask_error_after(200000);
}

static void ask_connect(void)
{
	int fd = begin(), status;

	usleep(1000);
	errno = 0;
	status = connect(fd, (struct sockaddr *)&target, sizeof(target));
	printf("%d %s\n", status, name_of(errno));
	tell_outcome(fd);
}

static void told_by_connect(void)
{
	struct pollfd fds = polled(POLLOUT);

	poll(&fds, 1, 15000);
	errno = 0;
	printf("%d ", connect(fds.fd, (struct sockaddr *)&target, sizeof(target)));
	printf("%s\n", name_of(errno));
	tell_outcome(fds.fd);
}

/* ---- whose descriptor it is ---- */

static void forked(void)
{
	struct pollfd fds = polled(POLLOUT);
	pid_t child;

	(void)poll(&fds, 1, 20);
	(void)fflush(stdout);
	child = fork();
	if (child == 0) {
		tell_poll(poll(&fds, 1, 15000), &fds);
		(void)fflush(stdout);
		_exit(0);
	}
	waitpid(child, NULL, 0);
}

/* Closed in the middle of it; its number becomes a pipe's, which must see nothing of it. */
static void reused(void)
{
	struct pollfd fds = polled(POLLOUT);
	int ends[2], ready;
	char byte = 0;

	(void)poll(&fds, 1, 20);
	close(fds.fd);
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0 || ends[0] != fds.fd)
		abort();
	fds.events = POLLIN;
	ready = poll(&fds, 1, 100);
	printf("%d\n", ready);
	if (write(ends[1], "y", 1) != 1)
		abort();
	ready = poll(&fds, 1, 100);
	printf("%d: %#x\n", ready, (unsigned)fds.revents);
	if (read(ends[0], &byte, 1) != 1)
		abort();
	printf("%c\n", byte);
}

static void given_up(void)
{
	const struct sockaddr nowhere = { .sa_family = AF_UNSPEC };
	struct pollfd fds = polled(POLLOUT);
	int ready;

	(void)poll(&fds, 1, 20);
	(void)connect(fds.fd, &nowhere, sizeof(nowhere));
	ready = poll(&fds, 1, 100);
	printf("%d: %#x\n", ready, (unsigned)fds.revents);
}

/* ---- the program's own limits ---- */

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void tell_time(const char *what, int ready, int64_t since_ms)
{
	int64_t took_ms = now_ms() - since_ms;

	printf("%s %d %s\n", what, ready,
	       took_ms < 299   ? "early"
	       : took_ms > 450 ? "late"
			       : "in time");
}

static void timeouts(void)
{
	const struct timespec limit = { .tv_nsec = 300000000 };
	struct timeval limit_us = { .tv_usec = 300000 };
	struct pollfd fds = polled(POLLOUT);
	struct epoll_event event;
	int set = set_with(fds.fd, EPOLLOUT), ready;
	int64_t since_ms = now_ms();
	fd_set to_write;

	ready = poll(&fds, 1, 300);
	tell_time("poll", ready, since_ms);
	since_ms = now_ms();
	ready = ppoll(&fds, 1, &limit, NULL);
	tell_time("ppoll", ready, since_ms);
	FD_ZERO(&to_write);
	FD_SET(fds.fd, &to_write);
	since_ms = now_ms();
	ready = select(fds.fd + 1, NULL, &to_write, NULL, &limit_us);
	tell_time("select", ready + FD_ISSET(fds.fd, &to_write), since_ms);
	since_ms = now_ms();
	ready = epoll_wait(set, &event, 1, 300);
	tell_time("epoll_wait", ready, since_ms);
	since_ms = now_ms();
	ready = epoll_pwait2(set, &event, 1, &limit, NULL);
	tell_time("epoll_pwait2", ready, since_ms);
	printf("at once %d %d\n", poll(&fds, 1, 0), epoll_wait(set, &event, 1, 0));
}

static void on_signal(int number)
{
	(void)number;
}

static void handle(void (*handler)(int))
{
	struct sigaction action = { .sa_handler = handler, .sa_flags = SA_RESTART };

	sigaction(SIGUSR1, &action, NULL);
}

static void interrupted(void)
{
	struct pollfd fds = polled(POLLOUT);

	handle(on_signal);
	printf("%d ", poll(&fds, 1, 15000));
	printf("%s\n", name_of(errno));
}

static void interrupted_asking(void)
{
	int fd = begin();

	handle(on_signal);
	tell_outcome(fd);
}

static sigjmp_buf way_out;

static void leave(int number)
{
	(void)number;
	siglongjmp(way_out, 1);
}

/* Out of a wait; what is pending stays so. */
static void longjmp_out(void)
{
	static struct pollfd fds;
	sigset_t mask;

	fds = polled(POLLOUT);
	handle(leave);
	if (sigsetjmp(way_out, 1) == 0)
		printf("%d\n", poll(&fds, 1, 15000));
	sigprocmask(SIG_BLOCK, NULL, &mask);
	printf("left, %s, %d\n", sigismember(&mask, SIGUSR1) ? "blocked" : "mask kept", fds.fd > 0);
	printf("%d\n", poll(&fds, 1, 0));
}

static void *poll_in_thread(void *fds)
{
	poll(fds, 1, 15000);
	return NULL;
}

static void cancelled(void)
{
	struct pollfd fds = polled(POLLOUT);
	sigset_t set;
	pthread_t thread;
	void *result;
	int number;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	pthread_create(&thread, NULL, poll_in_thread, &fds);
	sigwait(&set, &number);
	pthread_cancel(thread);
	pthread_join(thread, &result);
	puts(result == PTHREAD_CANCELED ? "cancelled" : "not cancelled");
	printf("%d\n", poll(&fds, 1, 0));
}

static const struct {
	const char *name;
	void (*run)(void);
} cases[] = {
	{ "poll", with_poll },
	{ "poll-for-all", with_poll_for_all },
	{ "ppoll", with_ppoll },
	{ "poll-chk", with_poll_chk },
	{ "ppoll-chk", with_ppoll_chk },
	{ "many", with_many },
	{ "select", with_select },
	{ "pselect", with_pselect },
	{ "level", level },
	{ "edge", edge },
	{ "one-shot", one_shot },
	{ "epoll-pwait", with_epoll_pwait },
	{ "epoll-pwait2", with_epoll_pwait2 },
	{ "changed", changed },
	{ "threads", threads },
	{ "ask-error", ask_error },
	{ "ask-late", ask_late },
	{ "ask-connect", ask_connect },
	{ "told-by-connect", told_by_connect },
	{ "forked", forked },
	{ "reused", reused },
	{ "given-up", given_up },
	{ "timeouts", timeouts },
	{ "interrupted", interrupted },
	{ "interrupted-asking", interrupted_asking },
	{ "longjmp-out", longjmp_out },
	{ "cancelled", cancelled },
};

int main(int argc, char **argv)
{
	if (argc < 3)
		return 2;
	target.sin_family = AF_INET;
	target.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	target.sin_port = htons((uint16_t)strtoul(argv[2], NULL, 10));
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (strcmp(argv[1], cases[i].name) != 0)
			continue;
		cases[i].run();
		return fflush(stdout) == 0 ? 0 : 2;
	}
	return 2;
}
