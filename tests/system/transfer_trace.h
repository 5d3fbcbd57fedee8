/*
 * transfer-trace: the program, and its callbacks, which see what is written down.
 *
 *   main_transfer_trace.c       its options, and the transfers
 *   transfer_trace_callbacks.c  the callbacks
 *   trace.c                     how it is written down
 */
#ifndef TESTS_TRANSFER_TRACE_H
#define TESTS_TRANSFER_TRACE_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "multi_loop.h"
#include "trace.h"

struct transfer_trace {
	CURL *easy;
	FILE *write_data, *header_data, *file;
	unsigned sinks;
	const char *at, *action; /* on= */
	bool acted, paused;
	struct trace_run run;
	curl_off_t progress[4], most[2];
	size_t later, received, again, lines;
	const char *second, *nested, *past, *plugin;
	bool all, told;
	const char *early_url; /* where that was of an answer before the answer */
	char *upload;
	size_t upload_len, uploaded;
	struct curl_slist *lists[8];
	size_t list_count;
	char error[CURL_ERROR_SIZE];
	struct multi_loop loop;
	bool in_loop;
};
extern struct transfer_trace tracing;

/* What the program sets as its callbacks. */
size_t trace_on_write(char *bytes, size_t size, size_t count, void *data);
size_t trace_on_header(char *bytes, size_t size, size_t count, void *data);
int trace_on_progress(void *data, curl_off_t dltotal, curl_off_t dlnow, curl_off_t ultotal,
		      curl_off_t ulnow);
size_t trace_on_read(char *bytes, size_t size, size_t count, void *data);
int trace_on_trailers(struct curl_slist **list, void *data);
int trace_on_seek(void *data, curl_off_t offset, int whence);

#endif
