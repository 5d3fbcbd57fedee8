#include "transfer/cut.h"

#include <stdio.h>

#include "transfer/exchange.h"
#include "transfer/fault_words.h"

/* ---- the body ---- */

static size_t cut_body(char *bytes, size_t one, size_t len, void *exchange)
{
	struct rs_exchange *x = exchange;
	size_t left = x->fault.strike.fault->cut - x->fault.passed;
	size_t part = len < left ? len : left;
	size_t took = part > 0 ? rs_response_body(bytes, one, part, exchange) : 0;

	if (took != part)
		return took;
	x->fault.passed += part;
	if (part == len)
		return len;
	x->fault.cut = true;
	return 0;
}

static size_t cut_body_here(char *bytes, size_t one, size_t len, void *data)
{
	(void)data;
	return cut_body(bytes, one, len, rs_exchange_here);
}

/* ---- what libcurl counts ---- */

/* libcurl counts what it has read; where that is coded it is less than what has passed. Of chunks
 * it counts no more than those that were taken whole. */
curl_off_t rs_cut_got(const struct rs_exchange *x, bool has_length, curl_off_t counted)
{
	curl_off_t passed = (curl_off_t)x->fault.passed;

	return x->fault.cut && (passed < counted || !has_length) ? passed : counted;
}

/* ---- the beginning and the end ---- */

void rs_cut_begin(struct rs_exchange *x)
{
	x->fault.cuts = true;
	rs_transfer_divert_body(x, cut_body, cut_body_here);
}

static void note_sizes(struct rs_exchange *x, curl_off_t length)
{
	CURLcode (*get)(CURL *, CURLINFO, ...) = x->handle->api->easy_getinfo;
	struct rs_fault_told *told = &x->handle->fault;
	CURL *easy = x->handle->easy;
	curl_off_t counted = 0, speed = 0;

	get(easy, CURLINFO_SIZE_DOWNLOAD_T, &counted);
	get(easy, CURLINFO_SPEED_DOWNLOAD_T, &speed);
	get(easy, CURLINFO_OS_ERRNO, &told->os_errno);
	told->size = rs_cut_got(x, length >= 0, counted);
	told->speed = counted > 0 ? (curl_off_t)((__int128)speed * told->size / counted) : 0;
	told->valid = told->is_cut = true;
}

/* As libcurl 7.88 says it. */
static void say(struct rs_exchange *x, curl_off_t left)
{
	char text[80] = RS_WORDS_FOR_BROKEN_OFF;

	if (left > 0)
		snprintf(text, sizeof(text), "transfer closed with %lld bytes remaining to read",
			 (long long)left);
	rs_transfer_error(x, text);
}

CURLcode rs_cut_end(struct rs_exchange *x, CURLcode result)
{
	curl_off_t length = -1;

	rs_transfer_take_body(x);
	x->fault.cuts = false;
	if (!x->fault.cut || result != CURLE_WRITE_ERROR)
		return result;
	x->handle->api->easy_getinfo(x->handle->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
	note_sizes(x, length);
	say(x, length - x->handle->fault.size);
	return CURLE_PARTIAL_FILE;
}

bool rs_cut_info(const struct rs_fault_told *told, CURLINFO info, void *value)
{
	if (!told->is_cut)
		return false;
	switch ((int)info) {
	case CURLINFO_SIZE_DOWNLOAD_T:
		*(curl_off_t *)value = told->size;
		return true;
	case CURLINFO_SIZE_DOWNLOAD:
		*(double *)value = (double)told->size;
		return true;
	case CURLINFO_SPEED_DOWNLOAD_T:
		*(curl_off_t *)value = told->speed;
		return true;
	case CURLINFO_SPEED_DOWNLOAD:
		*(double *)value = (double)told->speed;
		return true;
	default:
		return false;
	}
}
