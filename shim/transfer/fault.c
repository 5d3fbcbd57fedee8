#include "transfer/fault.h"

#include <stdlib.h>
#include <string.h>

#include "ops/fault_event.h"
#include "process.h"
#include "transfer/canned.h"
#include "transfer/cut.h"
#include "transfer/exchange.h"
#include "transfer/fault_words.h"

/* ---- the beginning ---- */

/* A peer that is slow enough is one that timed out. */
static void delay(struct rs_exchange *x, int64_t delay_ns)
{
	int64_t most_ns = rs_exchange_limit_ns(x);

	x->fault.delayed = delay_ns > 0;
	x->fault.waited_ns = rs_ns_min(delay_ns, most_ns);
	if (x->fault.delayed)
		x->fault.due_ns = rs_ns_add(rs_now_ns(), x->fault.waited_ns);
	if (delay_ns >= most_ns)
		x->fault.error = CURLE_OPERATION_TIMEDOUT;
}

/* A response that is canned is cut where it is made. False: there was no memory. */
static bool arm(struct rs_exchange *x, const struct rs_fault *fault)
{
	x->fault.error = (CURLcode)fault->error.curl;
	delay(x, x->fault.strike.delay_ns);
	if (x->fault.error != CURLE_OK)
		return rs_canned_replace(x, NULL);
	if (fault->status)
		return rs_canned_replace(x, fault);
	if (fault->cut != RS_NO_CUT)
		rs_cut_begin(x);
	return true;
}

/* Only HTTP has a status. Without a URL libcurl does not even begin. */
static enum rs_fault_means means_of(struct rs_exchange *x)
{
	bool answers = rs_exchange_is_http(x) && rs_exchange_target(x)->host.len > 0;

	return answers ? RS_FAULTS_ALL : RS_FAULTS_WITHOUT_ANSWER;
}

void rs_fault_begin(struct rs_exchange *x)
{
	const struct rs_target *target = rs_exchange_target(x);

	x->fault = (struct rs_fault_attempt){ .fd = -1 };
	x->replaced_more = true;
	rs_fault_forget(x->handle);
	x->fault.strike = rs_fault_next(x->rules, target, means_of(x), rs_random(x->rules));
	if (!x->fault.strike.fault)
		return;
	rs_event_fault(x->rules, &x->fault.strike, target);
	if (!arm(x, x->fault.strike.fault))
		x->fault = (struct rs_fault_attempt){ .fd = -1 };
}

int64_t rs_fault_due_ns(const struct rs_exchange *x)
{
	return x->fault.due_ns;
}

bool rs_fault_holds(struct rs_exchange *x)
{
	if (x->fault.delayed)
		x->fault.delayed = rs_now_ns() < x->fault.due_ns;
	return x->fault.delayed;
}

/* ---- the end ---- */

/* libcurl was sent into a wall, so that it began a transfer like any other and knows nothing of
 * the one before; what it says of the wall is put in other words. A transfer that did not even get
 * there has failed by itself. */
static CURLcode end_failure(struct rs_exchange *x, CURLcode result)
{
	struct rs_fault_told *told = &x->handle->fault;

	if (result != CURLE_COULDNT_CONNECT)
		return result;
	if (x->fault.error != CURLE_OPERATION_TIMEDOUT)
		told->os_errno = x->fault.strike.fault->error.sys;
	rs_fault_say(x);
	return x->fault.error;
}

/* libcurl began when the delay was over. */
static void note_delay(struct rs_exchange *x)
{
	struct rs_fault_told *told = &x->handle->fault;

	if (x->fault.waited_ns == 0)
		return;
	if (!told->valid)
		x->handle->api->easy_getinfo(x->handle->easy, CURLINFO_OS_ERRNO, &told->os_errno);
	told->valid = true;
	told->delay_us = x->fault.waited_ns / RS_NS_PER_US;
}

CURLcode rs_fault_end(struct rs_exchange *x, CURLcode result)
{
	note_delay(x);
	if (x->fault.cuts)
		return rs_cut_end(x, result);
	if (!x->fault.replaced)
		return result;
	rs_canned_note(x);
	rs_canned_end(x);
	return x->fault.error != CURLE_OK ? end_failure(x, result) : result;
}

/* ---- what is told of it ---- */

bool rs_fault_errno(const struct rs_exchange *x, int *number)
{
	*number = (int)x->handle->fault.os_errno;
	return x->handle->fault.valid;
}

void rs_fault_keep_url(struct rs_handle *handle)
{
	CURLcode (*get)(CURL *, CURLINFO, ...) = handle->api->easy_getinfo;
	struct rs_fault_told *told = &handle->fault;
	const char *url = NULL;

	get(handle->easy, CURLINFO_EFFECTIVE_URL, &url);
	if (!told->valid)
		get(handle->easy, CURLINFO_OS_ERRNO, &told->os_errno);
	told->valid = true;
	if (!told->url && url)
		told->url = strdup(url);
}

void rs_fault_forget(struct rs_handle *handle)
{
	if (!handle->fault.valid)
		return;
	free(handle->fault.url);
	handle->fault = (struct rs_fault_told){ .valid = false };
}

/* What libcurl tells of when something was reached, if it was, and of how long all took. */
static bool add_delay(const struct rs_handle *handle, CURLINFO info, void *value)
{
	curl_off_t delay_us = handle->fault.delay_us;
	bool counts = (info & CURLINFO_TYPEMASK) == CURLINFO_OFF_T;

	if (delay_us == 0 || !handle->api->easy_getinfo ||
	    handle->api->easy_getinfo(handle->easy, info, value) != CURLE_OK)
		return false;
	if (counts && (*(curl_off_t *)value > 0 || info == CURLINFO_TOTAL_TIME_T))
		*(curl_off_t *)value += delay_us;
	if (!counts && (*(double *)value > 0 || info == CURLINFO_TOTAL_TIME))
		*(double *)value += (double)delay_us / 1e6;
	return true;
}

bool rs_fault_info(const struct rs_handle *handle, CURLINFO info, void *value)
{
	const struct rs_fault_told *told = &handle->fault;

	if (!told->valid)
		return false;
	switch ((int)info) {
	case CURLINFO_OS_ERRNO:
		*(long *)value = told->os_errno;
		return true;
	case CURLINFO_EFFECTIVE_URL:
		if (!told->url || !handle->options.url_known)
			return false;
		*(const char **)value = told->url;
		return true;
	case CURLINFO_SCHEME:
		if (told->is_https)
			*(const char **)value = "HTTPS";
		return told->is_https;
	case CURLINFO_TOTAL_TIME:
	case CURLINFO_TOTAL_TIME_T:
	case CURLINFO_NAMELOOKUP_TIME:
	case CURLINFO_NAMELOOKUP_TIME_T:
	case CURLINFO_CONNECT_TIME:
	case CURLINFO_CONNECT_TIME_T:
	case CURLINFO_APPCONNECT_TIME:
	case CURLINFO_APPCONNECT_TIME_T:
	case CURLINFO_PRETRANSFER_TIME:
	case CURLINFO_PRETRANSFER_TIME_T:
	case CURLINFO_STARTTRANSFER_TIME:
	case CURLINFO_STARTTRANSFER_TIME_T:
		return add_delay(handle, info, value);
	default:
		return rs_cut_info(told, info, value);
	}
}
