/*
 * The curl multi interface, as the program calls it. libcurl enters these functions too, for the
 * multi handles that it makes for itself: of those nothing is known, and they pass.
 */
#include <curl/curl.h>
#include <stdarg.h>
#include <stddef.h>

#include "hooks/export.h"
#include "process.h"
#include "transfer/multi.h"

#undef curl_multi_setopt
#undef curl_multi_socket

static const struct rs_curl_api *api_of(const struct rs_multi *m, const void *caller)
{
	return rs_curl_api_of(m ? m->api : NULL, caller);
}

/* Inside of a callback that libcurl does not know of, which it would answer so, too. */
static bool is_recursive(const struct rs_multi *m)
{
	return m && m->calling;
}

/* Or of one that may ask for everything but to be driven, and freed. */
static bool is_driven(const struct rs_multi *m)
{
	return m && (m->calling || m->notifies);
}

__attribute__((noinline)) static CURLMcode add_handle_of_program(CURLM *handle, CURL *easy,
								 const void *caller)
{
	struct rs_handle *known = rs_handle_find(easy);
	const struct rs_curl_api *api = known ? known->api : api_of(NULL, caller);

	if (!api || !api->multi_add_handle)
		return CURLM_INTERNAL_ERROR;
	if (!known || !handle || rs_is_part_of(api, caller))
		return api->multi_add_handle(handle, easy);
	return rs_multi_add(handle, known);
}

RS_EXPORT CURLMcode curl_multi_add_handle(CURLM *handle, CURL *easy)
{
	if (rs_is_inside(__builtin_return_address(0)))
		return rs_curl_inside->multi_add_handle(handle, easy);
	return add_handle_of_program(handle, easy, RS_CALLER);
}
RS_BINDABLE(curl_multi_add_handle);

__attribute__((noinline)) static CURLMcode remove_handle_of_program(CURLM *handle, CURL *easy,
								    const void *caller)
{
	struct rs_multi *m = rs_multi_find(handle);
	const struct rs_curl_api *api = api_of(m, caller);

	if (!api || !api->multi_remove_handle)
		return CURLM_INTERNAL_ERROR;
	if (is_recursive(m))
		return CURLM_RECURSIVE_API_CALL;
	if (!m)
		return api->multi_remove_handle(handle, easy);
	return rs_multi_remove(m, easy, rs_handle_find(easy));
}

RS_EXPORT CURLMcode curl_multi_remove_handle(CURLM *handle, CURL *easy)
{
	if (rs_is_inside(__builtin_return_address(0)))
		return rs_curl_inside->multi_remove_handle(handle, easy);
	return remove_handle_of_program(handle, easy, RS_CALLER);
}
RS_BINDABLE(curl_multi_remove_handle);

__attribute__((noinline)) static CURLMcode perform_of_program(CURLM *handle, int *running,
							      const void *caller)
{
	struct rs_multi *m = rs_multi_find(handle);
	const struct rs_curl_api *api = api_of(m, caller);

	if (!api || !api->multi_perform)
		return CURLM_INTERNAL_ERROR;
	if (is_recursive(m))
		return CURLM_RECURSIVE_API_CALL;
	if (!m || m->busy)
		return is_driven(m) ? CURLM_RECURSIVE_API_CALL
				    : api->multi_perform(handle, running);
	rs_multi_before(m);
	return rs_multi_after(m, running, api->multi_perform(handle, running));
}

RS_EXPORT CURLMcode curl_multi_perform(CURLM *handle, int *running)
{
	if (rs_is_inside(__builtin_return_address(0)))
		return rs_curl_inside->multi_perform(handle, running);
	return perform_of_program(handle, running, RS_CALLER);
}
RS_BINDABLE(curl_multi_perform);

__attribute__((noinline)) static CURLMcode socket_action_of_program(CURLM *handle,
								    curl_socket_t socket,
								    int events, int *running,
								    const void *caller)
{
	struct rs_multi *m = rs_multi_find(handle);
	const struct rs_curl_api *api = api_of(m, caller);

	if (!api || !api->multi_socket_action)
		return CURLM_INTERNAL_ERROR;
	if (is_recursive(m))
		return CURLM_RECURSIVE_API_CALL;
	if (!m || m->busy)
		return is_driven(m) ? CURLM_RECURSIVE_API_CALL
				    : api->multi_socket_action(handle, socket, events, running);
	if (socket == CURL_SOCKET_TIMEOUT)
		rs_multi_timer_expired(m);
	rs_multi_before(m);
	if (socket == CURL_SOCKET_TIMEOUT)
		rs_multi_libcurl_expires(m);
	return rs_multi_after(m, running,
			      api->multi_socket_action(handle, socket, events, running));
}

