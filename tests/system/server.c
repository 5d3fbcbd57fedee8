/*
 * The server's life: its socket, its threads, its script, its record of requests.
 */
#include "server.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "server_parts.h"

#define BACKLOG 128

_Noreturn void server_die(const char *what)
{
	(void)fprintf(stderr, "test server: %s: %s\n", what, strerror(errno));
	exit(1);
}

int64_t server_now_ns(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* Wait for `events` on fd; false when the server stops first or the time is over. */
static bool wait_for(struct server *server, int fd, short events, int timeout_ms)
{
	struct pollfd fds[2] = {
		{ .fd = server->stop_fd, .events = POLLIN },
		{ .fd = events ? fd : -1, .events = events },
	};
	int ready;

	do
		ready = poll(fds, 2, timeout_ms);
	while (ready < 0 && errno == EINTR);
	return ready > 0 && fds[0].revents == 0;
}

bool connection_wait(struct connection *connection, short events, int timeout_ms)
{
	return wait_for(connection->server, connection->fd, events, timeout_ms);
}

static bool path_fits(const char *path, const char *target)
{
	size_t len = strlen(path);

	return strncmp(path, target, len) == 0 && (target[len] == '\0' || target[len] == '?');
}

/* The reply for a request: the first fitting one with uses left, else the last fitting one. */
static int choose_reply(struct server *server, const struct request *request)
{
	int last = -1;

	for (size_t i = 0; i < server->script_len; i++) {
		const struct reply *reply = &server->script[i];

		if (reply->path && !path_fits(reply->path, request->target))
			continue;
		last = (int)i;
		if (server->used[i] < (reply->times > 0 ? reply->times : 1))
			break;
	}
	if (last >= 0)
		server->used[last]++;
	return last;
}

/* Add to the record. The server owns the request from now on. */
static void record(struct server *server, struct request *request)
{
	struct request **grown;

	(void)pthread_mutex_lock(&server->lock);
	grown = realloc(server->requests, (server->request_count + 1) * sizeof(struct request *));
	if (!grown)
		server_die("memory");
	server->requests = grown;
	grown[server->request_count++] = request;
	(void)pthread_cond_broadcast(&server->changed);
	(void)pthread_mutex_unlock(&server->lock);
}

static int reply_status(const struct reply *reply)
{
	bool nothing_sent = reply->ending != REPLY_WHOLE && reply->ending != REPLY_GATED &&
			    reply->part == REPLY_START;

	if (reply->raw || nothing_sent)
		return 0;
	return reply->status > 0 ? reply->status : 200;
}

/* `decided` and `room` are for what no script holds. */
static const struct reply *reply_for(struct server *server, struct request *request,
				     struct reply *decided, char *room)
{
	static const struct reply unfit = { .status = 404, .body = "no reply in the script\n" };

	request->reply = -1;
	if (server->options.decide) {
		server->options.decide(request, decided, room, server->options.decide_arg);
		return decided;
	}
	(void)pthread_mutex_lock(&server->lock);
	request->reply = choose_reply(server, request);
	(void)pthread_mutex_unlock(&server->lock);
	return request->reply < 0 ? &unfit : &server->script[request->reply];
}

/* Read one request and answer it; false when the connection is over. */
static bool serve_one(struct connection *connection)
{
	struct server *server = connection->server;
	struct request *request = calloc(1, sizeof(*request));
	struct reply decided = { 0 };
	char room[DECIDE_ROOM];
	const struct reply *reply;
	bool goes_on;

	if (!request)
		server_die("memory");
	if (!request_read_header(connection, request)) {
		free(request);
		return false;
	}
	reply = reply_for(server, request, &decided, room);
	request->status = reply_status(reply);
	if (!reply->early)
		request_read_body(connection, request);
	if (!server->options.arrived)
		record(server, request);
	else
		server->options.arrived(request, server->options.arrived_arg);
	goes_on = reply_send(connection, reply, request);
	if (server->options.arrived)
		request_free(request);
	return goes_on;
}

static void *serve(void *arg)
{
	struct connection *connection = arg;

	while (serve_one(connection))
		continue;
	(void)close(connection->fd);
	free(connection->data);
	connection->data = NULL;
	atomic_store(&connection->over, true);
	return NULL;
}

/* Connections that are over: their threads would stay. */
static void reap(struct server *server)
{
	struct connection **at = &server->connections;

	while (*at) {
		struct connection *connection = *at;

		if (!atomic_load(&connection->over)) {
			at = &connection->next;
			continue;
		}
		(void)pthread_join(connection->thread, NULL);
		*at = connection->next;
		free(connection);
	}
}

static void take_connection(struct server *server, int fd)
{
	struct connection *connection = calloc(1, sizeof(*connection));
	int on = 1;

	if (!connection)
		server_die("memory");
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	connection->server = server;
	connection->fd = fd;
	(void)pthread_mutex_lock(&server->lock);
	reap(server);
	connection->number = ++server->connection_count;
	connection->next = server->connections;
	server->connections = connection;
	(void)pthread_mutex_unlock(&server->lock);
	if (pthread_create(&connection->thread, NULL, serve, connection) != 0)
		server_die("thread");
}

/* Until the server is to open. False: it stops before. */
static bool wait_for_opening(struct server *server)
{
	bool stopping;

	if (server->options.opening == SERVER_LATE) {
		(void)wait_for(server, -1, 0, server->options.open_after_ms);
		server_open(server);
	}
	(void)pthread_mutex_lock(&server->lock);
	while (!server->opened && !server->stopping)
		(void)pthread_cond_wait(&server->changed, &server->lock);
	stopping = server->stopping;
	(void)pthread_mutex_unlock(&server->lock);
	return !stopping;
}

static void *accept_all(void *arg)
{
	struct server *server = arg;

	if (!wait_for_opening(server))
		return NULL;
	while (wait_for(server, server->listener, POLLIN, -1)) {
		int fd = accept4(server->listener, NULL, NULL, SOCK_CLOEXEC);

		if (fd >= 0)
			take_connection(server, fd);
	}
	return NULL;
}

void server_open(struct server *server)
{
	(void)pthread_mutex_lock(&server->lock);
	if (!server->opened && !server->stopping && listen(server->listener, BACKLOG) < 0)
		server_die("listen");
	server->opened = true;
	(void)pthread_cond_broadcast(&server->changed);
	(void)pthread_mutex_unlock(&server->lock);
}

void server_open_gate(struct server *server)
{
	(void)pthread_mutex_lock(&server->lock);
	server->gate_open = true;
	(void)pthread_cond_broadcast(&server->changed);
	(void)pthread_mutex_unlock(&server->lock);
}

/* A bound socket that does not listen keeps its port to itself and refuses who comes. */
static void bind_socket(struct server *server)
{
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
		struct sockaddr_un un;
	} address = { .any.sa_family = AF_INET };
	socklen_t len = sizeof(address.v4);
	int on = 1;

	if (server->options.family == SERVER_UNIX) {
		address.un.sun_family = AF_UNIX;
		memcpy(address.un.sun_path, server->path, sizeof(server->path));
		len = sizeof(address.un);
	} else if (server->options.family == SERVER_IPV6) {
		address.v6.sin6_family = AF_INET6;
		address.v6.sin6_port = htons(server->options.port);
		address.v6.sin6_addr = in6addr_loopback;
		len = sizeof(address.v6);
	} else {
		address.v4.sin_port = htons(server->options.port);
		address.v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	}
	server->listener = socket(address.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (server->listener < 0)
		server_die("socket");
	(void)setsockopt(server->listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(server->listener, &address.any, len) < 0 ||
	    getsockname(server->listener, &address.any, &len) < 0)
		server_die("bind");
	if (server->options.family != SERVER_UNIX)
		server->port = ntohs(address.v4.sin_port);
}

struct server *server_start_with(const struct server_options *options, const struct reply *script,
				 size_t count)
{
	struct server *server = calloc(1, sizeof(*server));

	if (!server)
		server_die("memory");
	server->options = *options;
	(void)snprintf(server->path, sizeof(server->path), "%s",
		       options->path ? options->path : "");
	server->script = calloc(count + 1, sizeof(*script));
	server->used = calloc(count + 1, sizeof(int));
	if (!server->script || !server->used)
		server_die("memory");
	if (count > 0)
		memcpy(server->script, script, count * sizeof(*script));
	server->script_len = count;
	server->stop_fd = eventfd(0, EFD_CLOEXEC);
	if (server->stop_fd < 0)
		server_die("eventfd");
	(void)pthread_mutex_init(&server->lock, NULL);
	(void)pthread_cond_init(&server->changed, NULL);
	bind_socket(server);
	if (options->opening == SERVER_AT_ONCE)
		server_open(server);
	if (pthread_create(&server->acceptor, NULL, accept_all, server) != 0)
		server_die("thread");
	return server;
}

struct server *server_start(const struct reply *script, size_t count)
{
	return server_start_with(&(struct server_options){ 0 }, script, count);
}

struct server *server_start_refusing(void)
{
	return server_start_with(&(struct server_options){ .opening = SERVER_ON_WORD }, NULL, 0);
}

static void end_threads(struct server *server)
{
	uint64_t one = 1;

	(void)pthread_mutex_lock(&server->lock);
	server->stopping = true;
	(void)pthread_cond_broadcast(&server->changed);
	(void)pthread_mutex_unlock(&server->lock);
	if (write(server->stop_fd, &one, sizeof(one)) != (ssize_t)sizeof(one))
		server_die("eventfd");
	(void)pthread_join(server->acceptor, NULL);
	while (server->connections) {
		struct connection *connection = server->connections;

		(void)pthread_join(connection->thread, NULL);
		server->connections = connection->next;
		free(connection);
	}
}

void server_stop(struct server *server)
{
	if (!server)
		return;
	end_threads(server);
	(void)close(server->listener);
	(void)close(server->stop_fd);
	if (server->options.family == SERVER_UNIX)
		(void)unlink(server->path);
	for (size_t i = 0; i < server->request_count; i++)
		request_free(server->requests[i]);
	free(server->requests);
	free(server->snapshot);
	free(server->script);
	free(server->used);
	(void)pthread_mutex_destroy(&server->lock);
	(void)pthread_cond_destroy(&server->changed);
	free(server);
}
