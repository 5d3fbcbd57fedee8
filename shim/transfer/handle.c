#include "transfer/handle.h"

#include <stdlib.h>

struct rs_table_place rs_handles_first[RS_TABLE_FIRST * RS_TABLE_BUCKET];
struct rs_table rs_handles = RS_TABLE_INIT(rs_handles_first);

struct rs_handle *rs_handle_add(CURL *easy, const struct rs_curl_api *api)
{
	struct rs_handle *handle;

	rs_handle_free(rs_handle_take(easy));
	handle = calloc(1, sizeof(*handle));
	if (!handle)
		return NULL;
	handle->easy = easy;
	handle->api = api;
	rs_options_init(&handle->options);
	if (rs_table_put(&rs_handles, easy, handle))
		return handle;
	free(handle);
	return NULL;
}

/* None, to libcurl, is one that is empty. */
void rs_handle_ask_url(struct rs_handle *handle)
{
	const char *text = NULL;
	bool told = handle->options.url_told && handle->api->easy_getinfo;

	if (told &&
	    handle->api->easy_getinfo(handle->easy, CURLINFO_EFFECTIVE_URL, &text) != CURLE_OK)
		text = NULL;
	rs_options_learn_url(&handle->options, text && *text ? text : NULL);
}

struct rs_handle *rs_handle_take(CURL *easy)
{
	return rs_table_take(&rs_handles, easy);
}

void rs_handle_free(struct rs_handle *handle)
{
	if (!handle)
		return;
	rs_options_release(&handle->options);
	free(handle->fault.url);
	rs_hold_free(&handle->hold);
	free(handle->multi_call);
	free(handle);
}
