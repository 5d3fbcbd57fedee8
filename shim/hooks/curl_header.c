/*
 * The headers of a response, as the program asks for them after it. Mostly libcurl knows best.
 */
#include <curl/curl.h>

#include "hooks/export.h"
#include "transfer/handle.h"
#include "transfer/kept_headers.h"

/* The last one is that whose lines are handed out: libcurl may be further. */
static int request_of(const struct rs_handle *handle, int request)
{
	if (!handle || !handle->whole.valid)
		return request;
	return request == RS_LAST_REQUEST || handle->whole.request == RS_NO_REQUEST
		       ? handle->whole.request
		       : request;
}

/* Trailers come behind the rest of a download that was continued, and are in no copy. */
static bool has_trailers(const struct rs_handle *handle, unsigned origin, int request)
{
	return handle->whole.trailed && origin & CURLH_TRAILER &&
	       rs_headers_continue(handle->headers, request);
}

static CURLHcode find_kept(const struct rs_handle *handle, const char *name, size_t index,
			   unsigned origin, int request, struct curl_header **found)
{
	CURLHcode code = rs_headers_find(handle->headers, name, index, origin, request, found);

	if (code != CURLHE_MISSING || !has_trailers(handle, origin, request))
		return code;
	return handle->api->easy_header(handle->easy, name, index, CURLH_TRAILER, RS_LAST_REQUEST,
					found);
}

RS_EXPORT CURLHcode curl_easy_header(CURL *easy, const char *name, size_t index, unsigned origin,
				     int request, struct curl_header **found)
{
	const struct rs_handle *handle = rs_handle_find(easy);
	const struct rs_curl_api *api = rs_handle_api(handle, RS_CALLER);

	if (!api || !api->easy_header)
		return CURLHE_NOT_BUILT_IN;
	if (handle && handle->headers)
		return find_kept(handle, name, index, origin, request, found);
	return api->easy_header(easy, name, index, origin, request_of(handle, request), found);
}
RS_BINDABLE(curl_easy_header);

/* First those that are kept: the last of them, or a trailer, is followed by a trailer. */
static struct curl_header *next_kept(const struct rs_handle *handle, unsigned origin, int request,
				     struct curl_header *previous)
{
	struct curl_header *next = rs_headers_next(handle->headers, origin, request, previous);

	if (next || !has_trailers(handle, origin, request))
		return next;
	if (previous && !(previous->origin & CURLH_TRAILER))
		previous = NULL;
	return handle->api->easy_nextheader(handle->easy, CURLH_TRAILER, RS_LAST_REQUEST, previous);
}

RS_EXPORT struct curl_header *curl_easy_nextheader(CURL *easy, unsigned origin, int request,
						   struct curl_header *previous)
{
	const struct rs_handle *handle = rs_handle_find(easy);
	const struct rs_curl_api *api = rs_handle_api(handle, RS_CALLER);

	if (!api || !api->easy_nextheader)
		return NULL;
	if (handle && handle->headers)
		return next_kept(handle, origin, request, previous);
	return api->easy_nextheader(easy, origin, request_of(handle, request), previous);
}
RS_BINDABLE(curl_easy_nextheader);
