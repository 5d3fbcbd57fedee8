#include "transfer/stand_in.h"

#include <string.h>

#include "transfer/arrival.h"

/* Out of our sight, or unguarded: what libcurl does by itself. */
__attribute__((noinline)) static size_t pass_body(const struct rs_handle *handle, char *bytes,
						  size_t one, size_t len, void *data)
{
	curl_write_callback fn = handle->options.write_fn;

	return fn ? fn(bytes, one, len, data) : fwrite(bytes, one, len, data);
}

__attribute__((noinline)) static size_t pass_line(const struct rs_handle *handle, char *bytes,
						  size_t one, size_t len, void *data)
{
	const struct rs_options *o = &handle->options;

	if (o->header_fn)
		return o->header_fn(bytes, one, len, data);
	return data ? pass_body(handle, bytes, one, len, data) : len;
}

static inline size_t take_body(const struct rs_handle *handle, char *bytes, size_t one, size_t len,
			       void *data)
{
	if (rs_body_flows(handle))
		return rs_pass_piece(handle, bytes, len, data);
	return handle->active ? rs_response_piece(handle->active, bytes, len)
			      : pass_body(handle, bytes, one, len, data);
}

static inline size_t take_line(const struct rs_handle *handle, char *bytes, size_t one, size_t len,
			       void *data)
{
	if (rs_line_flows(handle, len))
		return rs_pass_line(handle, bytes, len, data);
	return handle->active ? rs_response_line(handle->active, bytes, len, data)
			      : pass_line(handle, bytes, one, len, data);
}

/* Is there nothing to hide of what libcurl tells, nor to add to it? */
static inline bool progress_flows(const struct rs_exchange *x, curl_off_t dltotal, curl_off_t dlnow)
{
	return !x->resume.continuing && !x->fault.cuts && !(x->progress_hidden | x->sends_again) &&
	       (x->phase == RS_STREAMING || !(dltotal | dlnow));
}

static inline int take_progress(const struct rs_handle *handle, void *data, curl_off_t dltotal,
				curl_off_t dlnow, curl_off_t ultotal, curl_off_t ulnow)
{
	const struct rs_options *o = &handle->options;
	struct rs_exchange *x = handle->active;
	int depth, answer;

	if (__builtin_expect(!x, 0)) /* and there is one: set_progress(), rs_progress_restore() */
		return o->xferinfo_fn(data, dltotal, dlnow, ultotal, ulnow);
	x->progress = (struct rs_progress){ dltotal, dlnow, ultotal, ulnow };
	if (__builtin_expect(!o->xferinfo_fn, 0) || !progress_flows(x, dltotal, dlnow))
		return rs_progress_pass(x);
	depth = rs_program_enter();
	answer = o->xferinfo_fn(data, dltotal, dlnow, ultotal, ulnow);
	rs_program_leave(depth);
	return answer;
}

#define STAND_IN(number)                                                                           \
	static size_t body_##number(char *bytes, size_t one, size_t len, void *data)               \
	{                                                                                          \
		return take_body(&rs_handles_kept[number].record, bytes, one, len, data);          \
	}                                                                                          \
	static size_t header_##number(char *bytes, size_t one, size_t len, void *data)             \
	{                                                                                          \
		return take_line(&rs_handles_kept[number].record, bytes, one, len, data);          \
	}                                                                                          \
	static int progress_##number(void *data, curl_off_t dltotal, curl_off_t dlnow,             \
				     curl_off_t ultotal, curl_off_t ulnow)                         \
	{                                                                                          \
		return take_progress(&rs_handles_kept[number].record, data, dltotal, dlnow,        \
				     ultotal, ulnow);                                              \
	}

STAND_IN(0)
STAND_IN(1)
STAND_IN(2)
STAND_IN(3)

const struct rs_stand_in rs_stand_ins[RS_HANDLES_KEPT] = {
	{ body_0, header_0 },
	{ body_1, header_1 },
	{ body_2, header_2 },
	{ body_3, header_3 },
};

