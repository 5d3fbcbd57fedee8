/*
 * Answering: an answer is composed whole, then sent up to where the script lets it break.
 */
#include <errno.h>
#include <linux/sockios.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "server_parts.h"

#define DEFAULT_PIECE 1024
#define DRAIN_MS      2000

/* The bytes of an answer and the places in them that a script can name. */
struct answer {
	struct bytes wire;
	size_t header_len;
	size_t break_at; /* wire offset where the ending happens */
};

static size_t or_length_of(const void *data, size_t len)
{
	return data && len == 0 ? strlen(data) : len;
}

static size_t piece_of(const struct reply *reply)
{
	return reply->piece > 0 ? reply->piece : DEFAULT_PIECE;
}

static const char *reason_of(int status)
{
	static const struct {
		int status;
		const char *reason;
	} known[] = {
		{ 200, "OK" },
		{ 206, "Partial Content" },
		{ 404, "Not Found" },
		{ 429, "Too Many Requests" },
		{ 500, "Internal Server Error" },
		{ 503, "Service Unavailable" },
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (known[i].status == status)
			return known[i].reason;
	}
	return "Scripted";
}

static bool is_bodyless(int status)
{
	return status == 204 || status == 304;
}

static void add_header(struct bytes *wire, const struct reply *reply, size_t body_len)
{
	int status = reply->status ? reply->status : 200;

	bytes_format(wire, "HTTP/1.1 %d %s\r\n", status, reason_of(status));
	if (reply->framing == REPLY_CHUNKED)
		bytes_format(wire, "Transfer-Encoding: chunked\r\n");
	else if (reply->framing == REPLY_LENGTH && !is_bodyless(status))
		bytes_format(wire, "Content-Length: %zu\r\n", body_len);
	if (reply->gzip)
		bytes_format(wire, "Content-Encoding: gzip\r\n");
	if (reply->hang_up || reply->early || reply->framing == REPLY_CLOSE)
		bytes_format(wire, "Connection: close\r\n");
	bytes_format(wire, "%s\r\n", reply->headers ? reply->headers : "");
}

/* The body in chunks. A chunk ends where the answer is to break, so that the break is exact. */
static void add_chunks(struct answer *answer, const struct reply *reply, const char *body,
		       size_t len)
{
	bool breaks = reply->ending != REPLY_WHOLE && reply->part == REPLY_BODY;
	size_t done = 0;

	while (done < len) {
		size_t part = len - done < piece_of(reply) ? len - done : piece_of(reply);

		if (breaks && done < reply->after && done + part > reply->after)
			part = reply->after - done;
		bytes_format(&answer->wire, "%zx\r\n", part);
		bytes_add(&answer->wire, body + done, part);
		done += part;
		if (breaks && done <= reply->after)
			answer->break_at = answer->wire.len;
		bytes_add(&answer->wire, "\r\n", 2);
	}
	bytes_format(&answer->wire, "0\r\n%s\r\n", reply->trailers ? reply->trailers : "");
}

static size_t break_offset(const struct answer *answer, const struct reply *reply)
{
	size_t at = 0;

	if (reply->ending == REPLY_WHOLE)
		return answer->wire.len;
	if (reply->part == REPLY_HEADER)
		at = reply->after;
	else if (reply->part == REPLY_BODY && reply->framing == REPLY_CHUNKED && !reply->raw)
		at = answer->break_at > 0 && reply->after > 0 ? answer->break_at
							      : answer->header_len;
	else if (reply->part == REPLY_BODY)
		at = answer->header_len + reply->after;
	return at < answer->wire.len ? at : answer->wire.len;
}

static void compose_raw(struct answer *answer, const struct reply *reply)
{
	size_t len = or_length_of(reply->raw, reply->raw_len);
	const char *blank = memmem(reply->raw, len, "\r\n\r\n", 4);

	bytes_add(&answer->wire, reply->raw, len);
	answer->header_len = blank ? (size_t)(blank - (const char *)reply->raw) + 4 : len;
}

