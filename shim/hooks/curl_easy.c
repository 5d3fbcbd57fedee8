/*
 * The curl easy interface, as the program calls it.
 */
#include <curl/curl.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "hooks/export.h"
#include "transfer/multi.h"
#include "transfer/part.h"
#include "transfer/stand_in.h"

#undef curl_easy_getinfo

__attribute__((noinline)) static CURL *init_of_program(const void *address)
{
	const struct rs_curl_caller *caller = rs_real_curl(address);
	CURL *easy;

	if (!caller || !caller->api->easy_init)
		return NULL;
	easy = caller->api->easy_init();
	if (easy && !caller->is_libcurl)
		rs_handle_add(easy, caller->api);
	return easy;
}

/* libcurl makes handles for itself, too. */
RS_EXPORT CURL *curl_easy_init(void)
{
	if (rs_is_inside(__builtin_return_address(0)))
		return rs_curl_inside->easy_init();
	return init_of_program(__builtin_return_address(0));
}

RS_BEHIND_DLSYM(curl_easy_init);
CURL *rs_hook_curl_easy_init(void)
{
	return init_of_program(RS_CALLER);
}

__attribute__((noinline)) static CURLcode perform_with_care(CURL *easy, const void *caller)
{
	struct rs_handle *handle = rs_handle_find(easy);
	const struct rs_curl_api *api = rs_handle_api(handle, caller);

	if (!api || !api->complete)
		return api && api->easy_perform ? api->easy_perform(easy) : CURLE_FAILED_INIT;
	if (handle && rs_multi_keeps(handle)) { /* as for any that is part of a multi handle */
		rs_transfer_error(&handle->multi_call->x,
				  "easy handle already used in multi handle");
		return CURLE_FAILED_INIT;
	}
	if (!handle || rs_multi_has(handle))
		return api->easy_perform(easy);
	return rs_transfer_perform(handle);
}

static inline CURLcode perform(CURL *easy, const void *caller)
{
	struct rs_handle *handle = rs_handle_glance(easy);

	if (__builtin_expect(handle != NULL, 1) && __builtin_expect(!handle->multi_call, 1) &&
	    __builtin_expect(handle->api->complete, 1))
		return rs_transfer_perform(handle);
	return perform_with_care(easy, caller);
}

RS_EXPORT CURLcode curl_easy_perform(CURL *easy)
{
	return perform(easy, __builtin_return_address(0));
}

RS_BEHIND_DLSYM(curl_easy_perform);
CURLcode rs_hook_curl_easy_perform(CURL *easy)
{
	return perform(easy, RS_CALLER);
}

/* What becomes of the multi handle that libcurl has made for it is libcurl's own business. */
static inline void cleanup_real(CURL *easy, const struct rs_curl_api *api)
{
	const struct rs_curl_api *before = rs_curl_inside;

	rs_curl_inside = api;
	if (api->easy_cleanup)
		api->easy_cleanup(easy);
	rs_curl_inside = before;
}

__attribute__((noinline)) static void cleanup_unknown(CURL *easy, const void *caller)
{
	const struct rs_curl_api *api = rs_handle_api(NULL, caller);

	if (api && api->easy_cleanup)
		api->easy_cleanup(easy);
}

/* One is still in progress where its thread was cancelled: see transfer/perform.c. */
__attribute__((noinline)) static void leave_calls(struct rs_handle *handle)
{
	if (rs_multi_minds(handle))
		rs_multi_forget(handle);
	if (handle->active)
		rs_exchange_abandon(handle->active);
}

static inline void cleanup(CURL *easy, const void *caller)
{
	struct rs_handle *handle = rs_handle_take(easy);

	if (!handle) {
		cleanup_unknown(easy, caller);
		return;
	}
	if (__builtin_expect(((uintptr_t)handle->multi_call | (uintptr_t)handle->unread_in |
			      (uintptr_t)handle->active) != 0,
			     0))
		leave_calls(handle);
	cleanup_real(easy, handle->api);
	rs_handle_free(handle);
}

RS_EXPORT void curl_easy_cleanup(CURL *easy)
{
	cleanup(easy, __builtin_return_address(0));
}

RS_BEHIND_DLSYM(curl_easy_cleanup);
void rs_hook_curl_easy_cleanup(CURL *easy)
{
	cleanup(easy, RS_CALLER);
}

RS_EXPORT void curl_easy_reset(CURL *easy)
{
	struct rs_handle *handle = rs_handle_find(easy);
	const struct rs_curl_api *api = rs_handle_api(handle, RS_CALLER);

	if (!api || !api->easy_reset)
		return;
	api->easy_reset(easy);
	if (!handle)
		return;
	rs_options_clear(&handle->options);
	handle->body_stands = handle->header_stands = handle->progress_stands = false;
	rs_handle_forget_last(handle);
	if (handle->active) {
		handle->active->altered = handle->active->replaced_more = true;
		handle->active->header_way = RS_HEADERS_ASKED; /* the callback is gone */
		handle->active->watches_progress = handle->active->brings_progress = false;
		handle->flows = false;
		rs_transfer_replace(handle->active);
		rs_transfer_choose_headers(handle->active);
	}
}
RS_BINDABLE(curl_easy_reset);

