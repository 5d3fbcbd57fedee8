/*
 * A TCP relay on loopback before a real HTTP server, which spoils some of the exchanges. For
 * servers that answer one request per connection: what the relay sees first is the request.
 */
#ifndef TESTS_WEB_RELAY_H
#define TESTS_WEB_RELAY_H

#include <stddef.h>
#include <stdint.h>

enum web_how {
	WEB_BUSY,  /* 503 in place of the answer */
	WEB_RESET, /* the connection is reset once the request has been read */
	WEB_CUT,   /* the connection is closed after `after` bytes of the answer */
};

/* Each fault spoils one exchange: the first it fits, once those before it in the list have. */
struct web_fault {
	const char *where; /* a part of the request's first line */
	size_t skip;       /* how many exchanges that fit go well before */
	enum web_how how;
	size_t after;
};

struct web_relay;

/* `faults` must outlive the relay. What cannot be had ends the process. */
struct web_relay *web_relay_start(uint16_t to_port, const struct web_fault *faults, size_t count);
uint16_t web_relay_port(const struct web_relay *relay);
/* Stop, free; how many of the faults have happened. */
size_t web_relay_stop(struct web_relay *relay);

/* A port of 127.0.0.1 that was free a moment ago. */
uint16_t free_port(void);

#endif
