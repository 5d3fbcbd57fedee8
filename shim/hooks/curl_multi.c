/*
 * The curl multi interface, as the program calls it. libcurl enters these functions too, for the
 * multi handles that it makes for itself: of those nothing is known, and they pass.
 */
#include <curl/curl.h>
#include <stdarg.h>
#include <stddef.h>

#include "hooks/export.h"
#include "transfer/multi.h"

#undef curl_multi_setopt

static const struct rs_curl_api *api_of(const struct rs_multi *m, const void *caller)
{
	const struct rs_curl_caller *found;

	if (m)
		return m->api;
	found = rs_real_curl(caller);
	return found ? found->api : NULL;
}

RS_EXPORT CURLMcode curl_multi_add_handle(CURLM *handle, CURL *easy)
{
	const struct rs_curl_caller *caller = rs_real_curl(RS_CALLER);
	struct rs_handle *known = rs_handle_find(easy);

	if (!caller || !caller->api->multi_add_handle)
		return CURLM_INTERNAL_ERROR;
	if (!known || caller->is_libcurl || !handle)
		return caller->api->multi_add_handle(handle, easy);
	return rs_multi_add(handle, known);
}
RS_BINDABLE(curl_multi_add_handle);

RS_EXPORT CURLMcode curl_multi_remove_handle(CURLM *handle, CURL *easy)
{
	struct rs_multi *m = rs_multi_find(handle);
	const struct rs_curl_api *api = api_of(m, RS_CALLER);
	struct rs_handle *known = m ? rs_handle_find(easy) : NULL;

	if (!api || !api->multi_remove_handle)
		return CURLM_INTERNAL_ERROR;
	return known ? rs_multi_remove(m, known) : api->multi_remove_handle(handle, easy);
}
RS_BINDABLE(curl_multi_remove_handle);

RS_EXPORT CURLMcode curl_multi_perform(CURLM *handle, int *running)
{
	struct rs_multi *m = rs_multi_find(handle);
	const struct rs_curl_api *api = api_of(m, RS_CALLER);
	CURLMcode result;

	if (!api || !api->multi_perform)
		return CURLM_INTERNAL_ERROR;
	if (!m || m->busy)
		return api->multi_perform(handle, running);
	rs_multi_before(m);
	result = api->multi_perform(handle, running);
	rs_multi_after(m, running);
	rs_multi_calm(m, running);
	return result;
}
RS_BINDABLE(curl_multi_perform);

RS_EXPORT CURLMcode curl_multi_socket_action(CURLM *handle, curl_socket_t socket, int events,
					     int *running)
{
	struct rs_multi *m = rs_multi_find(handle);
	const struct rs_curl_api *api = api_of(m, RS_CALLER);
	CURLMcode result;

	if (!api || !api->multi_socket_action)
		return CURLM_INTERNAL_ERROR;
	if (!m || m->busy)
		return api->multi_socket_action(handle, socket, events, running);
	if (socket == CURL_SOCKET_TIMEOUT)
		rs_multi_timer_expired(m);
	rs_multi_before(m);
	result = api->multi_socket_action(handle, socket, events, running);
	rs_multi_after(m, running);
	return result;
}
RS_BINDABLE(curl_multi_socket_action);

RS_EXPORT CURLMsg *curl_multi_info_read(CURLM *handle, int *left)
{
	struct rs_multi *m = rs_multi_find(handle);
	const struct rs_curl_api *api = api_of(m, RS_CALLER);

	if (!api || !api->multi_info_read)
		return NULL;
	return m ? rs_multi_read(m, left) : api->multi_info_read(handle, left);
}
RS_BINDABLE(curl_multi_info_read);

RS_EXPORT CURLMcode curl_multi_wait(CURLM *handle, struct curl_waitfd extra[], unsigned count,
				    int timeout_ms, int *ready)
{
	struct rs_multi *m = rs_multi_find(handle);
	const struct rs_curl_api *api = api_of(m, RS_CALLER);

	if (!api || !api->multi_wait)
		return CURLM_INTERNAL_ERROR;
	/* It does not wait where libcurl has nothing to wait for; a slow transfer would be that. */
	if (m && m->waiting > 0 && api->multi_poll)
		return api->multi_poll(handle, extra, count,
				       (int)rs_multi_shorten_ms(m, timeout_ms), ready);
	return api->multi_wait(handle, extra, count, timeout_ms, ready);
}
RS_BINDABLE(curl_multi_wait);

RS_EXPORT CURLMcode curl_multi_poll(CURLM *handle, struct curl_waitfd extra[], unsigned count,
				    int timeout_ms, int *ready)
{
	struct rs_multi *m = rs_multi_find(handle);
	const struct rs_curl_api *api = api_of(m, RS_CALLER);

	if (!api || !api->multi_poll)
		return CURLM_INTERNAL_ERROR;
	if (m && timeout_ms >= 0)
		timeout_ms = (int)rs_multi_shorten_ms(m, timeout_ms);
	return api->multi_poll(handle, extra, count, timeout_ms, ready);
}
RS_BINDABLE(curl_multi_poll);

RS_EXPORT CURLMcode curl_multi_timeout(CURLM *handle, long *timeout_ms)
{
	struct rs_multi *m = rs_multi_find(handle);
	const struct rs_curl_api *api = api_of(m, RS_CALLER);
	CURLMcode result;

	if (!api || !api->multi_timeout)
		return CURLM_INTERNAL_ERROR;
	result = api->multi_timeout(handle, timeout_ms);
	if (m && result == CURLM_OK)
		*timeout_ms = rs_multi_shorten_ms(m, *timeout_ms);
	return result;
}
RS_BINDABLE(curl_multi_timeout);

static CURLMcode set_word(CURLM *handle, CURLMoption option, void *value, const void *caller)
{
	const struct rs_curl_caller *found = rs_real_curl(caller);
	struct rs_multi *m = rs_multi_find(handle);

	if (!found || !found->api->multi_setopt)
		return CURLM_INTERNAL_ERROR;
	if (option != CURLMOPT_TIMERFUNCTION && option != CURLMOPT_TIMERDATA)
		return (m ? m->api : found->api)->multi_setopt(handle, option, value);
	if (!m && handle && !found->is_libcurl)
		m = rs_multi_of(handle, found->api);
	return m ? rs_multi_set_timer(m, option, value)
		 : found->api->multi_setopt(handle, option, value);
}

RS_EXPORT CURLMcode curl_multi_setopt(CURLM *handle, CURLMoption option, ...)
{
	const void *caller = RS_CALLER;
	struct rs_multi *m = rs_multi_find(handle);
	const struct rs_curl_api *api = api_of(m, caller);
	CURLMcode result = CURLM_INTERNAL_ERROR;
	va_list args;

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

RS_EXPORT CURLMcode curl_multi_cleanup(CURLM *handle)
{
	struct rs_multi *m = rs_multi_find(handle);
	const struct rs_curl_api *api = api_of(m, RS_CALLER);
	CURLMcode result;

	if (!api || !api->multi_cleanup)
		return CURLM_INTERNAL_ERROR;
	if (m)
		m->busy = true; /* no timer is told of what ends here */
	result = api->multi_cleanup(handle);
	if (m && result == CURLM_OK)
		rs_multi_free(m);
	return result;
}
RS_BINDABLE(curl_multi_cleanup);