RS_EXPORT CURLMcode curl_multi_socket_action(CURLM *handle, curl_socket_t socket, int events,
					     int *running)
{
	if (rs_is_inside(__builtin_return_address(0)))
		return rs_curl_inside->multi_socket_action(handle, socket, events, running);
	return socket_action_of_program(handle, socket, events, running, RS_CALLER);
}
RS_BINDABLE(curl_multi_socket_action);

/* The older way to say so, to libcurl too. */
RS_EXPORT CURLMcode curl_multi_socket(CURLM *handle, curl_socket_t socket, int *running)
{
	return socket_action_of_program(handle, socket, 0, running, RS_CALLER);
}
RS_BINDABLE(curl_multi_socket);

/* Whether the program's timer has gone off, this does not say: if it is told again to no purpose,
 * then to what it stands at. */
RS_EXPORT CURLMcode curl_multi_socket_all(CURLM *handle, int *running)
{
	struct rs_multi *m = rs_multi_find(handle);
	const struct rs_curl_api *api = api_of(m, RS_CALLER);

	if (!api || !api->multi_socket_all)
		return CURLM_INTERNAL_ERROR;
	if (is_recursive(m))
		return CURLM_RECURSIVE_API_CALL;
	if (!m || m->busy)
		return is_driven(m) ? CURLM_RECURSIVE_API_CALL
				    : api->multi_socket_all(handle, running);
	rs_multi_timer_expired(m);
	rs_multi_before(m);
	return rs_multi_after(m, running, api->multi_socket_all(handle, running));
}
RS_BINDABLE(curl_multi_socket_all);

__attribute__((noinline)) static CURLMsg *info_read_of_program(CURLM *handle, int *left,
							       const void *caller)
{
	struct rs_multi *m = rs_multi_find(handle);
	const struct rs_curl_api *api = api_of(m, caller);

	if (!api || !api->multi_info_read)
		return NULL;
	return m ? rs_multi_read(m, left) : api->multi_info_read(handle, left);
}

RS_EXPORT CURLMsg *curl_multi_info_read(CURLM *handle, int *left)
{
	if (rs_is_inside(__builtin_return_address(0)))
		return rs_curl_inside->multi_info_read(handle, left);
	return info_read_of_program(handle, left, RS_CALLER);
}
RS_BINDABLE(curl_multi_info_read);

__attribute__((noinline)) static CURLMcode wait_of_program(CURLM *handle,
							   struct curl_waitfd extra[],
							   unsigned count, int timeout_ms,
							   int *ready, const void *caller)
{
	struct rs_multi *m = rs_multi_find(handle);
	const struct rs_curl_api *api = api_of(m, caller);

	if (!api || !api->multi_wait)
		return CURLM_INTERNAL_ERROR;
	if (is_recursive(m))
		return CURLM_RECURSIVE_API_CALL;
	/* It does not wait where libcurl has nothing to wait for; a slow transfer would be that. */
	if (m && m->waiting > 0 && timeout_ms >= 0 && api->multi_poll)
		return api->multi_poll(handle, extra, count,
				       (int)rs_multi_shorten_ms(m, timeout_ms), ready);
	return api->multi_wait(handle, extra, count, timeout_ms, ready);
}

RS_EXPORT CURLMcode curl_multi_wait(CURLM *handle, struct curl_waitfd extra[], unsigned count,
				    int timeout_ms, int *ready)
{
	if (rs_is_inside(__builtin_return_address(0)))
		return rs_curl_inside->multi_wait(handle, extra, count, timeout_ms, ready);
	return wait_of_program(handle, extra, count, timeout_ms, ready, RS_CALLER);
}
RS_BINDABLE(curl_multi_wait);

__attribute__((noinline)) static CURLMcode poll_of_program(CURLM *handle,
							   struct curl_waitfd extra[],
							   unsigned count, int timeout_ms,
							   int *ready, const void *caller)
{
	struct rs_multi *m = rs_multi_find(handle);
	const struct rs_curl_api *api = api_of(m, caller);

	if (!api || !api->multi_poll)
		return CURLM_INTERNAL_ERROR;
	if (is_recursive(m))
		return CURLM_RECURSIVE_API_CALL;
	if (m && timeout_ms >= 0)
		timeout_ms = (int)rs_multi_shorten_ms(m, timeout_ms);
	return api->multi_poll(handle, extra, count, timeout_ms, ready);
}

RS_EXPORT CURLMcode curl_multi_poll(CURLM *handle, struct curl_waitfd extra[], unsigned count,
				    int timeout_ms, int *ready)
{
	if (rs_is_inside(__builtin_return_address(0)))
		return rs_curl_inside->multi_poll(handle, extra, count, timeout_ms, ready);
	return poll_of_program(handle, extra, count, timeout_ms, ready, RS_CALLER);
}
RS_BINDABLE(curl_multi_poll);

