#include "transfer/handle.h"

#include <stdlib.h>

#include "transfer/fault.h"
#include "transfer/multi.h"
#include "transfer/stand_in.h"

struct rs_table rs_handles;

#define KEPT_HOLD 4096 /* bytes of held responses whose memory the next handle may have */
struct rs_kept_handle rs_handles_kept[RS_HANDLES_KEPT];

static struct rs_handle *take_kept(void)
{
	struct rs_kept_handle *const end = rs_handles_kept + RS_HANDLES_KEPT;

	for (struct rs_kept_handle *kept = rs_handles_kept; kept < end; kept++) {
		if (atomic_load_explicit(&kept->taken, memory_order_relaxed) ||
		    atomic_exchange_explicit(&kept->taken, true, memory_order_acquire))
			continue;
		if (__builtin_expect(!kept->record.taken, 0)) {
			kept->record.taken = &kept->taken;
			kept->record.stand_in = &rs_stand_ins[kept - rs_handles_kept];
		}
		return &kept->record;
	}
	return NULL;
}

static struct rs_handle *new_record(void)
{
	struct rs_handle *handle = take_kept();

	if (!handle) {
		handle = calloc(1, sizeof(*handle));
		if (!handle)
			return NULL;
		handle->allocated = handle;
	}
	rs_options_init(&handle->options);
	return handle;
}

static void forget(CURL *easy)
{
	struct rs_handle *handle = rs_handle_take(easy);

	if (!handle)
		return;
	if (rs_multi_minds(handle))
		rs_multi_lose(handle);
	rs_handle_free(handle);
}

__attribute__((noinline)) static struct rs_handle *add_with_care(struct rs_handle *handle)
{
	forget(handle->easy);
	if (rs_table_put(&rs_handles, handle->easy, handle))
		return handle;
	rs_handle_free(handle);
	return NULL;
}

struct rs_handle *rs_handle_add(CURL *easy, const struct rs_curl_api *api)
{
	struct rs_handle *handle = new_record();

	if (__builtin_expect(!handle, 0)) {
		forget(easy);
		return NULL;
	}
	handle->easy = easy;
	handle->api = api;
	return rs_table_put_at_once(&rs_handles, easy, handle) ? handle : add_with_care(handle);
}

/* None, to libcurl, is one that is empty. It is another one than a last call has led to. */
void rs_handle_ask_url(struct rs_handle *handle)
{
	const char *text = NULL;

	handle->whole.url = NULL;
	free(handle->fault.url);
	handle->fault.url = NULL;
	if (handle->api->easy_getinfo &&
	    handle->api->easy_getinfo(handle->easy, CURLINFO_EFFECTIVE_URL, &text) != CURLE_OK)
		text = NULL;
	rs_options_learn_url(&handle->options, text && *text ? text : NULL);
}

void rs_handle_forget_last(struct rs_handle *handle)
{
	handle->whole.valid = false;
	free(handle->headers);
	handle->headers = NULL;
	free(handle->whole_url);
	handle->whole_url = NULL;
	rs_fault_forget(handle);
}

/* As it was in the beginning, but for what rs_options_init() sees to. */
static void clear(struct rs_handle *handle)
{
	rs_options_release(&handle->options);
	if (__builtin_expect(rs_handle_tells(handle), 0))
		rs_handle_forget_last(handle);
	if (handle->hold.count > 0)
		rs_hold_empty(&handle->hold);
	if (handle->hold.size > KEPT_HOLD)
		rs_hold_free(&handle->hold);
	if (handle->multi_call) {
		free(handle->multi_call);
		handle->multi_call = NULL;
	}
	handle->active = NULL;
	handle->body_stands = handle->header_stands = handle->progress_stands = false;
	handle->flows = handle->lines_flow = false;
}

void rs_handle_free(struct rs_handle *handle)
{
	clear(handle);
	if (handle->taken) {
		atomic_store_explicit(handle->taken, false, memory_order_release);
		return;
	}
	rs_hold_free(&handle->hold);
	free(handle->room);
	free(handle->allocated);
}
