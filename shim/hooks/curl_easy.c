/*
 * The curl easy interface, as the program calls it.
 */
#include <curl/curl.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "hooks/export.h"
#include "transfer/multi.h"

#undef curl_easy_setopt
#undef curl_easy_getinfo

/* The functions to pass an unknown handle on to. */
static const struct rs_curl_api *api_of(const struct rs_handle *handle, const void *caller)
{
	const struct rs_curl_caller *found;

	if (handle)
		return handle->api;
	found = rs_real_curl(caller);
	return found ? found->api : NULL;
}

RS_EXPORT CURL *curl_easy_init(void)
{
	const struct rs_curl_caller *caller = rs_real_curl(RS_CALLER);
	CURL *easy;

	if (!caller || !caller->api->easy_init)
		return NULL;
	easy = caller->api->easy_init();
	if (easy && !caller->is_libcurl)
		rs_handle_add(easy, caller->api);
	return easy;
}
RS_BINDABLE(curl_easy_init);

/* During a call: options that an attempt has replaced are only noted, and take effect through
 * what has replaced them; those that shape the request make it another one. */
static bool note_running(struct rs_exchange *x, CURLoption option)
{
	switch (option) {
	case CURLOPT_PRIVATE:
	case CURLOPT_NOPROGRESS:
	case CURLOPT_XFERINFOFUNCTION:
	case CURLOPT_PROGRESSFUNCTION:
	case CURLOPT_XFERINFODATA:
	case CURLOPT_ERRORBUFFER:
	case CURLOPT_VERBOSE:
	case CURLOPT_DEBUGFUNCTION:
	case CURLOPT_DEBUGDATA:
		return false;
	default:
		break;
	}
	if (rs_transfer_owns(x, option))
		return true;
	x->altered = true;
	return false;
}

static CURLcode set_unknown(CURL *easy, CURLoption option, void *value, const void *caller)
{
	const struct rs_curl_api *api = api_of(NULL, caller);

	return api && api->easy_setopt ? api->easy_setopt(easy, option, value) : CURLE_FAILED_INIT;
}

static CURLcode set_word(CURL *easy, CURLoption option, void *value, const void *caller)
{
	struct rs_handle *handle = rs_handle_find(easy);
	CURLcode result = CURLE_OK;

	if (__builtin_expect(!handle, 0))
		return set_unknown(easy, option, value, caller);
	if (__builtin_expect(!handle->active, 1) || !note_running(handle->active, option))
		result = handle->api->easy_setopt(easy, option, value);
	if (__builtin_expect(rs_options_watch(option), 0) && result == CURLE_OK)
		rs_options_set(&handle->options, option, value);
	return result;
}

#if defined(__x86_64__) || defined(__aarch64__)
/* Here every type of value that libcurl takes is one machine word in the third argument's register,
 * in a variadic call too: no need to spill all registers to fetch it. */
CURLcode rs_setopt(CURL *easy, CURLoption option, void *value) __asm__("curl_easy_setopt");

RS_EXPORT CURLcode rs_setopt(CURL *easy, CURLoption option, void *value)
{
	return set_word(easy, option, value, RS_CALLER);
}

/* The hidden name is given to the same code. */
extern __typeof__(rs_setopt) rs_hook_curl_easy_setopt
	__attribute__((alias("curl_easy_setopt"), visibility("hidden"), used));

#else
/* Where a curl_off_t is wider than a word it has to be passed on as one. */
static CURLcode set_offset(CURL *easy, CURLoption option, curl_off_t value, const void *caller)
{
	struct rs_handle *handle = rs_handle_find(easy);
	const struct rs_curl_api *api = api_of(handle, caller);
	CURLcode result;

	if (!api || !api->easy_setopt)
		return CURLE_FAILED_INIT;
	if (handle && handle->active)
		handle->active->altered = true;
	result = api->easy_setopt(easy, option, value);
	if (handle && result == CURLE_OK && rs_options_watch(option))
		rs_options_set(&handle->options, option, (void *)(intptr_t)value);
	return result;
}

RS_EXPORT CURLcode curl_easy_setopt(CURL *easy, CURLoption option, ...)
{
	const void *caller = RS_CALLER;
	CURLcode result;
	va_list args;

	va_start(args, option);
	if (option >= CURLOPTTYPE_OFF_T && option < CURLOPTTYPE_BLOB)
		result = set_offset(easy, option, va_arg(args, curl_off_t), caller);
	else if (option < CURLOPTTYPE_OBJECTPOINT)
		result = set_word(easy, option, (void *)(intptr_t)va_arg(args, long), caller);
	else
		result = set_word(easy, option, va_arg(args, void *), caller);
	va_end(args);
	return result;
}
RS_BINDABLE(curl_easy_setopt);
#endif

