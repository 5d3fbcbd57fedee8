/*
 * curl_easy_perform(): the thread that called it waits.
 */
#include <stdlib.h>

#include "process.h"
#include "transfer/program.h"
#include "transfer/stand_in.h"
#include "transfer/usual.h"

static struct rs_exchange rooms[RS_HANDLES_KEPT]; /* of records that are kept */

_Thread_local struct rs_exchange *rs_exchange_here __attribute__((tls_model("initial-exec")));

static inline CURLcode perform(struct rs_exchange *x)
{
	struct rs_exchange *around = rs_exchange_here;
	const struct rs_curl_api *before = rs_curl_enter(x->handle->api);
	CURLcode result;

	x->around = around;
	rs_exchange_here = x;
	result = x->handle->api->easy_perform(x->handle->easy);
	rs_exchange_here = around;
	rs_curl_leave(before);
	return result;
}

__attribute__((noinline)) static CURLcode attempt(struct rs_exchange *x)
{
	rs_exchange_begin_attempt(x);
	if (x->fault.delayed && !rs_exchange_wait(x, rs_fault_due_ns(x)))
		return CURLE_ABORTED_BY_CALLBACK;
	return perform(x);
}

/* An attempt has ended with `result`. Returns how the call ends. */
__attribute__((noinline)) static CURLcode go_on(struct rs_exchange *x, CURLcode result)
{
	while (rs_exchange_end_attempt(x, &result)) {
		if (!rs_exchange_wait(x, rs_exchange_due_ns(x)))
			return rs_exchange_cancel(x);
		result = attempt(x);
	}
	while (!rs_exchange_conclude(x, &result)) {
		if (!rs_exchange_wait_for_program(x))
			return CURLE_ABORTED_BY_CALLBACK;
	}
	return result;
}

/* A call on the handle is in progress, or has never come to its end: its thread was cancelled, or
 * left by an exception. libcurl has no use for such a handle either, in these words. */
static CURLcode refuse(const struct rs_handle *handle)
{
	rs_transfer_error(handle->active, "easy handle already used in multi handle");
	return CURLE_FAILED_INIT;
}

/* False: no memory. */
__attribute__((noinline)) static bool make_room(struct rs_handle *handle)
{
	if (handle->stand_in)
		handle->room = &rooms[handle->stand_in - rs_stand_ins];
	else
		handle->room = malloc(sizeof(*handle->room));
	if (!handle->room)
		rs_exchange_not_open(handle);
	return handle->room != NULL;
}

/* There was no rule for transfers, but perhaps by now there is one. */
__attribute__((noinline)) static CURLcode perform_unguarded(struct rs_handle *handle)
{
	CURLcode result;
	long status = 0;

	if (handle->active)
		return refuse(handle);
	result = handle->api->easy_perform(handle->easy);
	if (result == CURLE_OK)
		handle->api->easy_getinfo(handle->easy, CURLINFO_RESPONSE_CODE, &status);
	if (result != CURLE_OK || status >= 400)
		(void)rs_process_rules_at_failure(RS_CALL_CURL);
	return result;
}

/* The first attempt, of which rules say how it is to be made. False: the program has ended the call
 * before it. */
__attribute__((noinline)) static bool attempt_with_care(struct rs_exchange *x, CURLcode *result)
{
	if (x->rules->pacers && !rs_exchange_pace(x)) {
		*result = rs_exchange_stop(x);
		return false;
	}
	*result = attempt(x);
	return true;
}

CURLcode rs_transfer_perform(struct rs_handle *handle)
{
	struct rs_exchange *x;
	CURLcode result;

	if (__builtin_expect(!handle->room, 0) && !make_room(handle))
		return perform_unguarded(handle);
	x = handle->room;
	if (__builtin_expect(!rs_exchange_open(x, handle, true), 0))
		return perform_unguarded(handle);
	if (__builtin_expect(x->rules->minds_first, 0)) {
		if (!attempt_with_care(x, &result)) {
			rs_exchange_close(x, result);
			return result;
		}
	} else {
		rs_exchange_begin_plainly(x);
		result = perform(x);
	}
	if (__builtin_expect(rs_exchange_succeeded(x, result), 1)) {
		rs_exchange_close_success(x);
		return CURLE_OK;
	}
	result = go_on(x, result);
	rs_exchange_close(x, result);
	return result;
}
