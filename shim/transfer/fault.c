#include "transfer/fault.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "ops/fault_event.h"
#include "process.h"
#include "transfer/canned.h"
#include "transfer/exchange.h"

/* ---- which ---- */

/* Only HTTP has a status; and there is no network to be bad about a file. */
static bool can_strike(struct rs_exchange *x, const struct rs_fault *fault)
{
	return fault->status == 0 || rs_exchange_is_http(x);
}

void rs_fault_begin(struct rs_exchange *x)
{
	const struct rs_target *target = rs_exchange_target(x);

	x->fault = (struct rs_fault_attempt){ .fd = -1 };
	rs_fault_forget(x->handle);
	x->fault.strike = rs_fault_next(x->rules, target, rs_random(x->rules));
	if (x->fault.strike.fault && !can_strike(x, x->fault.strike.fault))
		x->fault.strike.fault = NULL;
	if (x->fault.strike.fault)
		rs_event_fault(x->rules, &x->fault.strike, target);
}

/* ---- errors ---- */

static bool is_file(struct rs_exchange *x)
{
	struct rs_span scheme = rs_exchange_target(x)->scheme;

	return scheme.len == 4 && strncasecmp(scheme.at, "file", 4) == 0;
}

/* libcurl is sent into a wall, so that it begins a transfer like any other and knows nothing of
 * the one before; what it says of the wall is then put in other words. A transfer that does not
 * even get there has failed by itself. */
static CURLcode fail(struct rs_exchange *x, CURLcode error, int sys_errno)
{
	CURLcode result = CURLE_COULDNT_CONNECT;

	if (!is_file(x)) {
		rs_canned_replace(x, NULL);
		result = rs_canned_perform(x);
		rs_canned_end(x);
	}
	if (result != CURLE_COULDNT_CONNECT)
		return result;
	x->handle->fault.valid = true;
	x->handle->fault.os_errno = sys_errno;
	if (x->handle->api->easy_strerror)
		rs_transfer_error(x, x->handle->api->easy_strerror(error));
	return error;
}

/* ---- delays ---- */

/* The time limit that is in force for the attempt; RS_FOREVER: none. */
static int64_t limit_ns(const struct rs_exchange *x)
{
	long own_ms = x->handle->options.timeout_ms;

	if (own_ms > 0)
		return rs_ns_mul(own_ms, RS_NS_PER_MS);
	return x->limits.attempt ? x->limits.attempt_ns : RS_FOREVER;
}

/* A peer that is slow enough is one that timed out. */
static CURLcode perform_late(struct rs_exchange *x, int64_t delay_ns, bool *over)
{
	int64_t most_ns = limit_ns(x);

	*over = true;
	if (!rs_exchange_wait(x, rs_ns_add(rs_now_ns(), rs_ns_min(delay_ns, most_ns))))
		return CURLE_ABORTED_BY_CALLBACK;
	if (delay_ns >= most_ns)
		return fail(x, CURLE_OPERATION_TIMEDOUT, 0);
	*over = false;
	return CURLE_OK;
}

/* ---- a real response that breaks off ---- */

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

static CURLcode perform_cut(struct rs_exchange *x)
{
	CURLcode result;

	x->fault.cuts = true;
	x->handle->api->easy_setopt(x->handle->easy, CURLOPT_WRITEFUNCTION, cut_body);
	result = rs_canned_perform(x);
	x->handle->api->easy_setopt(x->handle->easy, CURLOPT_WRITEFUNCTION, rs_response_body);
	if (!x->fault.cut || result != CURLE_WRITE_ERROR)
		return result;
	rs_transfer_error(x, "transfer closed with outstanding read data remaining");
	return CURLE_PARTIAL_FILE;
}

/* ---- all of them ---- */

/* A response that is canned is cut where it is made. */
static CURLcode answer(struct rs_exchange *x, const struct rs_fault *fault)
{
	CURLcode result;

	rs_canned_replace(x, fault);
	result = rs_canned_perform(x);
	rs_canned_note(x);
	rs_canned_end(x);
	return result;
}

CURLcode rs_fault_perform(struct rs_exchange *x)
{
	const struct rs_fault *fault = x->fault.strike.fault;
	bool over = false;

	if (x->fault.strike.delay_ns > 0) {
		CURLcode result = perform_late(x, x->fault.strike.delay_ns, &over);

		if (over)
			return result;
	}
	if (fault->error.curl)
		return fail(x, (CURLcode)fault->error.curl, fault->error.sys);
	if (fault->status)
		return answer(x, fault);
	return fault->cut == RS_NO_CUT ? rs_canned_perform(x) : perform_cut(x);
}

/* ---- what is told of it ---- */

bool rs_fault_errno(const struct rs_exchange *x, int *number)
{
	*number = (int)x->handle->fault.os_errno;
	return x->handle->fault.valid;
}

void rs_fault_forget(struct rs_handle *handle)
{
	if (!handle->fault.valid)
		return;
	free(handle->fault.url);
	handle->fault = (struct rs_fault_told){ .valid = false };
}

bool rs_fault_info(const struct rs_handle *handle, CURLINFO info, void *value)
{
	const struct rs_fault_told *fault = &handle->fault;

	if (!fault->valid)
		return false;
	switch ((int)info) {
	case CURLINFO_OS_ERRNO:
		*(long *)value = fault->os_errno;
		return true;
	case CURLINFO_EFFECTIVE_URL:
		if (fault->url)
			*(const char **)value = fault->url;
		return fault->url != NULL;
	case CURLINFO_SCHEME:
		if (fault->is_https)
			*(const char **)value = "HTTPS";
		return fault->is_https;
	default:
		return false;
	}
}