__attribute__((noinline)) static CURLMcode timeout_of_program(CURLM *handle, long *timeout_ms,
							      const void *caller)
{
	struct rs_multi *m = rs_multi_find(handle);
	const struct rs_curl_api *api = api_of(m, caller);
	CURLMcode result;

	if (!api || !api->multi_timeout)
		return CURLM_INTERNAL_ERROR;
	if (is_recursive(m))
		return CURLM_RECURSIVE_API_CALL;
	result = api->multi_timeout(handle, timeout_ms);
	if (m && result == CURLM_OK)
		*timeout_ms = rs_multi_shorten_ms(m, *timeout_ms);
	return result;
}

RS_EXPORT CURLMcode curl_multi_timeout(CURLM *handle, long *timeout_ms)
{
	if (rs_is_inside(__builtin_return_address(0)))
		return rs_curl_inside->multi_timeout(handle, timeout_ms);
	return timeout_of_program(handle, timeout_ms, RS_CALLER);
}
RS_BINDABLE(curl_multi_timeout);

/* Is it something that the record of the multi handle has to know? */
static bool is_noted(CURLMoption option)
{
	return option == CURLMOPT_TIMERFUNCTION || option == CURLMOPT_TIMERDATA ||
	       option == CURLMOPT_PUSHFUNCTION || option == RS_CURLMOPT_NOTIFYFUNCTION ||
	       option == RS_CURLMOPT_NOTIFYDATA;
}

__attribute__((noinline)) static CURLMcode set_word(CURLM *handle, CURLMoption option, void *value,
						    const void *caller)
{
	const struct rs_curl_caller *found = rs_real_curl(caller);
	struct rs_multi *m = rs_multi_find(handle);

	if (!found || !found->api->multi_setopt)
		return CURLM_INTERNAL_ERROR;
	if (is_recursive(m))
		return CURLM_RECURSIVE_API_CALL;
	if (!is_noted(option))
		return (m ? m->api : found->api)->multi_setopt(handle, option, value);
	if (!m && handle && !found->is_libcurl)
		m = rs_multi_of(handle, found->api);
	return m ? rs_multi_set(m, option, value) : found->api->multi_setopt(handle, option, value);
}

#if defined(__x86_64__) || defined(__aarch64__)
/* One machine word in the third argument's register, as in curl_easy_setopt(). */
CURLMcode rs_multi_setopt(CURLM *handle, CURLMoption option,
			  void *value) __asm__("curl_multi_setopt");

RS_EXPORT CURLMcode rs_multi_setopt(CURLM *handle, CURLMoption option, void *value)
{
	if (rs_is_inside(__builtin_return_address(0)))
		return rs_curl_inside->multi_setopt(handle, option, value);
	return set_word(handle, option, value, RS_CALLER);
}

extern __typeof__(rs_multi_setopt) rs_hook_curl_multi_setopt
	__attribute__((alias("curl_multi_setopt"), visibility("hidden"), used));

#else
RS_EXPORT CURLMcode curl_multi_setopt(CURLM *handle, CURLMoption option, ...)
{
	const void *caller = RS_CALLER;
	struct rs_multi *m = rs_multi_find(handle);
	const struct rs_curl_api *api = api_of(m, caller);
	CURLMcode result = CURLM_INTERNAL_ERROR;
	va_list args;

	if (is_recursive(m))
		return CURLM_RECURSIVE_API_CALL;
	va_start(args, option);
	if (option >= CURLOPTTYPE_OFF_T && api && api->multi_setopt)
		result = api->multi_setopt(handle, option, va_arg(args, curl_off_t));
	else if (option < CURLOPTTYPE_OBJECTPOINT && api && api->multi_setopt)
		result = api->multi_setopt(handle, option, va_arg(args, long));
	else if (option < CURLOPTTYPE_OFF_T)
		result = set_word(handle, option, va_arg(args, void *), caller);
	va_end(args);
	return result;
}
RS_BINDABLE(curl_multi_setopt);
#endif

__attribute__((noinline)) static CURLMcode cleanup_of_program(CURLM *handle, const void *caller)
{
	struct rs_multi *m = rs_multi_find(handle);
	const struct rs_curl_api *api = api_of(m, caller);
	CURLMcode result;
	bool busy;

	if (!api || !api->multi_cleanup)
		return CURLM_INTERNAL_ERROR;
	if (!m) {
		rs_multi_unknown_gone(handle);
		return api->multi_cleanup(handle);
	}
	if (is_driven(m))
		return CURLM_RECURSIVE_API_CALL;
	busy = m->busy;
	m->busy = true; /* no timer is told of what ends here */
	result = api->multi_cleanup(handle);
	m->busy = busy;
	if (result == CURLM_OK)
		rs_multi_free(m);
	return result;
}

RS_EXPORT CURLMcode curl_multi_cleanup(CURLM *handle)
{
	if (rs_is_inside(__builtin_return_address(0)))
		return rs_curl_inside->multi_cleanup(handle);
	return cleanup_of_program(handle, RS_CALLER);
}
RS_BINDABLE(curl_multi_cleanup);