/* The copy of a handle in the middle of a call must not get what an attempt has replaced. */
RS_EXPORT CURL *curl_easy_duphandle(CURL *easy)
{
	struct rs_handle *handle = rs_handle_find(easy);
	const struct rs_curl_api *api = rs_handle_api(handle, RS_CALLER);
	struct rs_handle *copied;
	CURL *copy;

	if (!api || !api->easy_duphandle)
		return NULL;
	copy = api->easy_duphandle(easy);
	if (!copy || !handle)
		return copy;
	rs_handle_learn_url(handle);
	if (handle->options.kind == RS_REQUEST_FORM)
		rs_part_share();
	if (handle->active)
		rs_transfer_restore(handle->active, copy);
	rs_stand_in_undo(handle, copy);
	copied = rs_handle_add(copy, api);
	if (copied)
		rs_options_copy(&copied->options, &handle->options);
	return copy;
}
RS_BINDABLE(curl_easy_duphandle);

__attribute__((noinline)) static CURLcode get_with_care(CURL *easy, CURLINFO info, void *value,
							const void *caller)
{
	struct rs_handle *handle = rs_handle_find(easy);
	const struct rs_curl_api *api = rs_handle_api(handle, caller);

	if (handle && value &&
	    (rs_resume_info(handle, info, value) || rs_fault_info(handle, info, value)))
		return CURLE_OK;
	return api && api->easy_getinfo ? api->easy_getinfo(easy, info, value) : CURLE_FAILED_INIT;
}

/* Mostly libcurl knows best. */
static inline CURLcode get_info(CURL *easy, CURLINFO info, void *value, const void *caller)
{
	const struct rs_handle *handle = rs_handle_glance(easy);

	if (__builtin_expect(!handle, 0) || __builtin_expect(rs_handle_tells(handle), 0) ||
	    __builtin_expect(!handle->api->easy_getinfo, 0))
		return get_with_care(easy, info, value, caller);
	return handle->api->easy_getinfo(easy, info, value);
}

#if defined(__x86_64__) || defined(__aarch64__)
/* It is always a pointer. */
CURLcode rs_getinfo(CURL *easy, CURLINFO info, void *value) __asm__("curl_easy_getinfo");
CURLcode rs_hook_curl_easy_getinfo(CURL *easy, CURLINFO info, void *value);

RS_EXPORT CURLcode rs_getinfo(CURL *easy, CURLINFO info, void *value)
{
	return get_info(easy, info, value, __builtin_return_address(0));
}

__attribute__((used)) CURLcode rs_hook_curl_easy_getinfo(CURL *easy, CURLINFO info, void *value)
{
	return get_info(easy, info, value, RS_CALLER);
}

#else
RS_EXPORT CURLcode curl_easy_getinfo(CURL *easy, CURLINFO info, ...)
{
	const void *caller = RS_CALLER;
	va_list args;
	void *value;

	va_start(args, info);
	value = va_arg(args, void *);
	va_end(args);
	return get_info(easy, info, value, caller);
}
RS_BINDABLE(curl_easy_getinfo);
#endif

/* libcurl may deliver at once what it has kept, and this may be a callback of another call. What is
 * held of a response of which the program has nothing yet came before its pause. */
static CURLcode pause_running(struct rs_handle *handle, int bitmask)
{
	struct rs_exchange *around = rs_exchange_here;
	CURLcode result;

	rs_exchange_here = handle->active;
	handle->active->halted = bitmask & CURLPAUSE_RECV && handle->active->phase != RS_HOLDING;
	result = handle->api->easy_pause(handle->easy, bitmask);
	rs_exchange_here = around;
	return result;
}

/* Of an upload the program may stop the sending alone. Where the rest of a held response is handed
 * out, all has been sent. */
static bool puts_off(const struct rs_exchange *x, int bitmask)
{
	return bitmask & CURLPAUSE_RECV ||
	       (bitmask & CURLPAUSE_SEND && x->streams_up && x->phase != RS_STREAMING);
}

/* Between attempts, and while the rest of a held response is handed out, libcurl is not running: it
 * is the next attempt, or the rest, that is put off. */
RS_EXPORT CURLcode curl_easy_pause(CURL *easy, int bitmask)
{
	struct rs_handle *handle = rs_handle_find(easy);
	const struct rs_curl_api *api = rs_handle_api(handle, RS_CALLER);

	if (!api || !api->easy_pause)
		return CURLE_FAILED_INIT;
	if (!handle || !handle->active)
		return api->easy_pause(easy, bitmask);
	if (!handle->active->waits)
		return pause_running(handle, bitmask);
	handle->active->paused = puts_off(handle->active, bitmask);
	rs_multi_unpaused(handle);
	return CURLE_OK;
}
RS_BINDABLE(curl_easy_pause);
