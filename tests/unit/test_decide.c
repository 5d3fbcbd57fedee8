/* Whether a call goes on, why not, and after which wait. What that costs is test_decide_quota's. */
#include "decide_helper.h"

/* The target's pace lengthens a wait, and counts for max_elapsed; it never shortens one. */
static void pace(void **state)
{
	struct rs_rule rule = any_scope_rule("r");
	struct rs_call_state call;
	struct world w;

	(void)state;
	make_world(&w);
	begin(&call);
	w.now.pace_ns = S(5);
	retries(decide(&w, &rule, &call, NULL), S(5), -1);
	retries(decide(&w, &rule, &call, NULL), S(6), -1);
	begin(&call);
	rule.policy.max_elapsed_ns = S(4);
	gives_up(decide(&w, &rule, &call, NULL), RS_REASON_ELAPSED);
}

static void classes(void **state)
{
	static const struct {
		enum rs_class class;
		enum rs_action action;
	} cases[] = {
		{ RS_TEMPORARY, RS_ACTION_RETRY },
		{ RS_RECOVERABLE, RS_ACTION_RECOVER },
		{ RS_FOLLOWUP, RS_ACTION_FOLLOWUP },
		{ RS_PERMANENT, RS_ACTION_PERMANENT },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct rs_rule rule = rule_with_quota("r");
		struct rs_call_state call;
		struct rs_decision decision;
		bool retried = i < 2;
		struct world w;

		make_world(&w);
		begin(&call);
		rule.class = cases[i].class;
		decision = decide(&w, &rule, &call, NULL);
		assert_int_equal(decision.action, cases[i].action);
		assert_int_equal(decision.wait_ns, retried ? S(2) : 0);
		assert_int_equal(decision.quota_left, retried ? 486 : 500);
		assert_int_equal(rs_quota_level(&w.quotas[0]), retried ? 486 : 500);
		assert_ptr_equal(call.last_rule, retried ? &rule : NULL);
		rule.policy.quota = RS_NO_QUOTA;
		assert_int_equal(decide(&w, &rule, &call, NULL).quota_left, -1);
	}
}

/* One recovery per rule and call; after that, plain retries. */
static void recovers_once(void **state)
{
	struct rs_rule rule = any_scope_rule("r"), other = any_scope_rule("o");
	struct rs_call_state call;
	struct world w;

	(void)state;
	make_world(&w);
	rule.class = other.class = RS_RECOVERABLE;
	begin(&call);
	assert_int_equal(decide(&w, &rule, &call, NULL).action, RS_ACTION_RECOVER);
	assert_int_equal(decide(&w, &rule, &call, NULL).action, RS_ACTION_RETRY);
	assert_int_equal(decide(&w, &other, &call, NULL).action, RS_ACTION_RECOVER);
	assert_int_equal(decide(&w, &other, &call, NULL).action, RS_ACTION_RETRY);
}

/* Everything is wrong at once: the reasons come up in their order as one after the other is put
 * right, and nothing is paid or counted before all are. */
static void order_of_judgement(void **state)
{
	const char *headers = "Retry-After: 100\r\n";
	struct rs_rule rule = rule_with_quota("r");
	struct rs_call_state call, before;
	struct world w;

	(void)state;
	make_world(&w);
	begin(&call);
	before = call;
	rule.policy.max_attempts = 1;
	rule.policy.retry_after_cap_ns = S(99);
	rule.policy.max_elapsed_ns = S(99);
	atomic_store(&w.buckets[0].tokens, 13);
	w.now.replayable = false;
	w.now.committed = true;

	gives_up(decide(&w, &rule, &call, headers), RS_REASON_ATTEMPTS);
	rule.policy.max_attempts = 2;
	gives_up(decide(&w, &rule, &call, headers), RS_REASON_NOT_REPLAYABLE);
	w.now.replayable = true;
	gives_up(decide(&w, &rule, &call, headers), RS_REASON_COMMITTED);
	w.now.committed = false;
	gives_up(decide(&w, &rule, &call, headers), RS_REASON_RETRY_AFTER);
	rule.policy.retry_after_cap_ns = S(100);
	gives_up(decide(&w, &rule, &call, headers), RS_REASON_ELAPSED);
	rule.policy.max_elapsed_ns = S(100);
	gives_up(decide(&w, &rule, &call, headers), RS_REASON_QUOTA);
	assert_int_equal(decide(&w, &rule, &call, headers).quota_left, 13);
	assert_int_equal(rs_quota_level(&w.quotas[0]), 13);
	assert_memory_equal(&call, &before, sizeof(call));
	rule.policy.cost = 13;
	retries(decide(&w, &rule, &call, headers), S(100), 0);
	call.attempts = 2;
	gives_up(decide(&w, &rule, &call, headers), RS_REASON_ATTEMPTS);
}

