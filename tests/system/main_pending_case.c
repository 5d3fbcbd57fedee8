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
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "../errno_name.h"
#include "pending_case.h"

#define DATA UINT64_C(0x1234567890abcdef)

struct sockaddr_in case_target;
const struct timespec case_patience = { .tv_sec = 15 };

int case_begin(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	if (connect(fd, (struct sockaddr *)&case_target, sizeof(case_target)) != -1 ||
	    errno != EINPROGRESS)
		abort();
	return fd;
}

in_port_t case_port(int fd)
{
	struct sockaddr_in own = { 0 };
	socklen_t len = sizeof(own);

	(void)getsockname(fd, (struct sockaddr *)&own, &len);
	return own.sin_port;
}

const char *case_error_name(int error)
{
	return error ? errno_name(error) : "0";
}

void case_tell_outcome(int fd)
{
	struct sockaddr_in peer;
	socklen_t len = sizeof(peer);
	int error = -1, connected = getpeername(fd, (struct sockaddr *)&peer, &len) == 0;
	ssize_t sent;

	len = sizeof(error);
	getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len);
	printf("%s, SO_ERROR %s", connected ? "connected" : "not connected",
	       case_error_name(error));
	error = -1;
	getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len);
	sent = send(fd, "x", 1, MSG_NOSIGNAL);
	printf(", then %s, sent %zd\n", case_error_name(error), sent);
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
	case_tell_outcome(fd);
}

static void wait_epoll(uint32_t events)
{
	struct epoll_event event = { 0 };
	int fd = case_begin(), set = set_with(fd, events);

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
	int fd = case_begin(), set = set_with(fd, EPOLLOUT);

	tell_epoll(set, fd, epoll_pwait(set, &event, 1, 15000, NULL), &event, EPOLLOUT);
}

static void with_epoll_pwait2(void)
{
	struct epoll_event event = { 0 };
	int fd = case_begin(), set = set_with(fd, EPOLLOUT);

	tell_epoll(set, fd, epoll_pwait2(set, &event, 1, &case_patience, NULL), &event, EPOLLOUT);
}

/* The program changes its registration while the connect is being retried. */
static void changed(void)
{
	struct epoll_event event = { .events = EPOLLOUT | EPOLLET, .data.u64 = DATA };
	int fd = case_begin(), set = set_with(fd, EPOLLIN), ready;

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
	fd = case_begin();
	epoll_ctl(set, EPOLL_CTL_ADD, fd, &event);
	sem_wait(&told);
	sem_getvalue(&told, &waiting);
	printf("1 told, %d more\n", waiting);
	epoll_ctl(set, EPOLL_CTL_MOD, fd, &event);
	sem_wait(&told);
	for (int i = 0; i < 2; i++)
		pthread_join(thread[i], NULL);
	case_tell_outcome(fd);
}

static void *alone(void *first)
{
	pthread_join(*(pthread_t *)first, NULL);
	pthread_setname_np(pthread_self(), "another");
	level();
	exit(fflush(stdout) == 0 ? 0 : 2);
}