RS_EXPORT CURLcode curl_easy_perform(CURL *easy)
{
	struct rs_handle *handle = rs_handle_find(easy);
	const struct rs_curl_api *api = api_of(handle, RS_CALLER);

	if (!api || !api->easy_perform || !api->easy_setopt || !api->easy_getinfo)
		return api && api->easy_perform ? api->easy_perform(easy) : CURLE_FAILED_INIT;
	if (handle && rs_multi_keeps(handle))
		return CURLE_FAILED_INIT; /* as for any handle that is part of a multi handle */
	return handle ? rs_transfer_perform(handle) : api->easy_perform(easy);
}
RS_BINDABLE(curl_easy_perform);

RS_EXPORT void curl_easy_cleanup(CURL *easy)
{
	struct rs_handle *handle = rs_handle_find(easy);
	const struct rs_curl_api *api = api_of(handle, RS_CALLER);

	if (handle)
		rs_multi_forget(handle);
	rs_handle_take(easy);
	if (api && api->easy_cleanup)
		api->easy_cleanup(easy);
	rs_handle_free(handle);
}
RS_BINDABLE(curl_easy_cleanup);

RS_EXPORT void curl_easy_reset(CURL *easy)
{
	struct rs_handle *handle = rs_handle_find(easy);
	const struct rs_curl_api *api = api_of(handle, RS_CALLER);

	if (!api || !api->easy_reset)
		return;
	api->easy_reset(easy);
	if (!handle)
		return;
	rs_options_clear(&handle->options);
	handle->whole.valid = false;
	rs_fault_forget(handle);
	if (handle->active) {
		handle->active->altered = true;
		handle->active->header_way = RS_HEADERS_ASKED; /* the callback is gone */
		rs_transfer_replace(handle->active);
		rs_transfer_choose_headers(handle->active);
	}
}
RS_BINDABLE(curl_easy_reset);

/* The copy of a handle in the middle of a call must not get what an attempt has replaced. */
RS_EXPORT CURL *curl_easy_duphandle(CURL *easy)
{
	struct rs_handle *handle = rs_handle_find(easy);
	const struct rs_curl_api *api = api_of(handle, RS_CALLER);
	struct rs_handle *copied;
	CURL *copy;

	if (!api || !api->easy_duphandle)
		return NULL;
	copy = api->easy_duphandle(easy);
	if (!copy || !handle)
		return copy;
	if (handle->active)
		rs_transfer_restore(handle->active, copy);
	copied = rs_handle_add(copy, api);
	if (copied)
		rs_options_copy(&copied->options, &handle->options);
	return copy;
}
RS_BINDABLE(curl_easy_duphandle);

RS_EXPORT CURLcode curl_easy_getinfo(CURL *easy, CURLINFO info, ...)
{
	struct rs_handle *handle = rs_handle_find(easy);
	const struct rs_curl_api *api = api_of(handle, RS_CALLER);
	va_list args;
	void *value;

	va_start(args, info);
	value = va_arg(args, void *);
	va_end(args);
	if (handle && value &&
	    (rs_resume_info(handle, info, value) || rs_fault_info(handle, info, value)))
		return CURLE_OK;
	return api && api->easy_getinfo ? api->easy_getinfo(easy, info, value) : CURLE_FAILED_INIT;
}
RS_BINDABLE(curl_easy_getinfo);

/* A program may pause while the rest of a held response is handed out; libcurl is not running
 * then, and it is the hand-out that goes on. */
RS_EXPORT CURLcode curl_easy_pause(CURL *easy, int bitmask)
{
	struct rs_handle *handle = rs_handle_find(easy);
	const struct rs_curl_api *api = api_of(handle, RS_CALLER);

	if (!api || !api->easy_pause)
		return CURLE_FAILED_INIT;
	if (handle && handle->active && handle->active->paused && !(bitmask & CURLPAUSE_RECV)) {
		handle->active->paused = false;
		return CURLE_OK;
	}
	return api->easy_pause(easy, bitmask);
}
RS_BINDABLE(curl_easy_pause);
