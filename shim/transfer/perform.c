#include <stdio.h>

#include "ops/events.h"
#include "process.h"
#include "transfer/exchange.h"

void rs_transfer_error(const struct rs_exchange *x, const char *text)
{
	char *buffer = x->handle->options.error_buffer;

	if (buffer)
		snprintf(buffer, CURL_ERROR_SIZE, "%s", text);
}

bool rs_transfer_owns(const struct rs_exchange *x, CURLoption option)
{
	switch (option) {
	case CURLOPT_READFUNCTION:
	case CURLOPT_READDATA:
		return x->streams_up;
	case CURLOPT_SEEKFUNCTION:
	case CURLOPT_SEEKDATA:
		return x->streams_up && x->watches_seek;
	case CURLOPT_XFERINFOFUNCTION:
	case CURLOPT_PROGRESSFUNCTION:
	case CURLOPT_XFERINFODATA:
		return x->resume.continuing;
	case CURLOPT_WRITEFUNCTION:
	case CURLOPT_WRITEDATA:
	case CURLOPT_HEADERFUNCTION:
	case CURLOPT_HEADERDATA:
	case CURLOPT_HEADER:
	case CURLOPT_FAILONERROR:
		return true;
	default:
		return false;
	}
}

static void restore_upload(const struct rs_exchange *x, CURL *easy)
{
	const struct rs_options *o = &x->handle->options;
	CURLcode (*set)(CURL *, CURLoption, ...) = x->handle->api->easy_setopt;

	set(easy, CURLOPT_READFUNCTION, o->read_fn);
	set(easy, CURLOPT_READDATA, o->read_data);
	if (x->watches_seek) {
		set(easy, CURLOPT_SEEKFUNCTION, o->seek_fn);
		set(easy, CURLOPT_SEEKDATA, o->seek_data);
	}
}

void rs_transfer_restore(const struct rs_exchange *x, CURL *easy)
{
	const struct rs_options *o = &x->handle->options;
	CURLcode (*set)(CURL *, CURLoption, ...) = x->handle->api->easy_setopt;

	set(easy, CURLOPT_WRITEFUNCTION, o->write_fn);
	set(easy, CURLOPT_WRITEDATA, o->write_data);
	set(easy, CURLOPT_HEADERFUNCTION, o->header_fn);
	set(easy, CURLOPT_HEADERDATA, o->header_data);
	if (o->include_header)
		set(easy, CURLOPT_HEADER, o->include_header);
	if (o->fail_on_error)
		set(easy, CURLOPT_FAILONERROR, o->fail_on_error);
	if (x->streams_up)
		restore_upload(x, easy);
	rs_amended_restore(x, easy);
}

/* libcurl seeks by itself where the reader is its own; it must not do so on our user pointer. */
static void replace_upload(struct rs_exchange *x)
{
	CURLcode (*set)(CURL *, CURLoption, ...) = x->handle->api->easy_setopt;
	CURL *easy = x->handle->easy;

	set(easy, CURLOPT_READFUNCTION, rs_upload_read);
	set(easy, CURLOPT_READDATA, &x->upload);
	if (x->watches_seek) {
		set(easy, CURLOPT_SEEKFUNCTION, rs_upload_seek);
		set(easy, CURLOPT_SEEKDATA, &x->upload);
	}
}

void rs_transfer_replace(struct rs_exchange *x)
{
	const struct rs_options *o = &x->handle->options;
	CURLcode (*set)(CURL *, CURLoption, ...) = x->handle->api->easy_setopt;
	CURL *easy = x->handle->easy;

	set(easy, CURLOPT_WRITEFUNCTION, rs_response_body);
	set(easy, CURLOPT_WRITEDATA, x);
	set(easy, CURLOPT_HEADERFUNCTION, rs_response_header);
	set(easy, CURLOPT_HEADERDATA, x);
	if (o->include_header)
		set(easy, CURLOPT_HEADER, 0L);
	if (o->fail_on_error)
		set(easy, CURLOPT_FAILONERROR, 0L);
	if (x->streams_up)
		replace_upload(x);
}

static CURLcode attempt(struct rs_exchange *x)
{
	struct rs_handle *handle = x->handle;
	CURLcode result;

	if (x->native_fail)
		handle->api->easy_setopt(handle->easy, CURLOPT_FAILONERROR, 0L);
	x->native_fail = false;
	rs_response_begin(x);
	if (x->streams_up && x->call.attempts > 0)
		rs_upload_repeat(&x->upload);
	if (x->resume.continuing)
		rs_resume_ask(x);
	x->attempt_ns = x->call.attempts == 0 ? x->call.started_ns : rs_now_ns();
	x->call.attempts++;
	rs_curl_depth++;
	result = handle->api->easy_perform(handle->easy);
	rs_curl_depth--;
	rs_judge_end(x, result);
	return result;
}

