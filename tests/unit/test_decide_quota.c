/* What retries cost their quotas, and what successes give back. */
#include "decide_helper.h"

/* 500, 500, 200 */
static void aws_vector(void **state)
{
	struct rs_rule rule = rule_with_quota("r");
	struct rs_call_state call;
	struct world w;

	(void)state;
	make_world(&w);
	rule.policy.base_ns = MS(50);
	rule.policy.rate_millionths = 2 * RS_RATE_ONE;
	rule.policy.max_attempts = 3;
	begin(&call);
	retries(decide(&w, &rule, &call, NULL), MS(50), 486);
	call.attempts = 2;
	retries(decide(&w, &rule, &call, NULL), MS(100), 472);
	call.attempts = 3;
	rs_call_succeeded(&w.rules, &call, NULL, T0);
	assert_int_equal(rs_quota_level(&w.quotas[0]), 486);
	assert_int_equal(rs_quota_level(&w.quotas[1]), 10);
}

/* 400 Throttling, 200 */
static void aws_throttling_vector(void **state)
{
	struct rs_rule rule = rule_with_quota("throttled");
	struct rs_call_state call;
	struct world w;

	(void)state;
	make_world(&w);
	rule.policy.base_ns = S(1);
	rule.policy.cost = 5;
	begin(&call);
	retries(decide(&w, &rule, &call, NULL), S(1), 495);
	call.attempts = 2;
	rs_call_succeeded(&w.rules, &call, NULL, T0);
	assert_int_equal(rs_quota_level(&w.quotas[0]), 500);
}

static void first_success_refunds_to_every_quota(void **state)
{
	struct rs_call_state call;
	struct world w;

	(void)state;
	make_world(&w);
	atomic_store(&w.buckets[0].tokens, 498);
	atomic_store(&w.buckets[1].tokens, 8);
	begin(&call);
	rs_call_succeeded(&w.rules, &call, NULL, T0);
	assert_int_equal(rs_quota_level(&w.quotas[0]), 499);
	assert_int_equal(rs_quota_level(&w.quotas[1]), 10);
}

/* A word says whether a bucket may lack tokens: up with a payment, down once all are full. */
static void successes_look_only_when_stirred(void **state)
{
	struct rs_rule rule = rule_with_quota("r");
	struct rs_call_state failing, first;
	struct rs_stir stir = { 0 };
	struct world w;

	(void)state;
	make_world(&w);
	w.rules.stir = &stir;
	begin(&first);
	begin(&failing);
	assert_false(rs_call_refunds(&w.rules, &first));
	retries(decide(&w, &rule, &failing, NULL), S(2), 486);
	assert_int_equal(stir.bits, RS_STIR_PAID);
	assert_true(rs_call_refunds(&w.rules, &failing));
	assert_true(rs_call_refunds(&w.rules, &first));
	assert_int_equal(stir.bits, RS_STIR_PAID);
	atomic_store(&w.buckets[0].tokens, 500);
	assert_false(rs_call_refunds(&w.rules, &first));
	assert_int_equal(stir.bits, 0);
	/* Other bits are others' business. */
	stir.bits = RS_STIR_COUNT | RS_STIR_PAID;
	assert_false(rs_call_refunds(&w.rules, &first));
	assert_int_equal(stir.bits, RS_STIR_COUNT);
	first.attempts = 2;
	assert_false(rs_call_refunds(&w.rules, &first));
	/* A retry that costs nobody anything stirs nothing. */
	rule.policy.quota = RS_NO_QUOTA;
	begin(&failing);
	retries(decide(&w, &rule, &failing, NULL), S(2), -1);
	assert_int_equal(stir.bits, RS_STIR_COUNT);
}

static void free_retries_refund_nothing(void **state)
{
	struct rs_rule rule = any_scope_rule("free");
	struct rs_call_state call;
	struct world w;

	(void)state;
	make_world(&w);
	atomic_store(&w.buckets[0].tokens, 100);
	begin(&call);
	retries(decide(&w, &rule, &call, NULL), S(2), -1);
	call.attempts = 2;
	rs_call_succeeded(&w.rules, &call, NULL, T0);
	assert_int_equal(rs_quota_level(&w.quotas[0]), 100);
}

/* Only what the last retry paid comes back, to the quota it paid. */
static void refunds_the_last_retry_only(void **state)
{
	struct rs_rule rule = rule_with_quota("r"), other = rule_with_quota("o");
	struct rs_call_state call;
	struct world w;

	(void)state;
	make_world(&w);
	other.policy.quota = 1;
	other.policy.cost = 4;
	begin(&call);
	retries(decide(&w, &rule, &call, NULL), S(2), 486);
	call.attempts = 2;
	retries(decide(&w, &other, &call, NULL), S(2), 6);
	assert_ptr_equal(call.last_rule, &other);
	call.attempts = 3;
	rs_call_succeeded(&w.rules, &call, NULL, T0);
	assert_int_equal(rs_quota_level(&w.quotas[0]), 486);
	assert_int_equal(rs_quota_level(&w.quotas[1]), 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(aws_vector),
		cmocka_unit_test(aws_throttling_vector),
		cmocka_unit_test(first_success_refunds_to_every_quota),
		cmocka_unit_test(successes_look_only_when_stirred),
		cmocka_unit_test(free_retries_refund_nothing),
		cmocka_unit_test(refunds_the_last_retry_only),
	};

	return cmocka_run_group_tests_name("decide_quota", tests, NULL, NULL);
}