/* The first thread of the process has ended before the connect begins. */
static void left_alone(void)
{
	static pthread_t first;
	pthread_t second;

	first = pthread_self();
	pthread_create(&second, NULL, alone, &first);
	pthread_exit(NULL);
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
	struct pollfd fds = case_polled(POLLOUT);
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

static void invalid_timeouts(void)
{
	static const struct timespec invalid[] = { { .tv_sec = -1 },
						   { .tv_nsec = -1 },
						   { .tv_nsec = 1000000000 } };
	struct timeval interval = { .tv_sec = -1 };
	struct pollfd fds = case_polled(POLLIN);
	struct epoll_event event;
	int set = set_with(fds.fd, EPOLLIN);
	fd_set to_read;

	(void)poll(&fds, 1, 20);
	for (int i = 0; i < 3; i++) {
		printf("%d ", ppoll(&fds, 1, &invalid[i], NULL));
		printf("%s, ", case_error_name(errno));
		FD_ZERO(&to_read);
		FD_SET(fds.fd, &to_read);
		printf("%d ", pselect(fds.fd + 1, &to_read, NULL, NULL, &invalid[i], NULL));
		printf("%s, ", case_error_name(errno));
		printf("%d ", epoll_pwait2(set, &event, 1, &invalid[i], NULL));
		printf("%s\n", case_error_name(errno));
	}
	printf("%d ", select(fds.fd + 1, &to_read, NULL, NULL, &interval));
	printf("%s, %s\n", case_error_name(errno), FD_ISSET(fds.fd, &to_read) ? "kept" : "lost");
}

static const struct {
	const char *name;
	void (*run)(void);
} cases[] = {
	{ "poll", pending_poll },
	{ "poll-for-all", pending_poll_for_all },
	{ "ppoll", pending_ppoll },
	{ "poll-chk", pending_poll_chk },
	{ "ppoll-chk", pending_ppoll_chk },
	{ "poll-among", pending_poll_among },
	{ "many", pending_many },
	{ "select", pending_select },
	{ "select-large", pending_select_large },
	{ "pselect", pending_pselect },
	{ "errno", pending_errno },
	{ "level", level },
	{ "edge", edge },
	{ "one-shot", one_shot },
	{ "epoll-pwait", with_epoll_pwait },
	{ "epoll-pwait2", with_epoll_pwait2 },
	{ "changed", changed },
	{ "threads", threads },
	{ "left-alone", left_alone },
	{ "ask-error", pending_ask_error },
	{ "ask-late", pending_ask_late },
	{ "ask-connect", pending_ask_connect },
	{ "told-by-connect", pending_told_by_connect },
	{ "tried-anew", pending_tried_anew },
	{ "told-by-read", pending_told_by_read },
	{ "told-by-recv", pending_told_by_recv },
	{ "told-late", pending_told_late },
	{ "told-by-write", pending_told_by_write },
	{ "told-by-send", pending_told_by_send },
	{ "bound", pending_bound },
	{ "forked-at-once", pending_forked_at_once },
	{ "options", pending_options },
	{ "defaults", pending_defaults },
	{ "forked", pending_forked },
	{ "forked-both", pending_forked_both },
	{ "forked-aside", pending_forked_aside },
	{ "reused", pending_reused },
	{ "bad-pointers", pending_bad_pointers },
	{ "reused-unseen", pending_reused_unseen },
	{ "reused-at-once", pending_reused_at_once },
	{ "given-up", pending_given_up },
	{ "in-a-set", pending_in_a_set },
	{ "in-a-poll", pending_in_a_poll },
	{ "in-a-select", pending_in_a_select },
	{ "sandboxed", pending_sandboxed },
	{ "signalled", pending_signalled },
	{ "shut-down", pending_shut_down },
	{ "vfork-closes", pending_vfork_closes },
	{ "vfork-replaces", pending_vfork_replaces },
	{ "fork-closes", pending_fork_closes },
	{ "dup-fails", pending_dup_fails },
	{ "namesakes", pending_namesakes },
	{ "number-twice", pending_number_twice },
	{ "set-by-set", pending_set_by_set },
	{ "reported-before", pending_reported_before },
	{ "elsewhere", pending_elsewhere },
	{ "unread", pending_unread },
	{ "unread-later", pending_unread_later },
	{ "many-in-a-set", pending_many_in_a_set },
	{ "timeouts", timeouts },
	{ "invalid-timeouts", invalid_timeouts },
	{ "interrupted", pending_interrupted },
	{ "interrupted-asking", pending_interrupted_asking },
	{ "longjmp-out", pending_longjmp_out },
	{ "cancelled", pending_cancelled },
	{ "cancelled-at-work", pending_cancelled_at_work },
	{ "cancelled-before", pending_cancelled_before },
};

int main(int argc, char **argv)
{
	if (argc < 3)
		return 2;
	case_target.sin_family = AF_INET;
	case_target.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	case_target.sin_port = htons((uint16_t)strtoul(argv[2], NULL, 10));
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (strcmp(argv[1], cases[i].name) != 0)
			continue;
		cases[i].run();
		return fflush(stdout) == 0 ? 0 : 2;
	}
	return 2;
}