/* Another attempt follows, unless the program has ended this one meanwhile. */
static bool wants_retry(const struct rs_exchange *x, CURLcode result)
{
	return x->rule &&
	       (x->decision.action == RS_ACTION_RETRY || x->decision.action == RS_ACTION_RECOVER) &&
	       (result != CURLE_ABORTED_BY_CALLBACK || x->upload.stopped_by_us);
}

/* The program has cancelled the wait. */
static CURLcode cancel(struct rs_exchange *x)
{
	const struct rs_outcome none = { .error = CURLE_ABORTED_BY_CALLBACK };

	x->decision.action = RS_ACTION_EXHAUSTED;
	x->decision.reason = RS_REASON_CANCELLED;
	if (x->resume.continuing)
		rs_resume_end(x);
	rs_event_decision(x->rules, x->rule, rs_exchange_target(x), &none, &x->call, &x->decision,
			  rs_now_ns());
	rs_exchange_report(x);
	return CURLE_ABORTED_BY_CALLBACK;
}

static void account(struct rs_exchange *x, CURLcode result)
{
	if (result != CURLE_OK || x->rule || x->status >= 400)
		return;
	rs_call_succeeded(x->rules, &x->call);
	if (x->call.attempts > 1)
		rs_event_recovered(x->rules, rs_exchange_target(x), &x->call, rs_now_ns());
}

/* The end of a download that broke: all of it, or how it broke, or what the program made of it. */
static CURLcode conclude_continued(struct rs_exchange *x, CURLcode result)
{
	rs_resume_end(x);
	if (x->stopped || result == CURLE_ABORTED_BY_CALLBACK)
		return result;
	if (result == CURLE_OK && x->phase == RS_CONTINUING && rs_resume_complete(x)) {
		account(x, result);
		return CURLE_OK;
	}
	return rs_resume_error(x);
}

/* The last attempt is over: what of it is still held is the program's. */
static CURLcode conclude(struct rs_exchange *x, CURLcode result)
{
	char text[64];
	CURLcode handed;

	if (x->resume.continuing)
		return conclude_continued(x, result);
	account(x, result);
	if (x->phase == RS_DISCARDING || x->stopped)
		return result;
	handed = rs_response_finish(x);
	if (handed != CURLE_OK || x->phase != RS_REFUSING)
		return handed != CURLE_OK ? handed : result;
	snprintf(text, sizeof(text), "The requested URL returned error: %d", x->status);
	rs_transfer_error(x, text);
	return CURLE_HTTP_RETURNED_ERROR;
}

static CURLcode end(struct rs_exchange *x, CURLcode result)
{
	result = conclude(x, result);
	rs_exchange_report(x);
	return result;
}

static CURLcode run(struct rs_exchange *x)
{
	CURLcode result = attempt(x);

	while (wants_retry(x, result)) {
		enum rs_recovered recovered = RS_RECOVERED_YES;

		if (x->decision.action == RS_ACTION_RECOVER)
			recovered = rs_exchange_recover(x);
		if (recovered == RS_RECOVERED_NO)
			return end(x, result);
		if (recovered == RS_RECOVERED_CANCELLED ||
		    !rs_exchange_wait(x, rs_ns_add(x->decided_ns, x->decision.wait_ns)))
			return cancel(x);
		result = attempt(x);
	}
	return end(x, result);
}

/* There was no rule for transfers, but perhaps by now there is one. */
static CURLcode perform_unguarded(struct rs_handle *handle)
{
	CURLcode result = handle->api->easy_perform(handle->easy);
	long status = 0;

	if (result == CURLE_OK)
		handle->api->easy_getinfo(handle->easy, CURLINFO_RESPONSE_CODE, &status);
	if (result != CURLE_OK || status >= 400)
		(void)rs_process_rules_at_failure();
	return result;
}

CURLcode rs_transfer_perform(struct rs_handle *handle)
{
	const struct rs_rules *rules = rs_process_rules();
	struct rs_exchange x;
	CURLcode result;

	handle->whole.valid = false;
	if (!rules || !(rules->calls & 1u << RS_CALL_CURL) || handle->active ||
	    !rs_exchange_possible(handle))
		return perform_unguarded(handle);

	x.handle = handle;
	x.rules = rules;
	x.judged = false;
	x.has_target = x.altered = x.native_fail = false;
	x.amended = (struct rs_amended){ .url = NULL };
	x.recovery = NULL;
	x.history.count = 0;
	x.streams_up = rs_upload_streams(&handle->options);
	x.watches_seek = handle->options.seek_fn || !handle->options.read_fn;
	rs_upload_begin(&x.upload, &handle->options, rules->settings.spool_limit);
	rs_call_begin(&x.call, rs_now_ns());
	rs_resume_begin(&x);
	handle->active = &x;
	rs_transfer_replace(&x);
	result = run(&x);
	rs_transfer_restore(&x, handle->easy);
	rs_upload_end(&x.upload);
	rs_amended_end(&x.amended);
	rs_recovery_release(x.recovery);
	handle->active = NULL;
	rs_hold_rest(&handle->hold);
	return result;
}
