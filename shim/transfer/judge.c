#include "ops/events.h"
#include "own_stack.h"
#include "pause.h"
#include "process.h"
#include "retry/curl_error.h"
#include "retry/ending.h"
#include "retry/error_set.h"
#include "retry/pacer.h"
#include "transfer/exchange.h"
#include "transfer/glimpse.h"

/* libcurl may let this one pass: there was nothing left to resume. It drops the body in any case.
 */
static bool is_libcurls_to_refuse(const struct rs_exchange *x)
{
	const struct rs_options *o = &x->handle->options;

	return x->status == 416 && o->resume_from && o->kind == RS_REQUEST_GET;
}

static bool will_refuse(const struct rs_exchange *x)
{
	return x->handle->options.fail_on_error && x->status >= 400 && !is_libcurls_to_refuse(x);
}

/* As long as libcurl is still at its headers, it can itself do what CURLOPT_FAILONERROR asks. */
static void refuse_natively(struct rs_exchange *x)
{
	x->handle->api->easy_setopt(x->handle->easy, CURLOPT_FAILONERROR, 1L);
	x->native_fail = x->replaced_more = true;
}

/* The response so far. */
static struct rs_outcome response_outcome(const struct rs_exchange *x, enum rs_known known)
{
	const struct rs_hold *hold = &x->handle->hold;
	size_t limit = x->rules->settings.body_limit;
	struct rs_outcome outcome = {
		.error = will_refuse(x) ? CURLE_HTTP_RETURNED_ERROR : CURLE_OK,
		.status = x->status,
		.body_complete = known == RS_KNOWN_ALL,
	};

	if (known == RS_KNOWN_STATUS)
		return outcome;
	outcome.headers =
		(struct rs_span){ hold->bytes + x->headers_at, x->body_at - x->headers_at };
	outcome.body = (struct rs_span){ hold->bytes + x->body_at,
					 x->body_len < limit ? x->body_len : limit };
	return outcome;
}

/* A bit test that answers for nearly every successful call. */
static bool may_matter(const struct rs_exchange *x, const struct rs_outcome *outcome)
{
	return rs_status_in(&x->rules->status, outcome->status) ||
	       rs_error_set_matches(&x->rules->error, RS_CALL_CURL, outcome);
}

struct question {
	struct rs_exchange *x;
	const struct rs_target *target;
	const struct rs_outcome *outcome;
	enum rs_known known;
	const struct rs_rule **rule;
	enum rs_match found;
};

static void ask(void *arg)
{
	struct question *question = arg;

	question->found =
		rs_match_in(&question->x->match_room, question->x->rules, question->target,
			    question->outcome, question->known, question->rule);
}

/* libcurl calls us deep inside, and leaves little of a small thread's stack; and regular
 * expressions recurse. */
static void ask_with_room(struct question *question)
{
	struct rs_before before;

	rs_signals_hold(&before);
	rs_on_own_stack(ask, question);
	rs_signals_let(&before);
}

static enum rs_match match(struct rs_exchange *x, const struct rs_outcome *outcome,
			   enum rs_known known, const struct rs_rule **rule)
{
	struct question question = { x, NULL, outcome, known, rule, RS_MATCH_NONE };

	if (!may_matter(x, outcome))
		return RS_MATCH_NONE;
	question.target = rs_exchange_target(x);
	if (outcome->status != 0 && known != RS_KNOWN_STATUS && x->rules->has_patterns)
		ask_with_room(&question);
	else
		ask(&question);
	rs_event_patterns(x->rules);
	return question.found;
}

/* Of the response, all held. Then libcurl has looked whether it is to refuse it, or does so next:
 * newer ones look before they deliver the last line. */
static bool has_all_headers(const struct rs_exchange *x)
{
	return !x->in_headers || x->body_at >= x->headers_at;
}