static void compose(struct answer *answer, const struct reply *reply, const struct request *request)
{
	size_t len = or_length_of(reply->body, reply->body_len);
	const char *body = reply->body;
	void *coded = NULL;

	if (reply->gzip)
		body = coded = server_gzip(reply->body, len, &len);
	add_header(&answer->wire, reply, len);
	answer->header_len = answer->wire.len;
	if (strcmp(request->method, "HEAD") != 0 && !is_bodyless(reply->status)) {
		if (reply->framing == REPLY_CHUNKED)
			add_chunks(answer, reply, body, len);
		else
			bytes_add(&answer->wire, body, len);
	}
	free(coded);
}

/* Send wire[from..to); false when the client is gone or the server stops. */
static bool send_bytes(struct connection *connection, const char *wire, size_t from, size_t to)
{
	while (from < to) {
		ssize_t sent =
			send(connection->fd, wire + from, to - from, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (sent > 0)
			from += (size_t)sent;
		else if (errno != EAGAIN || !connection_wait(connection, POLLOUT, -1))
			return false;
	}
	return true;
}

static bool send_paced(struct connection *connection, const struct reply *reply,
		       const struct answer *answer, size_t from, size_t to)
{
	size_t piece = piece_of(reply);

	if (reply->pace_ms == 0)
		return send_bytes(connection, answer->wire.at, from, to);
	while (from < to) {
		size_t end = to - from < piece ? to : from + piece;

		if (!send_bytes(connection, answer->wire.at, from, end))
			return false;
		(void)connection_wait(connection, 0, reply->pace_ms);
		from = end;
	}
	return true;
}

/* An RST overtakes and destroys what is still queued: let the client's kernel have it first. */
static void reset(struct connection *connection)
{
	struct linger at_once = { .l_onoff = 1 };
	int queued = 1;

	for (int i = 0; i < DRAIN_MS && queued > 0; i++) {
		if (ioctl(connection->fd, SIOCOUTQ, &queued) < 0 || queued == 0)
			break;
		(void)connection_wait(connection, 0, 1);
	}
	(void)setsockopt(connection->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
}

/* Say that no more comes, then read what the client still sends: closing on unread bytes would
 * turn an orderly end into a reset. */
static void close_in_order(struct connection *connection)
{
	char sink[65536];

	(void)shutdown(connection->fd, SHUT_WR);
	while (connection_wait(connection, POLLIN, DRAIN_MS) &&
	       recv(connection->fd, sink, sizeof(sink), MSG_DONTWAIT) > 0)
		continue;
}

static void stay_silent(struct connection *connection)
{
	char sink[65536];

	while (connection_wait(connection, POLLIN, -1) &&
	       recv(connection->fd, sink, sizeof(sink), MSG_DONTWAIT) > 0)
		continue;
}

static void wait_for_gate(struct server *server)
{
	(void)pthread_mutex_lock(&server->lock);
	while (!server->gate_open && !server->stopping)
		(void)pthread_cond_wait(&server->changed, &server->lock);
	(void)pthread_mutex_unlock(&server->lock);
}

/* What happens at the break. True: the connection goes on. */
static bool end(struct connection *connection, const struct reply *reply,
		const struct answer *answer)
{
	switch (reply->ending) {
	case REPLY_WHOLE:
		break;
	case REPLY_GATED:
		wait_for_gate(connection->server);
		if (!send_paced(connection, reply, answer, answer->break_at, answer->wire.len))
			return false;
		break;
	case REPLY_RESET:
		reset(connection);
		return false;
	case REPLY_SILENT:
		stay_silent(connection);
		return false;
	case REPLY_CUT:
		close_in_order(connection);
		return false;
	}
	if (reply->hang_up || reply->early || reply->framing == REPLY_CLOSE) {
		close_in_order(connection);
		return false;
	}
	return true;
}

bool reply_send(struct connection *connection, const struct reply *reply,
		const struct request *request)
{
	struct answer answer = { 0 };
	bool goes_on;

	if (reply->raw)
		compose_raw(&answer, reply);
	else
		compose(&answer, reply, request);
	answer.break_at = break_offset(&answer, reply);
	if (reply->delay_ms > 0)
		(void)connection_wait(connection, 0, reply->delay_ms);
	goes_on = send_paced(connection, reply, &answer, 0, answer.break_at) &&
		  end(connection, reply, &answer);
	free(answer.wire.at);
	return goes_on;
}
