/*
 * curl_easy_setopt(): what the program sets is noted, and libcurl told of it.
 */
#include <curl/curl.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "hooks/export.h"
#include "transfer/multi.h"
#include "transfer/stand_in.h"

#undef curl_easy_setopt

/* During a call: options that an attempt has replaced are only noted, and take effect through
 * what has replaced them; those that shape the request make it another one. */
static bool note_running(struct rs_exchange *x, CURLoption option)
{
	switch (option) {
	case CURLOPT_WRITEDATA:
		if (x->alone || x->handle->body_stands)
			return false;
		break;
	case CURLOPT_HEADERDATA:
		if (x->alone || x->handle->header_stands)
			return false;
		break;
	case CURLOPT_XFERINFOFUNCTION:
	case CURLOPT_XFERINFODATA:
		return rs_transfer_owns(x, option);
	case CURLOPT_PRIVATE:
	case CURLOPT_NOPROGRESS:
	case CURLOPT_PROGRESSFUNCTION:
	case CURLOPT_ERRORBUFFER:
	case CURLOPT_VERBOSE:
	case CURLOPT_DEBUGFUNCTION:
	case CURLOPT_DEBUGDATA:
		return false;
	case CURLOPT_URL: /* whenever libcurl is told of it */
		x->altered = true;
		break;
	default:
		break;
	}
	if (rs_transfer_owns(x, option))
		return true;
	x->altered = true;
	return false;
}

static CURLcode set_running(struct rs_handle *handle, CURLoption option, void *value)
{
	CURLcode result = CURLE_OK;

	handle->active->replaced_more = true;
	if (!note_running(handle->active, option))
		result = handle->api->easy_setopt(handle->easy, option, value);
	if (result == CURLE_OK)
		rs_options_set(&handle->options, option, value);
	if (handle->active)
		rs_transfer_mind_headers(handle->active);
	return result;
}

static CURLcode set_idle(struct rs_handle *handle, CURLoption option, void *value)
{
	CURLcode result;

	if (rs_option_has_stand_in(rs_option_way(option)))
		return rs_stand_in_set(handle, option, value);
	result = handle->api->easy_setopt(handle->easy, option, value);
	if (result == CURLE_OK)
		rs_options_set(&handle->options, option, value);
	return result;
}

__attribute__((noinline)) static CURLcode set_with_care(CURL *easy, CURLoption option, void *value,
							const void *caller)
{
	struct rs_handle *handle = rs_handle_find(easy);
	const struct rs_curl_api *api = rs_handle_api(handle, caller);

	if (!api || !api->easy_setopt)
		return CURLE_FAILED_INIT;
	if (!handle)
		return api->easy_setopt(easy, option, value);
	return handle->active ? set_running(handle, option, value)
			      : set_idle(handle, option, value);
}

typedef CURLcode (*setopt_fn)(CURL *, CURLoption, ...);

__attribute__((noinline)) static CURLcode keep_word(CURL *easy, CURLoption option, void *value,
						    setopt_fn real, struct rs_options *options,
						    unsigned way)
{
	CURLcode result = real(easy, option, value);

	if (__builtin_expect(result == CURLE_OK, 1))
		rs_option_keep_word(options, way, value);
	return result;
}

__attribute__((noinline)) static CURLcode keep_otherwise(CURL *easy, CURLoption option, void *value,
							 setopt_fn real, struct rs_options *options,
							 unsigned way)
{
	CURLcode result = real(easy, option, value);

	if (__builtin_expect(result == CURLE_OK, 1))
		rs_option_setters[way](options, value);
	return result;
}

/* Most options are nothing to us, and most others are kept as they are. Whatever is called from
 * here is jumped to, so that nothing has to be saved. */
__attribute__((always_inline)) static inline CURLcode set_word(CURL *easy, CURLoption option,
							       void *value, const void *caller)
{
	struct rs_handle *handle = rs_handle_glance(easy);
	unsigned way = rs_option_way(option);
	setopt_fn real;

	if (__builtin_expect(!handle, 0) || __builtin_expect(handle->active != NULL, 0))
		return set_with_care(easy, option, value, caller);
	real = handle->api->easy_setopt;
	if (__builtin_expect(way == 0, 1))
		return real(easy, option, value);
	if (way == RS_OPTION_URL) { /* libcurl that refuses one has none */
		rs_options_expect_url(&handle->options, value);
		return real(easy, option, value);
	}
	if (__builtin_expect(!rs_option_is_word(way), 0))
		return keep_otherwise(easy, option, value, real, &handle->options, way);
	if (__builtin_expect(rs_option_is_sure(way), 1)) {
		memcpy(rs_option_word(&handle->options, way - RS_OPTION_SURE), &value,
		       sizeof(value));
		return real(easy, option, value);
	}
	if (rs_option_has_stand_in(way))
		return rs_stand_in_set(handle, option, value);
	return keep_word(easy, option, value, real, &handle->options, way);
}

#if defined(__x86_64__) || defined(__aarch64__)
/* Here every type of value that libcurl takes is one machine word in the third argument's register,
 * in a variadic call too: no need to spill all registers to fetch it. */
CURLcode rs_setopt(CURL *easy, CURLoption option, void *value) __asm__("curl_easy_setopt");
CURLcode rs_hook_curl_easy_setopt(CURL *easy, CURLoption option, void *value);

RS_EXPORT CURLcode rs_setopt(CURL *easy, CURLoption option, void *value)
{
	return set_word(easy, option, value, __builtin_return_address(0));
}

/* The entry behind dlsym() alone looks for its token: that is an eighth of the whole cost. */
__attribute__((used)) CURLcode rs_hook_curl_easy_setopt(CURL *easy, CURLoption option, void *value)
{
	return set_word(easy, option, value, RS_CALLER);
}

#else
/* Elsewhere it is a word, too: a curl_off_t is a long. */
RS_EXPORT CURLcode curl_easy_setopt(CURL *easy, CURLoption option, ...)
{
	const void *caller = RS_CALLER;
	CURLcode result;
	va_list args;

	va_start(args, option);
	if (option < CURLOPTTYPE_OBJECTPOINT ||
	    (option >= CURLOPTTYPE_OFF_T && option < CURLOPTTYPE_BLOB))
		result = set_word(easy, option, (void *)(intptr_t)va_arg(args, long), caller);
	else
		result = set_word(easy, option, va_arg(args, void *), caller);
	va_end(args);
	return result;
}
RS_BINDABLE(curl_easy_setopt);
#endif
