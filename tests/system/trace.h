/*
 * What a program sees of a transfer, written down so that two runs can be compared as text.
 *
 * Calls of the body callback that follow each other are one entry, since how a body is cut into
 * pieces depends on the moment; what is larger than libcurl promises is told.
 */
#ifndef TESTS_TRACE_H
#define TESTS_TRACE_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* FNV-1a, 64 bits. */
#define TRACE_HASH_BEGIN UINT64_C(0xcbf29ce484222325)
uint64_t trace_hash(uint64_t hash, const void *bytes, size_t len);

/* A run of body callbacks: who was called with what pointer. All zero: none. */
struct trace_run {
	const char *who, *data;
	size_t len;
	uint64_t hash;
	bool oversized;
};

void trace_body(struct trace_run *run, const char *who, const char *data, const char *bytes,
		size_t len);
/* Write down what there is of it. */
void trace_flush(struct trace_run *run);

/* One line per header line of the piece, with its bytes as text. */
void trace_header(const char *who, const char *data, const char *bytes, size_t len);

/* All that curl_easy_getinfo() and curl_easy_nextheader() tell that is the same every time. With
 * `all` also what differs when a connection was used before. */
void trace_info(CURL *easy, bool all);

/* Two traces, line by line, without those that begin with one of the words in `apart` ("a|b", or
 * NULL): the first lines that are not the same. */
struct trace_difference {
	const char *got, *wanted;
	int got_len, wanted_len;
};
bool trace_differs(const char *got, const char *wanted, const char *apart,
		   struct trace_difference *at);

/* What became of it: code, text, the error buffer. */
void trace_result(CURLcode result, const char *error_buffer);

#endif
