/*
 * One guarded call from its first attempt to its end, whoever waits in between.
 */
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "mark.h"
#include "ops/events.h"
#include "ops/stats.h"
#include "process.h"
#include "transfer/canned.h"
#include "transfer/exchange.h"
#include "transfer/glimpse.h"
#include "transfer/part.h"

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

	if (x->rules->settings.mode == RS_MODE_OBSERVE)
		return;
	if (x->call.attempts == 0 && x->rules->limits)
		rule = rs_first_covering(x->rules, rs_exchange_target(x));
	if (rule)
		rs_transfer_limit(x, &rule->policy);
}

/* libcurl 7.88 forgets it with each transfer, and would give the program's callbacks NULL. */
static void hand_chunk_data_again(const struct rs_exchange *x)
{
	x->handle->api->easy_setopt(x->handle->easy, CURLOPT_CHUNK_DATA,
				    x->handle->options.rare.chunk_data);
}

/* Another attempt than the first may ask for anything otherwise. */
static void begin_again(struct rs_exchange *x)
{
	x->replaced_more = true;
	rs_exchange_time(x);
	x->attempt_ns = rs_now_ns();
	if (x->native_fail)
		x->handle->api->easy_setopt(x->handle->easy, CURLOPT_FAILONERROR, 0L);
	x->native_fail = false;
	rs_glimpse_hide(x->handle);
	rs_refusal_watch(x); /* again, where a fault had a use for them */
	rs_response_begin(x);
	if (x->streams_up)
		rs_transfer_repeat_upload(x);
	if (x->handle->options.rare.wildcard)
		hand_chunk_data_again(x);
}

void rs_exchange_open_upload(struct rs_exchange *x)
{
	const struct rs_options *o = &x->handle->options;

	x->streams_up = true;
	x->watches_seek = o->seek_fn || !o->read_fn;
	rs_upload_begin(&x->upload, o, x->rules->settings.spool_limit);
}

void rs_exchange_not_open(struct rs_handle *handle)
{
	rs_handle_learn_url(handle);
	rs_handle_forget_last(handle);
}

void rs_exchange_time(struct rs_exchange *x)
{
	if (x->timed)
		return;
	x->timed = true;
	x->call.started_ns = x->attempt_ns = rs_mark_ns(x->mark);
}

void rs_exchange_begin_attempt(struct rs_exchange *x)
{
	if (x->rules->limits || x->call.attempts > 0)
		set_limits(x);
	if (x->call.attempts > 0)
		begin_again(x);
	rs_transfer_choose_headers(x);
	if (x->resume.continuing)
		rs_resume_ask(x);
	if (x->rules->fault_calls)
		rs_fault_begin(x);
	x->call.attempts++;
}

bool rs_exchange_starts_with_care(struct rs_exchange *x)
{
	if (x->rules->pacers && rs_exchange_put_off(x))
		return false;
	rs_exchange_begin_attempt(x);
	return !x->fault.delayed || !rs_fault_holds(x);
}

/* The program has ended this attempt meanwhile: it wants no other. */
static bool wants_another(const struct rs_exchange *x, CURLcode result)
{
	return x->rule &&
	       (x->decision.action == RS_ACTION_RETRY || x->decision.action == RS_ACTION_RECOVER) &&
	       (result != CURLE_ABORTED_BY_CALLBACK || x->upload.stopped_by_us);
}

bool rs_exchange_end_attempt(struct rs_exchange *x, CURLcode *result)
{
	if (x->fault.strike.fault)
		*result = rs_fault_end(x, *result);
	if (*result == CURLE_OK && x->phase == RS_STREAMING && !x->rule) { /* as nearly always */
		if (x->rules->pacers)
			rs_exchange_went_well(x);
		return false;
	}
	if (x->header_way == RS_HEADERS_ASKED && x->phase == RS_HOLDING)
		rs_response_recall(x);
	rs_judge_end(x, *result);
	if (!x->rule)
		rs_exchange_went_well(x);
	if (!wants_another(x, *result))
		return false;
	if (x->decision.action != RS_ACTION_RECOVER)
		return true;
	switch (rs_exchange_recover(x)) {
	case RS_RECOVERED_YES:
		return true;
	case RS_RECOVERED_NO:
		return false;
	case RS_RECOVERED_CANCELLED:
		break;
	}
	*result = rs_exchange_cancel(x);
	x->phase = RS_DISCARDING;
	return false;
}

int64_t rs_exchange_due_ns(const struct rs_exchange *x)
{
	return rs_ns_add(x->decided_ns, x->decision.wait_ns);
}

/* There is no other attempt, and what there was ends so. */
static void give_up(struct rs_exchange *x, enum rs_reason reason, const struct rs_outcome *outcome)
{
	x->decision.action = RS_ACTION_EXHAUSTED;
	x->decision.reason = reason;
	x->decided_ns = rs_now_ns();
	rs_event_decision(x->rules, x->rule, rs_exchange_target(x), outcome, &x->call, &x->decision,
			  x->decided_ns);
}

CURLcode rs_exchange_cancel(struct rs_exchange *x)
{
	const struct rs_outcome none = { .error = CURLE_ABORTED_BY_CALLBACK };

	give_up(x, RS_REASON_CANCELLED, &none);
	rs_exchange_report(x);
	return CURLE_ABORTED_BY_CALLBACK;
}

