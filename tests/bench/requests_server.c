#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "requests.h"

#define CHUNK 16384

static int listener = -1, peer = -1;
static size_t to_come;
static const char body[CHUNK];

int bench_listen(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(address);

	listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (listener < 0 || bind(listener, (struct sockaddr *)&address, len) != 0 ||
	    listen(listener, 8) != 0 ||
	    getsockname(listener, (struct sockaddr *)&address, &len) != 0)
		return -1;
	return ntohs(address.sin_port);
}

static void send_all(const char *bytes, size_t len)
{
	if (send(peer, bytes, len, MSG_NOSIGNAL) == (ssize_t)len)
		return;
	perror("requests: send");
	exit(1);
}

/* The newest connection, and on it nothing that was read before. */
static void turn_to_client(void)
{
	static char requests[4096];
	int newer = accept(listener, NULL, NULL);

	if (newer >= 0) {
		if (peer >= 0)
			close(peer);
		peer = newer;
	}
	while (recv(peer, requests, sizeof(requests), MSG_DONTWAIT) > 0)
		;
}

void bench_answer(size_t len)
{
	char answer[CHUNK];
	int head = snprintf(answer, sizeof(answer),
			    "HTTP/1.1 200 OK\r\nServer: bench\r\n"
			    "Date: Thu, 01 Jan 1970 00:00:00 GMT\r\n"
			    "Content-Type: application/octet-stream\r\nContent-Length: %zu\r\n"
			    "Last-Modified: Thu, 01 Jan 1970 00:00:00 GMT\r\n"
			    "Connection: keep-alive\r\nETag: \"5f2a-400\"\r\n"
			    "Accept-Ranges: bytes\r\n\r\n",
			    len);
	size_t room = sizeof(answer) - (size_t)head, first = len < room ? len : room;

	turn_to_client();
	memset(answer + head, 'x', first);
	send_all(answer, (size_t)head + first);
	to_come = len - first;
}

void bench_more(size_t len)
{
	size_t now = len < to_come ? len : to_come;

	if (now == 0)
		return;
	send_all(body, now);
	to_come -= now;
}
