#include "transfer/glimpse.h"

#include <stdlib.h>
#include <string.h>

#include "transfer/exchange.h"
#include "transfer/kept_headers.h"

/* Lines that go nowhere are not asked about. */
static bool wants_headers(const struct rs_options *o)
{
	return o->header_fn || o->header_data || o->include_header;
}

/* From the one on that is known to have been made. */
static int newest_request(const struct rs_exchange *x, int request)
{
	const struct rs_curl_api *api = x->handle->api;

	if (!api->easy_header)
		return RS_LAST_REQUEST;
	while (rs_headers_know(api, x->handle->easy, request + 1))
		request++;
	return request;
}

void rs_glimpse_take(struct rs_exchange *x)
{
	struct rs_hold *hold = &x->handle->hold;
	struct rs_glimpse *glimpse;
	const char *url = "";

	if (!wants_headers(&x->handle->options))
		return;
	x->handle->api->easy_getinfo(x->handle->easy, CURLINFO_EFFECTIVE_URL, &url);
	glimpse = malloc(sizeof(*glimpse) + strlen(url) + 1);
	if (!glimpse)
		return;
	glimpse->next = NULL;
	glimpse->pieces = hold->count;
	memcpy(glimpse->url, url, strlen(url) + 1);
	rs_resume_note_info(x, &glimpse->info);
	glimpse->info.is_glimpse = true;
	glimpse->info.url = glimpse->url;
	glimpse->info.request = newest_request(x, hold->glimpses ? hold->newest->info.request : 0);
	*(hold->glimpses ? &hold->newest->next : &hold->glimpses) = glimpse;
	hold->newest = glimpse;
}

void rs_glimpse_show(struct rs_handle *handle)
{
	struct rs_hold *hold = &handle->hold;
	struct rs_glimpse *glimpse = hold->shown ? hold->shown : hold->glimpses;

	while (glimpse->pieces <= hold->released && glimpse->next)
		glimpse = glimpse->next;
	hold->shown = glimpse;
	if (glimpse->pieces > hold->released)
		handle->whole = glimpse->info;
	else
		rs_glimpse_hide(handle);
}

void rs_glimpse_nothing(struct rs_handle *handle)
{
	handle->whole = (struct rs_whole_info){
		.valid = true,
		.is_glimpse = true,
		.has_type = true,
		.filetime = -1,
		.length = RS_UNKNOWN_LENGTH,
		.request = RS_NO_REQUEST,
	};
}

void rs_glimpse_hide(struct rs_handle *handle)
{
	if (handle->whole.is_glimpse)
		handle->whole.valid = handle->whole.is_glimpse = false;
}

void rs_glimpse_free(struct rs_glimpse *glimpse)
{
	while (glimpse) {
		struct rs_glimpse *next = glimpse->next;

		free(glimpse);
		glimpse = next;
	}
}