void rs_hand_over(struct rs_exchange *x)
{
	x->phase = x->resume.continuing ? RS_ENDING : RS_STREAMING;
	if (x->resume.continuing || !will_refuse(x) || x->native_fail)
		return;
	if (x->in_headers)
		refuse_natively(x);
	if (has_all_headers(x))
		x->phase = RS_REFUSING;
}

/* Bytes that the program has seen stay seen, unless the rest can be fetched behind them. */
static bool is_committed(struct rs_exchange *x, const struct rs_rule *rule,
			 const struct rs_outcome *outcome)
{
	if (x->resume.continuing)
		return !rule->policy.resume;
	return x->delivered &&
	       !(rule->policy.resume && rs_resume_possible(x, (CURLcode)outcome->error));
}

void rs_prepare_retry(struct rs_exchange *x)
{
	if (x->delivered)
		rs_resume_remember(x);
	else if (!x->resume.continuing)
		rs_glimpse_nothing(x->handle);
	x->upload.stop = true;
	x->handle->flows = false;
	x->phase = RS_DISCARDING;
}

static bool observes(const struct rs_exchange *x)
{
	return x->rules->settings.mode == RS_MODE_OBSERVE;
}

/* A command reads the response from its stdin; and when a recover command fails, the program is to
 * get what there is. */
static bool wants_body(const struct rs_exchange *x, const struct rs_rule *rule)
{
	return !observes(x) && (rule->class == RS_FOLLOWUP || rs_recovers_first(rule, &x->call));
}

/* The retry would have been paid for, and, for all we know, would have succeeded. */
static void only_observed(struct rs_exchange *x)
{
	rs_call_unpaid(&x->call, rs_now_ns());
	x->decision.action = RS_ACTION_PERMANENT;
}

static void remember(struct rs_exchange *x, const struct rs_outcome *outcome)
{
	const struct rs_cause cause = rs_cause_of(RS_CALL_CURL, outcome);
	bool waits =
		x->decision.action == RS_ACTION_RETRY || x->decision.action == RS_ACTION_RECOVER;

	rs_history_add(&x->history, &cause, waits ? x->decision.wait_ns : 0);
}

static void decide(struct rs_exchange *x, const struct rs_rule *rule,
		   const struct rs_outcome *outcome, bool ended)
{
	const struct rs_circumstances now = {
		.replayable = x->call.attempts >= rule->policy.max_attempts ||
			      rs_exchange_replayable(x, outcome, ended && !observes(x)),
		.committed = is_committed(x, rule, outcome) || (!ended && wants_body(x, rule)),
		.now_ns = rs_now_ns(),
		.wall_now_ns = rs_wall_now_ns(),
		.random = rs_random(x->rules),
		.target = rs_exchange_target(x),
		.pace_ns = rs_exchange_pace_after(x, rule),
	};

	rs_exchange_time(x);
	x->rule = rule;
	x->outcome = *outcome;
	x->decided_ns = now.now_ns;
	x->decision = rs_decide(x->rules, rule, &x->call, outcome, &now);
	rs_event_decision(x->rules, rule, rs_exchange_target(x), outcome, &x->call, &x->decision,
			  now.now_ns);
	if (observes(x))
		only_observed(x);
	remember(x, outcome);
	if (x->decision.action == RS_ACTION_RETRY) {
		rs_pacer_take(x->rules->pacers, rs_exchange_target(x), now.now_ns);
		rs_prepare_retry(x);
	} else if (x->decision.action != RS_ACTION_RECOVER) {
		rs_hand_over(x);
	}
}

/* Better judged later: the headers may say when to come back, and whether a body can be repeated
 * that is too long for its spool, or a form's part, shows only when no more of it is read. */
static bool can_wait(const struct rs_exchange *x, const struct rs_rule *rule, enum rs_known known)
{
	return known == RS_KNOWN_STATUS ||
	       (known == RS_KNOWN_HEADERS &&
		(x->upload.outgrown || x->handle->parts || wants_body(x, rule)));
}

