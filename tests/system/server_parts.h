/*
 * What the files of the misbehaving server share.
 */
#ifndef TESTS_SERVER_PARTS_H
#define TESTS_SERVER_PARTS_H

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "server.h"

struct server {
	struct server_options options;
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
	struct reply *script;
	int *used; /* per reply */
	size_t script_len;

	int listener;
	int stop_fd; /* readable for ever once the server stops */
	uint16_t port;
	pthread_t acceptor;

	pthread_mutex_t lock; /* over everything below, and `used` */
	pthread_cond_t changed;
	bool stopping, opened, gate_open;
	struct connection *connections;
	int connection_count;
	struct request **requests;
	const struct request **snapshot;
	size_t request_count;
};

struct connection {
	struct server *server;
	struct connection *next;
	pthread_t thread;
	int fd, number;
	atomic_bool over; /* its thread needs nothing any more */
	/* Bytes received and not yet used: data[0..len) */
	char *data;
	size_t len, size;
};

/* A piece of memory that grows. */
struct bytes {
	char *at;
	size_t len, size;
};

void bytes_add(struct bytes *bytes, const void *data, size_t len);
void bytes_format(struct bytes *bytes, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

_Noreturn void server_die(const char *what);
int64_t server_now_ns(void);

/* Wait for `events` on the connection, timeout_ms at most (-1: no limit). False: it is time to
 * stop, or the time is over. */
bool connection_wait(struct connection *connection, short events, int timeout_ms);

/* server_request.c: read the next request's header; false at the connection's end. */
bool request_read_header(struct connection *connection, struct request *request);
/* Read the body that the header announces, asking for it where the client waits for that. */
void request_read_body(struct connection *connection, struct request *request);
void request_free(struct request *request);

/* server_reply.c: answer. False when the connection is over. */
bool reply_send(struct connection *connection, const struct reply *reply,
		const struct request *request);

#endif
