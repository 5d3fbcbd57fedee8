#include "transfer/cut.h"

#include <stdio.h>

#include "transfer/exchange.h"

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

/* ---- what the program's progress callback sees ---- */

/* libcurl counts what it has read; where that is coded it is less than what has passed. Of chunks
 * it counts no more than those that were taken whole. */
static curl_off_t got(const struct rs_exchange *x, bool has_length, curl_off_t counted)
{
	curl_off_t passed = (curl_off_t)x->fault.passed;

	return x->fault.cut && (passed < counted || !has_length) ? passed : counted;
}

static int xferinfo(void *exchange, curl_off_t dltotal, curl_off_t dlnow, curl_off_t ultotal,
		    curl_off_t ulnow)
{
	curl_off_t now = got(exchange, dltotal > 0, dlnow);

	return rs_resume_xferinfo(exchange, dltotal, now, ultotal, ulnow);
}

static int progress(void *exchange, double dltotal, double dlnow, double ultotal, double ulnow)
{
	curl_off_t now = got(exchange, dltotal > 0, (curl_off_t)dlnow);

	return rs_resume_progress(exchange, dltotal, (double)now, ultotal, ulnow);
}

/* Those of a continuation count what the program got in any case. */
static bool watches_progress(const struct rs_exchange *x)
{
	return x->fault.cuts && !x->resume.continuing;
}

static void watch_progress(struct rs_exchange *x)
{
	const struct rs_options *o = &x->handle->options;
	CURLcode (*set)(CURL *, CURLoption, ...) = x->handle->api->easy_setopt;
	CURL *easy = x->handle->easy;

	if (o->xferinfo_fn)
		set(easy, CURLOPT_XFERINFOFUNCTION, xferinfo);
	else if (o->progress_fn)
		set(easy, CURLOPT_PROGRESSFUNCTION, progress);
	if (o->xferinfo_fn || o->progress_fn)
		set(easy, CURLOPT_XFERINFODATA, x);
}

/* ---- the beginning and the end ---- */

void rs_cut_begin(struct rs_exchange *x)
{
	x->fault.cuts = true;
	rs_transfer_divert_body(x, cut_body, cut_body_here);
	if (watches_progress(x))
		watch_progress(x);
}

/* The one that is set comes last: libcurl notes whether the last one was. */
void rs_cut_restore(const struct rs_exchange *x, CURL *easy)
{
	const struct rs_options *o = &x->handle->options;
	CURLcode (*set)(CURL *, CURLoption, ...) = x->handle->api->easy_setopt;

	if (!watches_progress(x))
		return;
	set(easy, CURLOPT_XFERINFOFUNCTION, NULL);
	set(easy, CURLOPT_PROGRESSFUNCTION, o->progress_fn);
	if (o->xferinfo_fn)
		set(easy, CURLOPT_XFERINFOFUNCTION, o->xferinfo_fn);
	set(easy, CURLOPT_XFERINFODATA, o->progress_data);
}

bool rs_cut_owns(const struct rs_exchange *x, CURLoption option)
{
	return watches_progress(x) &&
	       (option == CURLOPT_XFERINFOFUNCTION || option == CURLOPT_PROGRESSFUNCTION ||
		option == CURLOPT_XFERINFODATA);
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
	told->size = got(x, length >= 0, counted);
	told->speed = counted > 0 ? (curl_off_t)((__int128)speed * told->size / counted) : 0;
	told->valid = told->is_cut = true;
}

/* As libcurl 7.88 says it. */
static void say(struct rs_exchange *x, curl_off_t left)
{
	char text[80] = "transfer closed with outstanding read data remaining";

	if (left > 0)
		snprintf(text, sizeof(text), "transfer closed with %lld bytes remaining to read",
			 (long long)left);
	rs_transfer_error(x, text);
}

CURLcode rs_cut_end(struct rs_exchange *x, CURLcode result)
{
	curl_off_t length = -1;

	rs_cut_restore(x, x->handle->easy);
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