CURLcode rs_exchange_stop(struct rs_exchange *x)
{
	if (x->call.attempts == 0)
		rs_exchange_give_turn_back(x);
	else if (!x->fault.delayed)
		return rs_exchange_cancel(x);
	return CURLE_ABORTED_BY_CALLBACK;
}

static void account(struct rs_exchange *x)
{
	if (rs_call_refunds(x->rules, &x->call))
		rs_call_succeeded(x->rules, &x->call, rs_exchange_target(x), rs_now_ns());
	if (x->call.attempts > 1)
		rs_event_recovered(x->rules, rs_exchange_target(x), &x->call, rs_now_ns());
}

/* What came was not the rest. The rule that asked for it governs this end, too. */
static void give_rest_up(struct rs_exchange *x, CURLcode result)
{
	const struct rs_outcome last = {
		.error = x->has_block ? CURLE_OK : (int)result,
		.status = x->status,
	};
	const struct rs_cause cause = rs_cause_of(RS_CALL_CURL, &last);

	x->rule = x->resume.rule;
	x->outcome = x->resume.broke;
	rs_history_add(&x->history, &cause, 0);
	give_up(x, RS_REASON_COMMITTED, &x->outcome);
}

/* The end of a download that broke: all of it, or how it broke, or what the program made of it. */
static CURLcode conclude_continued(struct rs_exchange *x, CURLcode result)
{
	if (x->stopped || result == CURLE_ABORTED_BY_CALLBACK)
		return result;
	if (result == CURLE_OK && x->phase == RS_CONTINUING && rs_resume_complete(x))
		return CURLE_OK;
	if (!x->rule)
		give_rest_up(x, result);
	return rs_resume_error(x);
}

/* What CURLOPT_FAILONERROR asks for, where libcurl had to let the body come so that rules could
 * see it. The program has got none of it. */
static CURLcode refuse(struct rs_exchange *x)
{
	char text[64];

	rs_resume_note_info(x, &x->handle->whole);
	if (rs_curl_refuses_early(x->handle->api)) /* and so before it looks for the length */
		x->handle->whole.length = RS_UNKNOWN_LENGTH;
	snprintf(text, sizeof(text), "The requested URL returned error: %d", x->status);
	rs_transfer_error(x, text);
	return CURLE_HTTP_RETURNED_ERROR;
}

/* The last attempt is over: what of it is still held is the program's. Where it ended in a pause at
 * a header line libcurl, too, drops what it would have repeated. */
static bool hand_out(struct rs_exchange *x, CURLcode *result)
{
	CURLcode handed;

	if (x->phase == RS_DISCARDING || x->stopped || x->repeats ||
	    (x->phase == RS_STREAMING && !rs_hold_has_next(&x->handle->hold)))
		return true;
	if (!rs_response_finish(x, &handed))
		return false;
	if (handed != CURLE_OK)
		*result = handed;
	else if (x->phase == RS_REFUSING && *result != CURLE_HTTP_RETURNED_ERROR)
		*result = refuse(x);
	return true;
}

/* That was reported when it happened. */
static bool was_cancelled(const struct rs_exchange *x)
{
	return x->decision.action == RS_ACTION_EXHAUSTED &&
	       x->decision.reason == RS_REASON_CANCELLED;
}

bool rs_exchange_conclude(struct rs_exchange *x, CURLcode *result)
{
	if (x->stopped && x->misnamed && *result == CURLE_WRITE_ERROR)
		rs_transfer_error(x, rs_words_for(x->stopped));
	if (x->resume.continuing)
		*result = conclude_continued(x, *result);
	else if (!hand_out(x, result))
		return false;
	if (x->progress_hidden && !x->stopped && *result != CURLE_ABORTED_BY_CALLBACK &&
	    !rs_progress_catch_up(x))
		*result = CURLE_ABORTED_BY_CALLBACK;
	if (x->call.attempts == 1 && !x->rule && x->rules->passed) {
		rs_exchange_time(x);
		rs_stats_passed_at(x->rules, RS_CALL_CURL, x->call.started_ns);
	}
	if (*result == CURLE_OK && !x->rule && x->status < 400)
		account(x);
	if (x->rule && !was_cancelled(x))
		rs_exchange_report(x);
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
	if (rs_exchange_here == x) /* a callback has left it by longjmp() */
		rs_exchange_here = x->alone ? x->around : NULL;
	if (x->call.attempts == 0)
		rs_exchange_give_turn_back(x);
	rs_exchange_close(x, CURLE_OK);
}

void rs_exchange_release(struct rs_exchange *x)
{
	if (x->streams_up)
		rs_upload_end(&x->upload);
	rs_amended_end(&x->amended);
	rs_recovery_release(x->recovery);
}

void rs_exchange_close(struct rs_exchange *x, CURLcode result)
{
	struct rs_handle *handle = x->handle;

	if (__builtin_expect(x->fault.replaced, 0))
		rs_canned_end(x);
	if (__builtin_expect(x->amended.url != NULL, 0))
		rs_fault_keep_url(handle);
	rs_transfer_restore(x, handle->easy);
	if (__builtin_expect(result != CURLE_OK, 0) && x->rules->settings.annotate)
		annotate(x);
	rs_exchange_release(x);
	rs_part_forget(x);
	rs_glimpse_hide(handle);
	if (!rs_hold_rests(&handle->hold))
		rs_hold_rest(&handle->hold);
	handle->flows = handle->lines_flow = false;
	handle->active = NULL;
}
