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

void fill_own_listener(void)
{
	socklen_t len = sizeof(target);
	int listener = tcp_socket(0);

	target.sin_port = 0;
	if (bind(listener, (struct sockaddr *)&target, len) != 0 || listen(listener, 0) != 0 ||
	    getsockname(listener, (struct sockaddr *)&target, &len) != 0)
		abort();
	for (int i = 0; i < 4; i++)
		(void)connect_target(tcp_socket(SOCK_NONBLOCK));
}

void connect_send_timeout(void)
{
	struct timeval limit = { .tv_usec = 50000 };
	int fd = tcp_socket(0);

	fill_own_listener();
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	tell(connect_target(fd));
}

void tell_limit(int fd)
{
	struct timeval limit = { .tv_sec = -1 };
	socklen_t len = sizeof(limit);

	getsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, &len);
	puts(limit.tv_sec == 0 && limit.tv_usec == 0 ? "no limit" : "limit");
}

void connect_hanging(void)
{
	int fd = tcp_socket(0);

	fill_own_listener();
	tell(connect_target(fd));
	tell_limit(fd);
}

void connect_slow_failure(void)
{
	unsigned limit_ms = 300;
	int fd = tcp_socket(0);

	fill_own_listener();
	setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &limit_ms, sizeof(limit_ms));
	tell(connect_target(fd));
}
