/*
 * Judging a response: four bytes of circumstances, headers, an empty line, a body. What a part of
 * the response has settled stays settled when the rest comes; no server makes a wait run away.
 */
#include <sanitizer/lsan_interface.h>

#include "fuzz.h"
#include "retry/decide.h"
#include "retry/match.h"
#include "retry/ns.h"
#include "retry/retry_after.h"

static const char rules_text[] =
	"[policy default]\njitter = full\nretry_after = max\n"
	"[policy obedient]\nretry_after = server\nretry_after_cap = 30s\nmax_elapsed = 1m\n"
	"[policy deaf]\nretry_after = ignore\njitter = decorrelated\nquota = none\n"
	"[rule permanent]\nheader = X-Kind: fatal*\nclass = permanent\n"
	"[rule slow]\nstatus = 429, 503\nbody = SlowDown, Throttling\npolicy = obedient\n"
	"[rule regex]\nstatus = 200, 5xx\nbody_regex = <Code>(Internal|Busy)[A-Z]*</Code>\n"
	"header = Content-Type: *xml*\npolicy = deaf\n"
	"[rule marked]\nheader = X-Retry: y?s\nmethod = any\n"
	"[rule text]\nbody = please try again\n"
	"[rule long]\nstatus = 500\nbody = <Code>InternalError</Code>, <Code>InternalErrol</Code>, "
	"aaaaaaaaaaaaaaaaaaaa, \"code\":\"Throttling\"\nheader = X-Part: [a-c]*\n"
	"[rule again]\nstatus = 502\nbody = SlowDown, aaaaaaaaaaaaaaaaaaaaa, Busy, x\n"
	"[rule rest]\nstatus = 500-504\nerror = partial, timeout\n";

static struct rs_rules *rules;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	__lsan_disable(); /* regcomp(3)'s memory is reached from mappings that it does not search */
	rules = rules_of(rules_text);
	__lsan_enable();
	return 0;
}

static const int statuses[] = { 200, 204, 206, 301, 400, 404, 429, 500, 502, 503, 504, 599 };

static const struct rs_target target = {
	.call = RS_CALL_CURL,
	.method = { "GET", 3 },
	.scheme = { "https", 5 },
	.host = { "example.org", 11 },
	.url = { "https://example.org/", 20 },
	.port = 443,
	.program = "fuzz",
};

/* The first rule that has no objection. */
static const struct rs_rule *first_of(const struct rs_outcome *outcome)
{
	for (size_t i = 0; i < rules->rule_count; i++) {
		if (!rs_rule_refuses(&rules->rules[i], &target, outcome))
			return &rules->rules[i];
	}
	return NULL;
}

/* A judgement from a part: if it is one, it is the final one. */
static void judge_part(const struct rs_outcome *whole, enum rs_known known, size_t body,
		       const struct rs_rule *final)
{
	struct rs_outcome part = *whole;
	const struct rs_rule *rule = NULL;
	enum rs_match match;

	part.body.len = body;
	part.body_complete = false;
	if (known == RS_KNOWN_STATUS)
		part.headers = (struct rs_span){ NULL, 0 };
	match = rs_match(rules, &target, &part, known, &rule);
	if (match == RS_MATCH_NONE)
		MUST(final == NULL);
	if (match == RS_MATCH_RULE)
		MUST(final == rule);
}

static void decide(const struct rs_rule *rule, const struct rs_outcome *outcome, struct input *in)
{
	const struct rs_circumstances now = {
		.replayable = true,
		.now_ns = RS_NS_PER_S * take_byte(in),
		.wall_now_ns = 1700000000 * RS_NS_PER_S,
		.random = (uint64_t)take_byte(in) << 56,
	};
	struct rs_call_state state;
	struct rs_decision decision;

	rs_call_begin(&state, 0);
	do {
		state.attempts++;
		decision = rs_decide(rules, rule, &state, outcome, &now);
		if (decision.action != RS_ACTION_RETRY)
			break;
		MUST(decision.wait_ns >= 0);
		MUST(decision.wait_ns <= rs_ns_max(rule->policy.cap_ns + 5 * RS_NS_PER_S,
						   rule->policy.retry_after_cap_ns));
		MUST(now.now_ns + decision.wait_ns <= rule->policy.max_elapsed_ns);
	} while (state.attempts < 10);
	MUST(state.attempts <= rule->policy.max_attempts);
	rs_call_succeeded(rules, &state, &target, 0);
}

static struct rs_span take_headers(struct input *in)
{
	struct rs_span headers = { in->at, 0 };

	while (in->left) {
		struct rs_span line = take_until(in, '\n');

		if (line.len == 0 || (line.len == 1 && line.at[0] == '\r'))
			break;
		headers.len = (size_t)(in->at - headers.at);
	}
	return headers;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = input_of(data, size);
	struct rs_outcome outcome = {
		.status = statuses[take_byte(&in) % (sizeof(statuses) / sizeof(statuses[0]))],
		.body_complete = true,
	};
	struct input clock = { in.at, in.left < 2 ? in.left : 2 };
	struct rs_span headers, body;
	const struct rs_rule *rule = NULL;
	char *header_bytes, *body_bytes;

	take_bytes(&in, 2);
	headers = take_headers(&in);
	body = take_bytes(&in, in.left);
	header_bytes = exact_copy(headers);
	body_bytes = text_copy(body); /* the sanitizer's regexec(3) looks for a NUL */
	outcome.headers = (struct rs_span){ header_bytes, headers.len };
	outcome.body = (struct rs_span){ body_bytes, body.len };

	MUST(rs_match(rules, &target, &outcome, RS_KNOWN_ALL, &rule) != RS_MATCH_NEED_MORE);
	MUST(rule == first_of(&outcome));
	judge_part(&outcome, RS_KNOWN_STATUS, 0, rule);
	for (size_t len = 0; len < body.len; len += 1 + body.len / 4)
		judge_part(&outcome, RS_KNOWN_HEADERS, len, rule);
	if (rule)
		decide(rule, &outcome, &clock);
	free(header_bytes);
	free(body_bytes);
	return 0;
}
