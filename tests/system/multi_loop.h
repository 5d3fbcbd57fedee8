/*
 * The ways in which programs drive a multi handle, one behind the other's interface; and what
 * a program can find wrong with how it is woken.
 */
#ifndef TESTS_MULTI_LOOP_H
#define TESTS_MULTI_LOOP_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stdint.h>

enum multi_style {
	BY_SELECT, /* perform, fdset, timeout, select */
	BY_POLL,   /* perform, poll and wait in turn */
	BY_SOCKET, /* socket_action, with timer and socket callbacks */
	BY_ALL,    /* socket_all and the old socket in turn, with the same */
	BY_TIMER,  /* perform, fdset, select, with a timer callback */
};

#define LOOP_SOCKETS 64

struct multi_loop {
	CURLM *multi;
	enum multi_style style;
	int running; /* as told last */

	struct {
		curl_socket_t fd;
		int what;
	} sockets[LOOP_SOCKETS];
	int socket_count;
	bool timer_set;
	int64_t timer_ns;

	long wakes;         /* rounds of the loop */
	int64_t longest_ns; /* the longest wait in one of them */
	const char *wrong;  /* the first thing that was not as promised, or NULL */
};

void multi_loop_init(struct multi_loop *loop, enum multi_style style);

/* Drive the handle and wait, once, and no longer than that. */
void multi_loop_round(struct multi_loop *loop, int longest_ms);

/* Free the multi handle; afterwards no socket may be left. */
void multi_loop_free(struct multi_loop *loop);

#endif
