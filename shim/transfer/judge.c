#include "ops/events.h"
#include "process.h"
#include "retry/error_set.h"
#include "transfer/exchange.h"

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
	x->native_fail = true;
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

static enum rs_match match(struct rs_exchange *x, const struct rs_outcome *outcome,
			   enum rs_known known, const struct rs_rule **rule)
{
	if (!may_matter(x, outcome))
		return RS_MATCH_NONE;
	return rs_match(x->rules, rs_exchange_target(x), outcome, known, rule);
}

void rs_hand_over(struct rs_exchange *x)
{
	x->phase = x->resume.continuing ? RS_ENDING : RS_STREAMING;
	if (x->resume.continuing || !will_refuse(x) || x->native_fail)
		return;
	if (x->in_headers)
		refuse_natively(x);
	else
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

static void prepare_retry(struct rs_exchange *x, const struct rs_outcome *outcome)
{
	if (x->delivered)
		rs_resume_remember(x, (CURLcode)outcome->error);
	x->upload.stop = true;
	x->phase = RS_DISCARDING;
	rs_hold_empty(&x->handle->hold);
}

static void decide(struct rs_exchange *x, const struct rs_rule *rule,
		   const struct rs_outcome *outcome, bool ended)
{
	const struct rs_circumstances now = {
		.replayable = x->call.attempts >= rule->policy.max_attempts ||
			      rs_exchange_replayable(x, outcome, ended),
		.committed = is_committed(x, rule, outcome),
		.now_ns = rs_now_ns(),
		.wall_now_ns = rs_wall_now_ns(),
		.random = rs_random(x->rules),
	};

	x->rule = rule;
	x->decided_ns = now.now_ns;
	x->decision = rs_decide(x->rules, rule, &x->call, outcome, &now);
	rs_event_decision(x->rules, rule, rs_exchange_target(x), outcome, &x->call, &x->decision,
			  now.now_ns);
	if (x->decision.action == RS_ACTION_RETRY)
		prepare_retry(x, outcome);
	else
		rs_hand_over(x);
}

/* Better judged later: the headers may say when to come back, and whether a long streamed body can
 * be repeated shows only when no more of it is read. */
static bool can_wait(const struct rs_exchange *x, enum rs_known known)
{
	return known == RS_KNOWN_STATUS || (known == RS_KNOWN_HEADERS && x->upload.outgrown);
}

void rs_judge_response(struct rs_exchange *x, enum rs_known known)
{
	const struct rs_outcome outcome = response_outcome(x, known);
	const struct rs_rule *rule = NULL;
	enum rs_match found = match(x, &outcome, known, &rule);

	if (known == RS_KNOWN_STATUS && x->handle->options.fail_on_error &&
	    is_libcurls_to_refuse(x))
		refuse_natively(x);
	if (found == RS_MATCH_NONE)
		rs_hand_over(x);
	else if (found == RS_MATCH_RULE && !can_wait(x, known))
		decide(x, rule, &outcome, false);
}

/* Phases of a transfer before its request is sent. For HTTP libcurl also counts what was sent. */
static bool before_request(CURLcode result)
{
	switch (result) {
	case CURLE_COULDNT_RESOLVE_PROXY:
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_CONNECT:
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CERTPROBLEM:
	case CURLE_SSL_CIPHER:
	case CURLE_SSL_INVALIDCERTSTATUS:
	case CURLE_SSL_ISSUER_ERROR:
	case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
		return true;
	default:
		return false;
	}
}

static bool never_sent(struct rs_exchange *x, CURLcode result)
{
	const struct rs_curl_api *api = x->handle->api;
	long sent = 0;

	if (!before_request(result) &&
	    !(result == CURLE_OPERATION_TIMEDOUT && rs_exchange_is_http(x)))
		return false;
	return api->easy_getinfo(x->handle->easy, CURLINFO_REQUEST_SIZE, &sent) == CURLE_OK &&
	       sent == 0;
}

/* libcurl keeps the last errno it met, also from earlier transfers; these failures set it. */
static int errno_behind(const struct rs_exchange *x, CURLcode result)
{
	long number = 0;

	if (result != CURLE_COULDNT_CONNECT && result != CURLE_SEND_ERROR &&
	    result != CURLE_RECV_ERROR)
		return 0;
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

/* What the program itself ended is not for us to try again. */
static bool program_ended(const struct rs_exchange *x, CURLcode result)
{
	return x->stopped || result == CURLE_ABORTED_BY_CALLBACK || result == CURLE_READ_ERROR ||
	       result == CURLE_WRITE_ERROR;
}

/* Nothing left to judge: it was judged before, or it went as it should. */
static bool is_settled(const struct rs_exchange *x, CURLcode result)
{
	return x->rule || x->phase == RS_REFUSING || x->phase == RS_ENDING ||
	       program_ended(x, result) || (result == CURLE_OK && x->phase != RS_HOLDING);
}

void rs_judge_end(struct rs_exchange *x, CURLcode result)
{
	const struct rs_rule *rule = NULL;
	struct rs_outcome outcome;

	if (is_settled(x, result))
		return;
	outcome = end_outcome(x, result);
	if (match(x, &outcome, RS_KNOWN_ALL, &rule) == RS_MATCH_RULE)
		decide(x, rule, &outcome, true);
	else if (result == CURLE_OK || x->resume.continuing)
		rs_hand_over(x);
	else
		x->phase = RS_STREAMING;
}
