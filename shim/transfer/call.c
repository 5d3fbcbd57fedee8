/*
 * One guarded call from its first attempt to its end, whoever waits in between.
 */
#include <stdio.h>
#include <string.h>

#include "ops/events.h"
#include "process.h"
#include "transfer/exchange.h"

void rs_transfer_error(const struct rs_exchange *x, const char *text)
{
	char *buffer = x->handle->options.error_buffer;

	if (buffer)
		snprintf(buffer, CURL_ERROR_SIZE, "%s", text);
}

/* The rule that caused a retry governs it; what governs the first attempt shows in the target. */
static void set_limits(struct rs_exchange *x)
{
	const struct rs_rule *rule = x->call.attempts > 0 ? x->rule : NULL;

	if (x->call.attempts == 0 && x->rules->limits)
		rule = rs_first_covering(x->rules, rs_exchange_target(x));
	if (rule)
		rs_transfer_limit(x, &rule->policy);
}

bool rs_exchange_open(struct rs_exchange *x, struct rs_handle *handle)
{
	const struct rs_rules *rules = rs_process_rules();

	handle->whole.valid = false;
	if (!rules || !(rules->calls & 1u << RS_CALL_CURL) || handle->active ||
	    !rs_exchange_possible(handle))
		return false;
	x->handle = handle;
	x->rules = rules;
	x->has_target = x->altered = x->native_fail = false;
	x->header_way = RS_HEADERS_ASKED;
	x->limits.attempt = x->limits.connect = x->limits.fresh = false;
	x->streams_up = rs_upload_streams(&handle->options);
	x->watches_seek = handle->options.seek_fn || !handle->options.read_fn;
	rs_upload_begin(&x->upload, &handle->options, rules->settings.spool_limit);
	rs_call_begin(&x->call, rs_now_ns());
	rs_resume_begin(x);
	handle->active = x;
	rs_transfer_replace(x);
	return true;
}

void rs_exchange_begin_attempt(struct rs_exchange *x)
{
	struct rs_handle *handle = x->handle;

	set_limits(x);
	if (x->native_fail)
		handle->api->easy_setopt(handle->easy, CURLOPT_FAILONERROR, 0L);
	x->native_fail = false;
	rs_transfer_choose_headers(x);
	rs_response_begin(x);
	if (x->streams_up && x->call.attempts > 0)
		rs_upload_repeat(&x->upload);
	if (x->resume.continuing)
		rs_resume_ask(x);
	x->call.attempts++;
}

bool rs_exchange_end_attempt(struct rs_exchange *x, CURLcode result)
{
	if (result == CURLE_OK && x->phase == RS_STREAMING && !x->rule)
		return false; /* as nearly always */
	if (x->header_way == RS_HEADERS_ASKED && x->phase == RS_HOLDING)
		rs_response_recall(x);
	rs_judge_end(x, result);
	return x->rule && x->decision.action == RS_ACTION_RETRY &&
	       (result != CURLE_ABORTED_BY_CALLBACK || x->upload.stopped_by_us);
}

int64_t rs_exchange_due_ns(const struct rs_exchange *x)
{
	return rs_ns_add(x->decided_ns, x->decision.wait_ns);
}

CURLcode rs_exchange_cancel(struct rs_exchange *x)
{
	const struct rs_outcome none = { .error = CURLE_ABORTED_BY_CALLBACK };

	x->decision.action = RS_ACTION_EXHAUSTED;
	x->decision.reason = RS_REASON_CANCELLED;
	rs_event_decision(x->rules, x->rule, rs_exchange_target(x), &none, &x->call, &x->decision,
			  rs_now_ns());
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
	if (x->stopped || result == CURLE_ABORTED_BY_CALLBACK)
		return result;
	if (result == CURLE_OK && x->phase == RS_CONTINUING && rs_resume_complete(x)) {
		return CURLE_OK;
	}
	return rs_resume_error(x);
}

/* What CURLOPT_FAILONERROR asks for, where libcurl had to let the body come so that rules could
 * see it. The program has got none of it. */
static CURLcode refuse(struct rs_exchange *x)
{
	char text[64];

	rs_resume_note_info(x);
	x->handle->whole.size = 0;
	snprintf(text, sizeof(text), "The requested URL returned error: %d", x->status);
	rs_transfer_error(x, text);
	return CURLE_HTTP_RETURNED_ERROR;
}

/* The last attempt is over: what of it is still held is the program's. */
static bool hand_out(struct rs_exchange *x, CURLcode *result)
{
	CURLcode handed;

	if (x->phase == RS_DISCARDING || x->stopped ||
	    (x->phase == RS_STREAMING && !rs_hold_has_next(&x->handle->hold)))
		return true;
	if (!rs_response_finish(x, &handed))
		return false;
	if (handed != CURLE_OK)
		*result = handed;
	else if (x->phase == RS_REFUSING)
		*result = refuse(x);
	return true;
}

bool rs_exchange_conclude(struct rs_exchange *x, CURLcode *result)
{
	if (x->stopped && *result == CURLE_WRITE_ERROR)
		rs_transfer_error(x, x->stopped); /* libcurl names the callback that it knows of */
	if (x->resume.continuing)
		*result = conclude_continued(x, *result);
	else if (!hand_out(x, result))
		return false;
	account(x, *result);
	return true;
}

/* Behind libcurl's own words, as far as there is room. */
static void annotate(const struct rs_exchange *x)
{
	char *buffer = x->handle->options.error_buffer;
	size_t used = buffer ? strnlen(buffer, CURL_ERROR_SIZE) : CURL_ERROR_SIZE;
	int64_t took_ms = (rs_now_ns() - x->call.started_ns) / RS_NS_PER_MS;

	if (!x->rule || x->decision.action != RS_ACTION_EXHAUSTED || used >= CURL_ERROR_SIZE)
		return;
	snprintf(buffer + used, CURL_ERROR_SIZE - used, " (%d attempts in %lld.%03lld s, rule %s)",
		 (int)x->call.attempts, (long long)(took_ms / 1000), (long long)(took_ms % 1000),
		 x->rule->name);
}

void rs_exchange_abandon(struct rs_exchange *x)
{
	rs_exchange_close(x, CURLE_OK);
}

void rs_exchange_close(struct rs_exchange *x, CURLcode result)
{
	struct rs_handle *handle = x->handle;

	rs_transfer_restore(x, handle->easy);
	if (result != CURLE_OK && x->rules->settings.annotate)
		annotate(x);
	if (x->streams_up)
		rs_upload_end(&x->upload);
	rs_hold_rest(&handle->hold);
	handle->active = NULL;
}