/* Few programs want one: not worth pointers in the table, which every start would have to mend. */
static curl_xferinfo_callback progress_of(const struct rs_handle *handle)
{
	switch (handle->stand_in - rs_stand_ins) {
	case 0:
		return progress_0;
	case 1:
		return progress_1;
	case 2:
		return progress_2;
	default:
		return progress_3;
	}
}
_Static_assert(RS_HANDLES_KEPT == 4, "each has one");

static CURLcode set_body(struct rs_handle *handle, void *value)
{
	memcpy(&handle->options.write_fn, &value, sizeof(value));
	if (handle->body_stands)
		return CURLE_OK;
	if (__builtin_expect(!handle->stand_in, 0))
		return handle->api->easy_setopt(handle->easy, CURLOPT_WRITEFUNCTION, value);
	handle->body_stands = true;
	return handle->api->easy_setopt(handle->easy, CURLOPT_WRITEFUNCTION,
					handle->stand_in->body);
}

__attribute__((noinline)) static CURLcode set_header(struct rs_handle *handle, void *value)
{
	memcpy(&handle->options.header_fn, &value, sizeof(value));
	if (value && (handle->header_stands || rs_stand_in_for_headers(handle)))
		return CURLE_OK;
	handle->header_stands = false;
	return handle->api->easy_setopt(handle->easy, CURLOPT_HEADERFUNCTION, value);
}

__attribute__((noinline)) static CURLcode set_progress(struct rs_handle *handle, void *value)
{
	CURLcode result;

	if (value && handle->progress_stands) {
		memcpy(&handle->options.xferinfo_fn, &value, sizeof(value));
		return CURLE_OK;
	}
	result = handle->api->easy_setopt(handle->easy, CURLOPT_XFERINFOFUNCTION, value);
	if (result != CURLE_OK)
		return result;
	memcpy(&handle->options.xferinfo_fn, &value, sizeof(value));
	handle->progress_stands = false;
	return CURLE_OK;
}

CURLcode rs_stand_in_set(struct rs_handle *handle, CURLoption option, void *value)
{
	if (option == CURLOPT_WRITEFUNCTION)
		return set_body(handle, value);
	return option == CURLOPT_HEADERFUNCTION ? set_header(handle, value)
						: set_progress(handle, value);
}

bool rs_stand_in_for_body(struct rs_handle *handle)
{
	if (!handle->stand_in)
		return false;
	if (!handle->body_stands)
		handle->api->easy_setopt(handle->easy, CURLOPT_WRITEFUNCTION,
					 handle->stand_in->body);
	handle->body_stands = true;
	return true;
}

bool rs_stand_in_for_headers(struct rs_handle *handle)
{
	if (!handle->stand_in)
		return false;
	if (!handle->header_stands)
		handle->api->easy_setopt(handle->easy, CURLOPT_HEADERFUNCTION,
					 handle->stand_in->header);
	handle->header_stands = true;
	return true;
}

bool rs_stand_in_for_progress(struct rs_handle *handle)
{
	if (!handle->stand_in || !handle->options.xferinfo_fn)
		return false;
	if (!handle->progress_stands)
		handle->api->easy_setopt(handle->easy, CURLOPT_XFERINFOFUNCTION,
					 progress_of(handle));
	handle->progress_stands = true;
	return true;
}

void rs_stand_in_undo(const struct rs_handle *handle, CURL *easy)
{
	const struct rs_options *o = &handle->options;

	if (handle->body_stands)
		handle->api->easy_setopt(easy, CURLOPT_WRITEFUNCTION, o->write_fn);
	if (handle->header_stands)
		handle->api->easy_setopt(easy, CURLOPT_HEADERFUNCTION, o->header_fn);
	if (handle->progress_stands)
		handle->api->easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, o->xferinfo_fn);
}

void rs_stand_in_leave(struct rs_handle *handle)
{
	rs_stand_in_undo(handle, handle->easy);
	handle->body_stands = handle->header_stands = handle->progress_stands = false;
}
