/*
 * multi-case: what its cases share.
 *
 *   main_multi_case.c     one loop, and transfers in every state
 *   multi_case_busy.c     a loop that has other things to do
 *   multi_case_nested.c   the multi functions inside of a callback
 *   multi_case_threads.c  threads with a loop each
 *   multi_case_timer.c    timer callbacks
 *   multi_case_told.c     what a progress callback learns
 */
#ifndef TESTS_MULTI_CASE_H
#define TESTS_MULTI_CASE_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stddef.h>

#include "multi_loop.h"

#define MS        INT64_C(1000000)
#define TRANSFERS 3

struct transfer {
	CURL *easy;
	char body[256];
	size_t len;
	bool pause, paused;
	char error[CURL_ERROR_SIZE];
};

/* The program's one. */
extern struct multi_loop case_loop;

/* A transfer of what is there, which brings its body; its handle is made where it has none. */
void multi_set(struct transfer *t, const char *path);

/* Drive the loop until there is a message; NULL after ten seconds. */
CURLMsg *multi_drive_to_message(void);

void multi_tell_message(const CURLMsg *msg, const struct transfer *t);

/* The cases of the other files. */
void multi_busy(void);
void multi_recursive(void);
void multi_threads(void);
void multi_refused(void);
void multi_refused_later(void);
void multi_timer_left(void);
void multi_told(void);

#endif