void rs_judge_by_newest(struct rs_exchange *x, bool failed)
{
	const struct rs_rules *rules;

	if (!failed || x->judged || x->call.attempts > 1)
		return;
	x->judged = true;
	rules = rs_process_rules_at_failure(RS_CALL_CURL);
	if (rules)
		x->rules = rules;
}

void rs_judge_response(struct rs_exchange *x, enum rs_known known)
{
	const struct rs_outcome outcome = response_outcome(x, known);
	const struct rs_rule *rule = NULL;
	enum rs_match found;

	if (known == RS_KNOWN_STATUS && x->handle->options.fail_on_error &&
	    is_libcurls_to_refuse(x))
		refuse_natively(x);
	rs_judge_by_newest(x, x->status >= 400);
	found = match(x, &outcome, known, &rule);
	if (found == RS_MATCH_NONE)
		rs_hand_over(x);
	else if (found == RS_MATCH_RULE && !can_wait(x, rule, known))
		decide(x, rule, &outcome, false);
}

static bool never_sent(struct rs_exchange *x, CURLcode result)
{
	const struct rs_curl_api *api = x->handle->api;
	long sent = 0;

	/* libcurl counts what was sent for HTTP; elsewhere a server that has said something was
	 * told something, too. */
	if (x->talks)
		return false;
	if (!rs_curl_error_before_request((int)result) &&
	    !(result == CURLE_OPERATION_TIMEDOUT && rs_exchange_is_http(x)))
		return false;
	return api->easy_getinfo(x->handle->easy, CURLINFO_REQUEST_SIZE, &sent) == CURLE_OK &&
	       sent == 0;
}

/* libcurl keeps the last errno it met, also from earlier transfers; these failures set it. */
static int errno_behind(const struct rs_exchange *x, CURLcode result)
{
	long number = 0;
	int known;

	if (result != CURLE_COULDNT_CONNECT && result != CURLE_SEND_ERROR &&
	    result != CURLE_RECV_ERROR)
		return 0;
	if (rs_fault_errno(x, &known))
		return known;
	x->handle->api->easy_getinfo(x->handle->easy, CURLINFO_OS_ERRNO, &number);
	return (int)number;
}

/* A response that broke off inside its headers, or one that was not the last, is none. */
static struct rs_outcome end_outcome(struct rs_exchange *x, CURLcode result)
{
	struct rs_outcome outcome = { .body_complete = true };

	if (x->has_block && !x->in_headers && !(x->provisional && result != CURLE_OK))
		outcome = response_outcome(x, RS_KNOWN_ALL);
	if (x->phase != RS_HOLDING)
		outcome.headers = outcome.body = (struct rs_span){ NULL, 0 };
	if (result == CURLE_OK)
		return outcome;
	outcome.error = (int)result;
	outcome.sys_errno = errno_behind(x, result);
	outcome.never_sent = never_sent(x, result);
	return outcome;
}

/* Nothing left to judge: it was judged before, it went as it should, or the program itself ended
 * it. */
static bool is_settled(const struct rs_exchange *x, CURLcode result)
{
	if (x->rule || x->phase == RS_REFUSING || x->phase == RS_ENDING || x->stopped)
		return true;
	if (result == CURLE_OK)
		return x->phase != RS_HOLDING;
	return rs_curl_error_is_programs((int)result) || rs_refusal_ended(x, result);
}

void rs_judge_end(struct rs_exchange *x, CURLcode result)
{
	const struct rs_rule *rule = NULL;
	struct rs_outcome outcome;

	if (is_settled(x, result))
		return;
	rs_judge_by_newest(x, result != CURLE_OK);
	outcome = end_outcome(x, result);
	if (match(x, &outcome, RS_KNOWN_ALL, &rule) == RS_MATCH_RULE)
		decide(x, rule, &outcome, true);
	else if (result == CURLE_OK || x->resume.continuing)
		rs_hand_over(x);
	else
		x->phase = RS_STREAMING;
}
