#include <stdio.h>

#include "process.h"
#include "transfer/exchange.h"
#include "transfer/glimpse.h"

/* As when it came. */
static size_t deliver_late(struct rs_exchange *x, enum rs_piece_kind kind, struct rs_span bytes)
{
	struct rs_handle *handle = x->handle;
	size_t took;

	if (handle->hold.glimpses)
		rs_glimpse_show(handle);
	took = rs_deliver(x, kind, (char *)bytes.at, bytes.len);
	rs_glimpse_hide(handle);
	return took;
}

size_t rs_response_release(struct rs_exchange *x, size_t len)
{
	struct rs_hold *hold = &x->handle->hold;
	enum rs_piece_kind kind;
	struct rs_span bytes;

	x->halted = false; /* whatever we have heard of it, libcurl delivers, or is done */
	while (rs_hold_next(hold, &kind, &bytes)) {
		size_t took = deliver_late(x, kind, bytes);

		if (took == CURL_WRITEFUNC_PAUSE) {
			x->halted = !x->waits;
			return took;
		}
		if (took != bytes.len)
			return 0;
		rs_hold_released(hold);
		if (x->paused || x->halted)
			return CURL_WRITEFUNC_PAUSE;
	}
	return len;
}

/* In libcurl's own words. */
static void tell_timeout(struct rs_exchange *x, int64_t took_ns)
{
	const struct rs_curl_api *api = x->handle->api;
	curl_off_t got = 0, length = -1;
	char of[32] = "", text[CURL_ERROR_SIZE];

	api->easy_getinfo(x->handle->easy, CURLINFO_SIZE_DOWNLOAD_T, &got);
	api->easy_getinfo(x->handle->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
	if (length >= 0)
		snprintf(of, sizeof(of), "out of %lld ", (long long)length);
	snprintf(text, sizeof(text),
		 "Operation timed out after %lld milliseconds with %lld %sbytes received",
		 (long long)(took_ns / RS_NS_PER_MS), (long long)got, of);
	rs_transfer_error(x, text);
}

/* The time that the program has given the transfer goes by while it pauses. */
static bool is_timed_out(struct rs_exchange *x, CURLcode *result)
{
	int64_t now_ns = rs_now_ns();

	if (now_ns < rs_exchange_ends_ns(x))
		return false;
	tell_timeout(x, now_ns - x->attempt_ns);
	*result = CURLE_OPERATION_TIMEDOUT;
	return true;
}

/* libcurl is done: it is us whom the program pauses. */
static size_t release_rest(struct rs_exchange *x)
{
	bool waited = x->waits;
	size_t took;

	x->waits = true;
	took = rs_response_release(x, 1);
	x->waits = waited;
	x->paused |= took == CURL_WRITEFUNC_PAUSE;
	return took;
}

bool rs_response_finish(struct rs_exchange *x, CURLcode *result)
{
	size_t took;

	*result = CURLE_OK;
	if (x->paused)
		return is_timed_out(x, result);
	if (x->halted)
		return true; /* libcurl has given up meanwhile: nothing follows */
	if (x->phase == RS_REFUSING)
		rs_hold_truncate(&x->handle->hold, x->header_pieces);
	took = release_rest(x);
	if (x->paused && x->phase != RS_REFUSING) {
		rs_exchange_time(x);
		return false;
	}
	x->paused = false; /* libcurl refuses all the same, and drops the rest */
	if (took == 1 || took == CURL_WRITEFUNC_PAUSE)
		return true;
	*result = CURLE_WRITE_ERROR;
	rs_transfer_error(x, rs_words_for(x->stopped));
	return true;
}
