/* A call, its rules and quotas, and what is decided about it. For the test_decide* programs. */
#ifndef RS_TESTS_DECIDE_HELPER_H
#define RS_TESTS_DECIDE_HELPER_H

#include "unit.h"

#include "retry/decide.h"
#include "retry/quota.h"

#define T0 S(1000)

/* Rules with the quota "standard" and a second one. */
struct world {
	struct rs_bucket buckets[2];
	struct rs_quota quotas[2];
	struct rs_rules rules;
	struct rs_circumstances now;
};

static inline void make_world(struct world *w)
{
	*w = (struct world){
		.buckets = { { 500 }, { 10 } },
		.quotas = { { "standard", 500, 1, &w->buckets[0], RS_SCOPE_PROCESS },
			    { "other", 10, 3, &w->buckets[1], RS_SCOPE_PROCESS } },
		.now = { .replayable = true, .now_ns = T0 },
	};
	w->rules = (struct rs_rules){ .quotas = w->quotas, .quota_count = 2 };
}

static inline struct rs_rule rule_with_quota(const char *name)
{
	struct rs_rule rule = any_scope_rule(name);

	rule.policy.quota = RS_STANDARD_QUOTA;
	return rule;
}

static inline struct rs_decision decide(struct world *w, const struct rs_rule *rule,
					struct rs_call_state *state, const char *headers)
{
	const struct rs_outcome outcome = { .status = 503, .headers = span(headers) };

	return rs_decide(&w->rules, rule, state, &outcome, &w->now);
}

static inline void retries(struct rs_decision decision, int64_t wait_ns, int32_t left)
{
	assert_int_equal(decision.action, RS_ACTION_RETRY);
	assert_int_equal(decision.wait_ns, wait_ns);
	assert_int_equal(decision.quota_left, left);
}

static inline void gives_up(struct rs_decision decision, enum rs_reason reason)
{
	assert_int_equal(decision.action, RS_ACTION_EXHAUSTED);
	assert_string_equal(rs_reason_name(decision.reason), rs_reason_name(reason));
}

static inline void begin(struct rs_call_state *call)
{
	memset(call, 0x55, sizeof(*call));
	rs_call_begin(call, T0);
	call->attempts = 1;
}

#endif
