/*
 * Attempts that nobody answers, and what limits them.
 */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>

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
