#include "web_relay.h"

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "harness.h"
#include "harness_parts.h"

#define PATIENCE_MS 5000

struct web_relay {
	int listener, stop_fd;
	uint16_t port, to_port;
	pthread_t thread;
	const struct web_fault *faults;
	size_t count, done, skipped;
};

static int listen_on_loopback(uint16_t *port)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	socklen_t len = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, len) < 0 || listen(fd, 16) < 0 ||
	    getsockname(fd, (struct sockaddr *)&address, &len) < 0)
		harness_die("relay");
	*port = ntohs(address.sin_port);
	return fd;
}

uint16_t free_port(void)
{
	uint16_t port;

	(void)close(listen_on_loopback(&port));
	return port;
}

static int connect_to(uint16_t port)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(port) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		harness_die("relay to the server");
	return fd;
}

/* Which of the two can be read; -1: it is time to end. */
static int wait_either(const struct web_relay *relay, int a, int b)
{
	struct pollfd fds[] = { { relay->stop_fd, POLLIN, 0 }, { a, POLLIN, 0 }, { b, POLLIN, 0 } };

	if (poll(fds, 3, PATIENCE_MS) <= 0 || fds[0].revents)
		return -1;
	return fds[1].revents ? a : b;
}

/* The request's header, as far as one read brings it: more than the first line, from a client on
 * the same machine. */
static size_t read_request(const struct web_relay *relay, int client, char *text, size_t size)
{
	ssize_t got =
		wait_either(relay, client, -1) == client ? recv(client, text, size - 1, 0) : 0;

	text[got > 0 ? got : 0] = '\0';
	return got > 0 ? (size_t)got : 0;
}

static const struct web_fault *choose_fault(struct web_relay *relay, const char *request)
{
	const struct web_fault *fault = relay->faults + relay->done;
	const char *end = strchr(request, '\n'), *found;

	if (relay->done == relay->count)
		return NULL;
	found = strstr(request, fault->where);
	if (!found || !end || found > end || relay->skipped++ < fault->skip)
		return NULL;
	relay->skipped = 0;
	relay->done++;
	return fault;
}

/* Until the client goes, so that unread bytes do not reset the connection. */
static void drain(const struct web_relay *relay, int client)
{
	char sink[4096];

	(void)shutdown(client, SHUT_WR);
	while (wait_either(relay, client, -1) == client && recv(client, sink, sizeof(sink), 0) > 0)
		continue;
}

static bool send_all(int fd, const char *bytes, size_t len)
{
	while (len > 0) {
		ssize_t sent = send(fd, bytes, len, MSG_NOSIGNAL);

		if (sent <= 0)
			return false;
		bytes += sent;
		len -= (size_t)sent;
	}
	return true;
}

/* Both ways, until `left` bytes have come from the server, or either is done. */
static void pump(const struct web_relay *relay, int client, int server, size_t left)
{
	char bytes[16384];

	while (left > 0) {
		int from = wait_either(relay, server, client);
		size_t size = from == server && left < sizeof(bytes) ? left : sizeof(bytes);
		ssize_t got = from < 0 ? 0 : recv(from, bytes, size, 0);

		if (got <= 0 || !send_all(from == server ? client : server, bytes, (size_t)got))
			return;
		if (from == server)
			left -= (size_t)got;
	}
}

static void reset(int client)
{
	const struct linger none = { .l_onoff = 1, .l_linger = 0 };

	(void)setsockopt(client, SOL_SOCKET, SO_LINGER, &none, sizeof(none));
}

static void serve(struct web_relay *relay, int client)
{
	static const char busy[] = "HTTP/1.1 503 Busy\r\nContent-Length: 5\r\n"
				   "Connection: close\r\n\r\nbusy\n";
	char request[16384];
	size_t len = read_request(relay, client, request, sizeof(request));
	const struct web_fault *fault = len > 0 ? choose_fault(relay, request) : NULL;
	int server;

	if (len == 0)
		return;
	if (fault && fault->how == WEB_RESET) {
		reset(client);
		return;
	}
	if (fault && fault->how == WEB_BUSY) {
		(void)send_all(client, busy, sizeof(busy) - 1);
		drain(relay, client);
		return;
	}
	server = connect_to(relay->to_port);
	if (send_all(server, request, len))
		pump(relay, client, server, fault ? fault->after : SIZE_MAX);
	(void)close(server);
	if (fault)
		drain(relay, client);
}

static void *run(void *arg)
{
	struct web_relay *relay = arg;

	for (;;) {
		struct pollfd fds[] = { { relay->stop_fd, POLLIN, 0 },
					{ relay->listener, POLLIN, 0 } };
		int client;

		if (poll(fds, 2, -1) < 0 || fds[0].revents)
			return NULL;
		client = accept4(relay->listener, NULL, NULL, SOCK_CLOEXEC);
		if (client < 0)
			continue;
		serve(relay, client);
		(void)close(client);
	}
}

struct web_relay *web_relay_start(uint16_t to_port, const struct web_fault *faults, size_t count)
{
	struct web_relay *relay = harness_zeroed(sizeof(*relay));

	relay->listener = listen_on_loopback(&relay->port);
	relay->stop_fd = eventfd(0, EFD_CLOEXEC);
	relay->to_port = to_port;
	relay->faults = faults;
	relay->count = count;
	if (relay->stop_fd < 0 || pthread_create(&relay->thread, NULL, run, relay) != 0)
		harness_die("relay");
	return relay;
}

uint16_t web_relay_port(const struct web_relay *relay)
{
	return relay->port;
}

size_t web_relay_stop(struct web_relay *relay)
{
	size_t done;

	(void)eventfd_write(relay->stop_fd, 1);
	(void)pthread_join(relay->thread, NULL);
	(void)close(relay->stop_fd);
	(void)close(relay->listener);
	done = relay->done;
	free(relay);
	return done;
}