static void elapsed_counts_from_the_beginning(void **state)
{
	struct rs_rule rule = any_scope_rule("r");
	struct rs_call_state call;
	struct world w;

	(void)state;
	make_world(&w);
	begin(&call);
	rule.policy.max_elapsed_ns = S(10);
	w.now.now_ns = T0 + S(8);
	retries(decide(&w, &rule, &call, NULL), S(2), -1); /* ends exactly then */
	begin(&call);
	w.now.now_ns++;
	gives_up(decide(&w, &rule, &call, NULL), RS_REASON_ELAPSED);
	/* A clock that ran back counts as none. */
	w.now.now_ns = T0 - S(1);
	retries(decide(&w, &rule, &call, NULL), S(2), -1);
	/* No limit is no limit, however long the server asks for. */
	begin(&call);
	rule.policy.max_elapsed_ns = RS_FOREVER;
	rule.policy.retry_after_cap_ns = RS_FOREVER;
	w.now.now_ns = T0 + S(1);
	retries(decide(&w, &rule, &call, "Retry-After: 99999999999999\r\n"), RS_FOREVER, -1);
}

static void unlimited_attempts(void **state)
{
	struct rs_rule rule = any_scope_rule("r");
	struct rs_call_state call;
	struct world w;

	(void)state;
	make_world(&w);
	begin(&call);
	rule.policy.backoff = RS_BACKOFF_CONSTANT;
	rule.policy.max_attempts = RS_UNLIMITED;
	call.attempts = INT32_MAX;
	retries(decide(&w, &rule, &call, NULL), S(2), -1);
	call.seen[0].retries = INT32_MAX;
	retries(decide(&w, &rule, &call, NULL), S(2), -1);
	assert_int_equal(call.seen[0].retries, INT32_MAX);
}

/* n counts the retries that this rule caused in this call. */
static void each_rule_counts_for_itself(void **state)
{
	struct rs_rule rule = any_scope_rule("r"), other = any_scope_rule("o");
	struct rs_call_state call;
	struct world w;

	(void)state;
	make_world(&w);
	begin(&call);
	retries(decide(&w, &rule, &call, NULL), S(2), -1);
	retries(decide(&w, &rule, &call, NULL), S(6), -1);
	retries(decide(&w, &other, &call, NULL), S(2), -1);
	retries(decide(&w, &rule, &call, NULL), S(18), -1);
	retries(decide(&w, &other, &call, NULL), S(6), -1);
	begin(&call);
	retries(decide(&w, &rule, &call, NULL), S(2), -1);
}

/* More rules than places: those beyond share the last. */
static void rules_beyond_the_places_count_together(void **state)
{
	struct rs_rule rules[RS_RULES_PER_CALL + 2];
	const int last = RS_RULES_PER_CALL - 1;
	struct rs_call_state call;
	struct world w;

	(void)state;
	make_world(&w);
	begin(&call);
	for (int i = 0; i < RS_RULES_PER_CALL + 2; i++)
		rules[i] = any_scope_rule("r");
	for (int i = 0; i <= last; i++)
		retries(decide(&w, &rules[i], &call, NULL), S(2), -1);
	retries(decide(&w, &rules[last + 1], &call, NULL), S(6), -1);
	retries(decide(&w, &rules[last + 2], &call, NULL), S(18), -1);
	retries(decide(&w, &rules[last], &call, NULL), S(54), -1);
	retries(decide(&w, &rules[0], &call, NULL), S(6), -1);
}

