/*
 * Faults on purpose, for curl transfers.
 *
 * libcurl itself runs into them, so that what it tells afterwards is real: a canned response comes
 * through one end of a socket pair that libcurl is given in place of a connection, and an error
 * begins as a socket that cannot be had. Nothing is looked up and nothing is connected to. The
 * options that this takes are the program's own again once the attempt is over.
 */
#ifndef RS_TRANSFER_FAULT_H
#define RS_TRANSFER_FAULT_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stddef.h>

#include "retry/fault.h"

struct rs_exchange;
struct rs_handle;

/* What strikes the present attempt. */
struct rs_fault_attempt {
	struct rs_fault_strike strike;
	bool delayed;      /* it begins at due_ns */
	bool replaced;     /* the options of the connection are ours */
	bool other_url;    /* and the URL */
	bool cuts;         /* the body breaks off: our write callback counts */
	bool cut;          /* it has */
	int64_t due_ns;    /* monotonic */
	int64_t waited_ns; /* until then */
	CURLcode error;    /* how it is to fail, CURLE_OK: not so */
	size_t passed;     /* body bytes before that */
	int fd;            /* our end of the newest canned connection, or -1 */
};

/* Before an attempt: what strikes it, if anything; and see to it that it will. */
void rs_fault_begin(struct rs_exchange *x);

/* When the attempt begins that is x->fault.delayed (monotonic). */
int64_t rs_fault_due_ns(const struct rs_exchange *x);

/* Is the attempt still being delayed? Once it is not, it may begin. */
bool rs_fault_holds(struct rs_exchange *x);

/* The attempt that was struck has ended with `result`: what it was made to be. */
CURLcode rs_fault_end(struct rs_exchange *x, CURLcode result);

/* During a struck attempt: is this option one that is ours for now? */
bool rs_fault_owns(const struct rs_exchange *x, CURLoption option);

/* Put what was replaced back to the program's on `easy`. */
void rs_fault_restore(const struct rs_exchange *x, CURL *easy);

/* The errno behind the attempt's error; false where libcurl is to be asked. */
bool rs_fault_errno(const struct rs_exchange *x, int *number);

/* curl_easy_getinfo(): is this something that only we know? Then it is stored. */
bool rs_fault_info(const struct rs_handle *handle, CURLINFO info, void *value);

/* Keep what libcurl tells of the URL, which is about to be set back to the program's. */
void rs_fault_keep_url(struct rs_handle *handle);

/* A new transfer begins: forget what was told of the last one. */
void rs_fault_forget(struct rs_handle *handle);

#endif
