/*
 * An HTTP/1.1 server on loopback that misbehaves as told.
 *
 * It lives in threads of the calling process: one that accepts, one per connection. Nothing here
 * returns an error: a server that cannot be had ends the process with a message, since no test
 * can go on without it.
 *
 * A script is a list of replies. Each request takes the first reply that it fits (path) and that
 * is not used up (times); when all fitting ones are used up, the last fitting one repeats. A
 * request that no reply fits gets a 404 with the body "no reply in the script\n".
 */
#ifndef TESTS_SERVER_H
#define TESTS_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum reply_framing {
	REPLY_LENGTH,  /* Content-Length */
	REPLY_CHUNKED, /* chunks of `piece` bytes, then `trailers` */
	REPLY_CLOSE,   /* neither: the end of the connection is the end of the body */
};

/* What becomes of the answer after `after` bytes of `part`. */
enum reply_ending {
	REPLY_WHOLE,  /* nothing: it is sent whole */
	REPLY_CUT,    /* the connection is closed in order (FIN) */
	REPLY_RESET,  /* the connection is reset (RST), once the bytes before have arrived */
	REPLY_SILENT, /* nothing more is sent until the client goes away */
	REPLY_GATED,  /* nothing more is sent until server_open_gate() */
};

enum reply_part {
	REPLY_START,  /* before the first byte; `after` does not count */
	REPLY_HEADER, /* `after` bytes of status line and headers */
	REPLY_BODY,   /* the whole header and `after` bytes of the body (before chunking) */
};

/* Zero is the default of every member: { 0 } is an empty 200. Pointers must outlive the server. */
struct reply {
	const char *path; /* only for requests of this path (query ignored); NULL: of any */
	int times;        /* how many requests it answers; 0: one */

	int status;          /* 0: 200 */
	const char *headers; /* more header lines, "Name: value\r\n" each */
	const void *body;
	size_t body_len; /* 0 with a body: it is a string */
	enum reply_framing framing;
	const char *trailers; /* of a chunked body, as `headers` */
	bool gzip;            /* send the body gzip-coded, and say so */

	const void *raw; /* in place of all the above: these bytes as they are */
	size_t raw_len;  /* 0 with raw: it is a string */

	bool early;   /* answer when the header is read; the request's body is never asked for */
	int delay_ms; /* wait before the first byte */
	size_t piece; /* chunk size, and the unit of pace_ms; 0: 1024 */
	int pace_ms;  /* wait after every `piece` bytes on the wire */
	bool hang_up; /* close the connection after the answer, and announce it */
	enum reply_ending ending;
	enum reply_part part;
	size_t after;
};

/* A body given as a literal that may hold NULs. */
#define REPLY_TEXT(text) .body = (text), .body_len = sizeof(text) - 1

enum server_family {
	SERVER_IPV4, /* 127.0.0.1 */
	SERVER_IPV6, /* ::1 */
	SERVER_UNIX, /* a socket at `path` */
};

enum server_opening {
	SERVER_AT_ONCE,
	SERVER_LATE,    /* `open_after_ms` after the start; refuses until then */
	SERVER_ON_WORD, /* at server_open(); refuses until then, for ever if it never comes */
};

struct request;

/* In place of a script: fill in the reply (all zero before) for a request whose header has arrived.
 * `room` is for texts that the reply points to; it lasts until the answer is sent. Called from the
 * connections' threads, several at a time. */
#define DECIDE_ROOM 512
typedef void server_decide(const struct request *request, struct reply *reply, char *room,
			   void *arg);

/* In place of the record: a request as it arrived, which is then forgotten. */
typedef void server_arrived(const struct request *request, void *arg);

struct server_options {
	server_decide *decide; /* NULL: the script decides */
	void *decide_arg;
	server_arrived *arrived; /* NULL: requests are recorded */
	void *arrived_arg;
	enum server_family family;
	enum server_opening opening;
	int open_after_ms;
	uint16_t port;    /* 0: a free one */
	const char *path; /* SERVER_UNIX: removed by server_stop() */
};

/* A request as it arrived. Complete before its answer begins, and never changed later. */
struct request {
	int64_t time_ns; /* CLOCK_MONOTONIC, when its header was complete */
	int connection;  /* counted from 1 in order of acceptance */
	char method[16];
	char *target;
	char *headers; /* the lines after the request line, as they came, NUL-terminated */
	char *body;    /* unchunked; NUL-terminated after body_len bytes */
	size_t body_len;
	bool body_whole; /* false: the client broke off inside it, or the reply was `early` */
	int reply;       /* which of the script answers; -1: none fitted, or there is none */
	int status;      /* its status; 0: raw, or none sent */
};

struct server;

/* Start with default options: IPv4, a free port, at once. */
struct server *server_start(const struct reply *script, size_t count);
struct server *server_start_with(const struct server_options *options, const struct reply *script,
				 size_t count);

/* A port of 127.0.0.1 that refuses connections for as long as the server lives, unless opened. */
struct server *server_start_refusing(void);

/* Begin to listen (SERVER_ON_WORD, or ahead of time). */
void server_open(struct server *server);

/* Let every REPLY_GATED answer, now waiting or yet to come, go on. */
void server_open_gate(struct server *server);

/* End all connections and threads, free everything. NULL is fine. */
void server_stop(struct server *server);

uint16_t server_port(const struct server *server);

/* "http://127.0.0.1:PORT" + path, good until the same thread's eighth call after. */
const char *server_url(const struct server *server, const char *path);

/* What has arrived so far. A request stays valid until server_stop(). */
size_t server_request_count(struct server *server);
const struct request *server_request(struct server *server, size_t index);
int server_connection_count(struct server *server);

/* All requests of one moment: the array is the server's, valid until the next call or stop. */
const struct request *const *server_requests(struct server *server, size_t *count);

/* Wait until `count` requests have arrived; false when that takes longer than timeout_ms. */
bool server_wait_requests(struct server *server, size_t count, int timeout_ms);

/* How often the request has the header `name` (any case); the first value goes into `value`. */
int request_header(const struct request *request, const char *name, char *value, size_t size);

/* For a server_decide: all of `bytes`, or the part that the request's Range and If-Range ask for.
 * `etag` as in the header, quotes included; NULL: none, and no ranges. */
void server_object(const struct request *request, const char *bytes, size_t len, const char *etag,
		   struct reply *reply, char *room);

/* `len` bytes of `data` as a gzip file (stored, not compressed). The caller frees. */
void *server_gzip(const void *data, size_t len, size_t *out_len);

#endif