/* The recurrence goes on from the computed wait, across rules, not from the server's. */
static void decorrelated_follows_the_computed_wait(void **state)
{
	struct rs_rule rule = any_scope_rule("r"), other = any_scope_rule("o");
	struct rs_call_state call;
	struct world w;

	(void)state;
	make_world(&w);
	begin(&call);
	rule.policy.jitter = other.policy.jitter = RS_JITTER_DECORRELATED;
	w.now.random = UINT64_MAX;
	retries(decide(&w, &rule, &call, "Retry-After: 60\r\n"), S(60), -1);
	assert_int_equal(call.previous_wait_ns, S(6));
	retries(decide(&w, &other, &call, NULL), S(18), -1);
	retries(decide(&w, &rule, &call, NULL), S(54), -1);
	w.now.random = 0;
	retries(decide(&w, &rule, &call, NULL), S(2), -1);
}

static void asked_for_more_than_the_cap(void **state)
{
	struct rs_rule rule = any_scope_rule("r");
	struct rs_call_state call;
	struct world w;

	(void)state;
	make_world(&w);
	begin(&call);
	retries(decide(&w, &rule, &call, "Retry-After: 120\r\n"), S(120), -1);
	gives_up(decide(&w, &rule, &call, "Retry-After: 121\r\n"), RS_REASON_RETRY_AFTER);
	/* The cap is about the server's wish, not about the policy's own wait. */
	rule.policy.retry_after_cap_ns = S(1);
	retries(decide(&w, &rule, &call, "Retry-After: 1\r\n"), S(6), -1);
	rule.policy.retry_after = RS_RETRY_AFTER_IGNORE;
	retries(decide(&w, &rule, &call, "Retry-After: 121\r\n"), S(18), -1);
	/* x-amz-retry-after is held within bounds instead. */
	rule.policy.retry_after = RS_RETRY_AFTER_MAX;
	retries(decide(&w, &rule, &call, "x-amz-retry-after: 999000\r\n"), S(59), -1);
}

static void names(void **state)
{
	(void)state;
	assert_string_equal(rs_reason_name(RS_REASON_ATTEMPTS), "attempts");
	assert_string_equal(rs_reason_name(RS_REASON_ELAPSED), "elapsed");
	assert_string_equal(rs_reason_name(RS_REASON_QUOTA), "quota");
	assert_string_equal(rs_reason_name(RS_REASON_RETRY_AFTER), "retry_after");
	assert_string_equal(rs_reason_name(RS_REASON_CANCELLED), "cancelled");
	assert_string_equal(rs_reason_name(RS_REASON_NOT_REPLAYABLE), "not_replayable");
	assert_string_equal(rs_reason_name(RS_REASON_COMMITTED), "committed");
	assert_string_equal(rs_class_name(RS_TEMPORARY), "temporary");
	assert_string_equal(rs_class_name(RS_RECOVERABLE), "recoverable");
	assert_string_equal(rs_class_name(RS_FOLLOWUP), "followup");
	assert_string_equal(rs_class_name(RS_PERMANENT), "permanent");
	assert_string_equal(rs_call_name(RS_CALL_CURL), "curl");
	assert_string_equal(rs_call_name(RS_CALL_CONNECT), "connect");
	assert_string_equal(rs_call_name(RS_CALL_RESOLVE), "resolve");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pace),
		cmocka_unit_test(classes),
		cmocka_unit_test(recovers_once),
		cmocka_unit_test(order_of_judgement),
		cmocka_unit_test(elapsed_counts_from_the_beginning),
		cmocka_unit_test(unlimited_attempts),
		cmocka_unit_test(each_rule_counts_for_itself),
		cmocka_unit_test(rules_beyond_the_places_count_together),
		cmocka_unit_test(decorrelated_follows_the_computed_wait),
		cmocka_unit_test(asked_for_more_than_the_cap),
		cmocka_unit_test(names),
	};

	return cmocka_run_group_tests_name("decide", tests, NULL, NULL);
}
