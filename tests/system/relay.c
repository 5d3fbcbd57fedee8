#include "relay.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "random_plan.h"
#include "server_parts.h"

struct relayed {
	struct relay *relay;
	struct relayed *next;
	pthread_t thread;
	int client, server;
	size_t left; /* bytes of the answer that still pass; SIZE_MAX: all */
	bool resets;
};

struct relay {
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
	uint64_t seed;
	size_t most;
	int listener, stop_fd;
	uint16_t port;
	pthread_t acceptor;
	struct relayed *connections; /* the acceptor's until it has ended */
	atomic_int cuts;
};

static bool pass_all(int to, const char *bytes, size_t len)
{
	while (len > 0) {
		ssize_t sent = send(to, bytes, len, MSG_NOSIGNAL);

		if (sent <= 0)
			return false;
		bytes += sent;
		len -= (size_t)sent;
	}
	return true;
}

/* Move what is there from one side to the other; false at the end. */
static bool pass(struct relayed *r, int from, int to)
{
	char bytes[16384];
	ssize_t got = recv(from, bytes, sizeof(bytes), 0);

	if (got <= 0)
		return false;
	if (from == r->client || r->left == SIZE_MAX)
		return pass_all(to, bytes, (size_t)got);
	if (!pass_all(to, bytes, (size_t)got < r->left ? (size_t)got : r->left))
		return false;
	if ((size_t)got >= r->left) {
		atomic_fetch_add(&r->relay->cuts, 1);
		return false;
	}
	r->left -= (size_t)got;
	return true;
}

/* What is on its way to the client still arrives, unless the connection is reset. */
static void cut(struct relayed *r)
{
	struct linger at_once = { .l_onoff = 1 };

	if (r->resets && r->left != SIZE_MAX)
		(void)setsockopt(r->client, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	(void)close(r->client);
	(void)close(r->server);
}

static void *run(void *arg)
{
	struct relayed *r = arg;
	struct pollfd fds[3] = { { .fd = r->client, .events = POLLIN },
				 { .fd = r->server, .events = POLLIN },
				 { .fd = r->relay->stop_fd, .events = POLLIN } };
	bool goes_on = true;

	while (goes_on && poll(fds, 3, -1) > 0 && !fds[2].revents) {
		if (fds[0].revents)
			goes_on = pass(r, r->client, r->server);
		if (goes_on && fds[1].revents)
			goes_on = pass(r, r->server, r->client);
	}
	cut(r);
	return NULL;
}

static void take(struct relay *relay, int client, uint64_t number)
{
	struct relayed *r = calloc(1, sizeof(*r));
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	uint64_t state = plan_state(relay->seed, number);

	if (!r)
		server_die("memory");
	memcpy(to.sun_path, relay->path, sizeof(to.sun_path));
	r->relay = relay;
	r->client = client;
	r->left = number % 3 == 2 ? SIZE_MAX : plan_random(&state) % (relay->most + 1);
	r->resets = plan_random(&state) % 2;
	r->server = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (r->server < 0 || connect(r->server, (const struct sockaddr *)&to, sizeof(to)) < 0)
		server_die(relay->path);
	r->next = relay->connections;
	relay->connections = r;
	if (pthread_create(&r->thread, NULL, run, r) != 0)
		server_die("thread");
}

static void *accept_all(void *arg)
{
	struct relay *relay = arg;
	struct pollfd fds[2] = { { .fd = relay->listener, .events = POLLIN },
				 { .fd = relay->stop_fd, .events = POLLIN } };
	uint64_t number = 0;

	while (poll(fds, 2, -1) > 0 && !fds[1].revents) {
		int client = accept4(relay->listener, NULL, NULL, SOCK_CLOEXEC);

		if (client >= 0)
			take(relay, client, number++);
	}
	return NULL;
}

struct relay *relay_start(const char *socket_path, uint64_t seed, size_t most)
{
	struct relay *relay = calloc(1, sizeof(*relay));
	struct sockaddr_in here = { .sin_family = AF_INET,
				    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(here);

	if (!relay || strlen(socket_path) >= sizeof(relay->path))
		server_die("relay");
	memcpy(relay->path, socket_path, strlen(socket_path));
	relay->seed = seed;
	relay->most = most;
	relay->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	relay->stop_fd = eventfd(0, EFD_CLOEXEC);
	if (relay->listener < 0 || relay->stop_fd < 0 ||
	    bind(relay->listener, (const struct sockaddr *)&here, sizeof(here)) < 0 ||
	    getsockname(relay->listener, (struct sockaddr *)&here, &len) < 0 ||
	    listen(relay->listener, 64) < 0)
		server_die("relay");
	relay->port = ntohs(here.sin_port);
	if (pthread_create(&relay->acceptor, NULL, accept_all, relay) != 0)
		server_die("thread");
	return relay;
}

uint16_t relay_port(const struct relay *relay)
{
	return relay->port;
}

int relay_cuts(struct relay *relay)
{
	return relay->cuts;
}

void relay_stop(struct relay *relay)
{
	uint64_t one = 1;

	if (write(relay->stop_fd, &one, sizeof(one)) != (ssize_t)sizeof(one))
		server_die("eventfd");
	(void)pthread_join(relay->acceptor, NULL);
	while (relay->connections) {
		struct relayed *r = relay->connections;

		(void)pthread_join(r->thread, NULL);
		relay->connections = r->next;
		free(r);
	}
	(void)close(relay->listener);
	(void)close(relay->stop_fd);
	free(relay);
}
