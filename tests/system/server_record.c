/*
 * What tests ask a server.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "server_parts.h"

uint16_t server_port(const struct server *server)
{
	return server->port;
}

const char *server_url(const struct server *server, const char *path)
{
	static _Thread_local char urls[8][512];
	static _Thread_local unsigned turn;
	char *url = urls[turn++ % 8];
	const char *host = server->options.family == SERVER_IPV6 ? "[::1]" : "127.0.0.1";

	(void)snprintf(url, sizeof(urls[0]), "http://%s:%u%s", host, server->port, path);
	return url;
}

size_t server_request_count(struct server *server)
{
	size_t count;

	(void)pthread_mutex_lock(&server->lock);
	count = server->request_count;
	(void)pthread_mutex_unlock(&server->lock);
	return count;
}

const struct request *server_request(struct server *server, size_t index)
{
	const struct request *request = NULL;

	(void)pthread_mutex_lock(&server->lock);
	if (index < server->request_count)
		request = server->requests[index];
	(void)pthread_mutex_unlock(&server->lock);
	return request;
}

int server_connection_count(struct server *server)
{
	int count;

	(void)pthread_mutex_lock(&server->lock);
	count = server->connection_count;
	(void)pthread_mutex_unlock(&server->lock);
	return count;
}

const struct request *const *server_requests(struct server *server, size_t *count)
{
	(void)pthread_mutex_lock(&server->lock);
	free(server->snapshot);
	server->snapshot = calloc(server->request_count + 1, sizeof(struct request *));
	if (!server->snapshot)
		server_die("memory");
	for (size_t i = 0; i < server->request_count; i++)
		server->snapshot[i] = server->requests[i];
	*count = server->request_count;
	(void)pthread_mutex_unlock(&server->lock);
	return server->snapshot;
}

bool server_wait_requests(struct server *server, size_t count, int timeout_ms)
{
	struct timespec end;
	int64_t end_ns;
	bool arrived;
	int rc = 0;

	(void)clock_gettime(CLOCK_REALTIME, &end);
	end_ns = end.tv_nsec + (int64_t)timeout_ms * 1000000;
	end.tv_sec += end_ns / 1000000000;
	end.tv_nsec = end_ns % 1000000000;
	(void)pthread_mutex_lock(&server->lock);
	while (server->request_count < count && rc != ETIMEDOUT)
		rc = pthread_cond_timedwait(&server->changed, &server->lock, &end);
	arrived = server->request_count >= count;
	(void)pthread_mutex_unlock(&server->lock);
	return arrived;
}
