/*
 * Reading requests.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "server_parts.h"

/* Receive some more bytes; false at the end of the connection. */
static bool fill(struct connection *connection)
{
	ssize_t got;

	if (connection->size - connection->len < 65536) {
		connection->size = connection->size * 2 + 65536;
		connection->data = realloc(connection->data, connection->size);
		if (!connection->data)
			server_die("memory");
	}
	if (!connection_wait(connection, POLLIN, -1))
		return false;
	got = recv(connection->fd, connection->data + connection->len,
		   connection->size - connection->len, MSG_DONTWAIT);
	if (got <= 0)
		return false;
	connection->len += (size_t)got;
	return true;
}

static void drop(struct connection *connection, size_t count)
{
	connection->len -= count;
	memmove(connection->data, connection->data + count, connection->len);
}

/* Make sure that a line lies in the buffer; its length with the newline, or 0 at the end. */
static size_t line_length(struct connection *connection)
{
	size_t seen = 0;

	for (;;) {
		const char *end = NULL;

		if (connection->len > seen)
			end = memchr(connection->data + seen, '\n', connection->len - seen);
		if (end)
			return (size_t)(end - connection->data) + 1;
		seen = connection->len;
		if (!fill(connection))
			return 0;
	}
}

static bool is_blank_line(const char *line, size_t len)
{
	return len == 1 || (len == 2 && line[0] == '\r');
}

/* All lines up to and without the blank one; false at the end of the connection. */
static bool read_lines(struct connection *connection, struct bytes *lines)
{
	for (;;) {
		size_t len = line_length(connection);
		bool blank;

		if (len == 0)
			return false;
		blank = is_blank_line(connection->data, len);
		bytes_add(lines, connection->data, blank ? 0 : len);
		drop(connection, len);
		if (blank)
			return true;
	}
}

bool request_read_header(struct connection *connection, struct request *request)
{
	struct bytes lines = { 0 };
	char *target_end, *target, *rest;
	bool whole = read_lines(connection, &lines);

	rest = whole ? strchr(lines.at, '\n') : NULL;
	target = rest ? strchr(lines.at, ' ') : NULL;
	target_end = target ? strchr(target + 1, ' ') : NULL;
	if (!target_end || target_end > rest) {
		free(lines.at);
		return false;
	}
	*target = *target_end = '\0';
	request->time_ns = server_now_ns();
	request->connection = connection->number;
	(void)snprintf(request->method, sizeof(request->method), "%s", lines.at);
	request->target = strdup(target + 1);
	request->headers = strdup(rest + 1);
	request->body = calloc(1, 1);
	if (!request->target || !request->headers || !request->body)
		server_die("memory");
	free(lines.at);
	return true;
}

int request_header(const struct request *request, const char *name, char *value, size_t size)
{
	const char *line = request->headers;
	size_t name_len = strlen(name);
	int found = 0;

	if (size > 0)
		value[0] = '\0';
	while (*line) {
		const char *end = strchr(line, '\n');
		size_t len = end ? (size_t)(end - line) : strlen(line);

		if (len > name_len && line[name_len] == ':' &&
		    strncasecmp(line, name, name_len) == 0 && found++ == 0 && size > 0) {
			size_t skip = name_len + 1;

			skip += strspn(line + skip, " \t");
			len -= len > skip && line[len - 1] == '\r';
			(void)snprintf(value, size, "%.*s", (int)(len - skip), line + skip);
		}
		line += end ? (size_t)(end - line) + 1 : len;
	}
	return found;
}

/* Move `count` bytes of the stream into `body`; false when the client broke off before. */
static bool take(struct connection *connection, struct bytes *body, size_t count)
{
	while (count > 0) {
		size_t part;

		if (connection->len == 0 && !fill(connection))
			return false;
		part = connection->len < count ? connection->len : count;
		bytes_add(body, connection->data, part);
		drop(connection, part);
		count -= part;
	}
	return true;
}

static bool take_chunks(struct connection *connection, struct bytes *body)
{
	struct bytes trailers = { 0 };
	bool whole;

	for (;;) {
		size_t len = line_length(connection);
		size_t chunk;

		if (len == 0)
			return false;
		chunk = strtoul(connection->data, NULL, 16);
		drop(connection, len);
		if (chunk == 0)
			break;
		if (!take(connection, body, chunk) || line_length(connection) == 0)
			return false;
		drop(connection, line_length(connection));
	}
	whole = read_lines(connection, &trailers);
	free(trailers.at);
	return whole;
}

void request_read_body(struct connection *connection, struct request *request)
{
	static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
	struct bytes body = { 0 };
	char value[64];

	if (request_header(request, "Expect", value, sizeof(value)) > 0)
		(void)send(connection->fd, go_on, sizeof(go_on) - 1, MSG_NOSIGNAL);
	request->body_whole = true;
	if (request_header(request, "Transfer-Encoding", value, sizeof(value)) > 0)
		request->body_whole = take_chunks(connection, &body);
	else if (request_header(request, "Content-Length", value, sizeof(value)) > 0)
		request->body_whole = take(connection, &body, strtoul(value, NULL, 10));
	if (body.at) {
		free(request->body);
		request->body = body.at;
		request->body_len = body.len;
	}
}

void request_free(struct request *request)
{
	free(request->target);
	free(request->headers);
	free(request->body);
	free(request);
}
