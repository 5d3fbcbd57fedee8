/*
 * Functions of ours that stand in for the program's body, header and progress callbacks.
 *
 * To put ours in libcurl before a call and the program's back after it would cost more than all
 * else that a call needs. So ours stay there from call to call, and curl_easy_setopt() only notes
 * the program's. The user pointers in libcurl are always the program's own.
 *
 * Each kept record has some of them, which therefore knows its handle without being told, also
 * when libcurl runs out of our sight: then it does what libcurl would have done. A handle whose
 * record is not kept has none, nor has one in a multi handle; for those see replace.c.
 */
#ifndef RS_TRANSFER_STAND_IN_H
#define RS_TRANSFER_STAND_IN_H

#include "transfer/handle.h"

struct rs_stand_in {
	curl_write_callback body, header;
};

/* One for each of rs_handles_kept. */
extern const struct rs_stand_in rs_stand_ins[RS_HANDLES_KEPT] __attribute__((visibility("hidden")));

/* curl_easy_setopt() between calls, of CURLOPT_WRITEFUNCTION, CURLOPT_HEADERFUNCTION or
 * CURLOPT_XFERINFOFUNCTION. */
CURLcode rs_stand_in_set(struct rs_handle *handle, CURLoption option, void *value);

/* Before a call that is alone in its thread's libcurl: let ours take the body, the headers, or
 * the progress. False: the handle has none. */
bool rs_stand_in_for_body(struct rs_handle *handle);
bool rs_stand_in_for_headers(struct rs_handle *handle);
bool rs_stand_in_for_progress(struct rs_handle *handle);

/* Give `easy`, the handle or a copy that libcurl has made of it, the program's own functions. */
void rs_stand_in_undo(const struct rs_handle *handle, CURL *easy);

/* The handle's is to be libcurl's no longer alone: the program's own functions are back. */
void rs_stand_in_leave(struct rs_handle *handle);

#endif
