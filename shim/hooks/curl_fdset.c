/*
 * The descriptors that a program is to wait for, which libcurl knows; that there are none it may
 * have from us.
 */
#include <curl/curl.h>

#include "hooks/export.h"
#include "hooks/selects.h"
#include "transfer/multi.h"

RS_EXPORT CURLMcode curl_multi_fdset(CURLM *handle, fd_set *to_read, fd_set *to_write,
				     fd_set *except, int *highest)
{
	struct rs_multi *m = rs_multi_find(handle);
	const struct rs_curl_api *api = rs_curl_api_of(m ? m->api : NULL, RS_CALLER);
	CURLMcode result;

	if (!api || !api->multi_fdset)
		return CURLM_INTERNAL_ERROR;
	if (m && m->calling)
		return CURLM_RECURSIVE_API_CALL;
	result = api->multi_fdset(handle, to_read, to_write, except, highest);
	if (m && m->waiting > 0 && result == CURLM_OK && *highest < 0)
		rs_multi_calm(m, rs_selects);
	return result;
}
RS_BINDABLE(curl_multi_fdset);
