/*
 * Attempts that nobody answers, and what limits them.
 */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "connect_case.h"

void case_fill_own_listener(void)
{
	socklen_t len = sizeof(case_target);
	int listener = case_socket(0);

	case_target.sin_port = 0;
	if (bind(listener, (struct sockaddr *)&case_target, len) != 0 || listen(listener, 0) != 0 ||
	    getsockname(listener, (struct sockaddr *)&case_target, &len) != 0)
		abort();
	for (int i = 0; i < 4; i++)
		(void)case_connect(case_socket(SOCK_NONBLOCK));
}

void connect_send_timeout(void)
{
	struct timeval limit = { .tv_usec = 50000 };
	int fd = case_socket(0);

	case_fill_own_listener();
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	case_tell(case_connect(fd));
}

void case_tell_limit(int fd)
{
	struct timeval limit = { .tv_sec = -1 };
	socklen_t len = sizeof(limit);

	getsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, &len);
	puts(limit.tv_sec == 0 && limit.tv_usec == 0 ? "no limit" : "limit");
}

void connect_hanging(void)
{
	int fd = case_socket(0);

	case_fill_own_listener();
	case_tell(case_connect(fd));
	case_tell_limit(fd);
}

void connect_slow_failure(void)
{
	unsigned limit_ms = 300;
	int fd = case_socket(0);

	case_fill_own_listener();
	setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &limit_ms, sizeof(limit_ms));
	case_tell(case_connect(fd));
}

/* ---- a descriptor that is another socket's in the end ---- */

static struct sockaddr_in open_port;

static void open_one(void)
{
	socklen_t len = sizeof(open_port);
	int listener = case_socket(0);

	open_port = case_target;
	open_port.sin_port = 0;
	if (bind(listener, (struct sockaddr *)&open_port, len) != 0 || listen(listener, 4) != 0 ||
	    getsockname(listener, (struct sockaddr *)&open_port, &len) != 0)
		abort();
}

static bool is_under_way(int fd)
{
	struct tcp_info info = { .tcpi_state = TCP_CLOSE };
	socklen_t len = sizeof(info);

	return getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) == 0 &&
	       info.tcpi_state == TCP_SYN_SENT;
}

static void *put_another_there(void *arg)
{
	int fd = *(int *)arg;

	while (!is_under_way(fd))
		sched_yield();
	close(fd);
	if (case_socket(0) != fd ||
	    connect(fd, (struct sockaddr *)&open_port, sizeof(open_port)) != 0)
		abort();
	return NULL;
}

static void tell_of_both(int fd)
{
	struct sockaddr_in peer = { 0 };
	socklen_t len = sizeof(peer);
	pthread_t thread;

	open_one();
	case_fill_own_listener();
	pthread_create(&thread, NULL, put_another_there, &fd);
	case_tell(case_connect(fd));
	pthread_join(thread, NULL);
	(void)getpeername(fd, (struct sockaddr *)&peer, &len);
	puts(peer.sin_port == open_port.sin_port ? "untouched" : "touched");
}

void connect_hanging_reused(void)
{
	tell_of_both(case_socket(0));
}

void connect_slow_failure_reused(void)
{
	unsigned limit_ms = 300;
	int fd = case_socket(0);

	setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &limit_ms, sizeof(limit_ms));
	tell_of_both(fd);
}
