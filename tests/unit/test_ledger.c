#include "unit.h"

#include <pthread.h>

#include "retry/decide.h"
#include "retry/ledger.h"
#include "retry/purse.h"
#include "retry/target_key.h"

#define NOW     1000u
#define LATER   (NOW + RS_LEDGER_REST_S)
#define THREADS 8

static struct rs_ledger ledger;

static int clear(void **state)
{
	(void)state;
	memset(&ledger, 0, sizeof(ledger));
	return 0;
}

static struct rs_ledger_bucket bucket(uint64_t key)
{
	return (struct rs_ledger_bucket){ .key = key, .capacity = 100 };
}

static void starts_full_and_pays(void **state)
{
	(void)state;
	assert_true(rs_ledger_rests(&ledger));
	assert_int_equal(rs_ledger_level(&ledger, bucket(7), NOW), 100);
	assert_int_equal(rs_ledger_take(&ledger, bucket(7), 14, NOW), 86);
	assert_false(rs_ledger_rests(&ledger));
	assert_int_equal(rs_ledger_take(&ledger, bucket(7), 86, NOW), 0);
	assert_int_equal(rs_ledger_take(&ledger, bucket(7), 1, NOW), -1);
	assert_int_equal(rs_ledger_take(&ledger, bucket(7), 0, NOW), 0);
	assert_int_equal(rs_ledger_level(&ledger, bucket(8), NOW), 100);
	rs_ledger_give(&ledger, bucket(7), 30, NOW);
	assert_int_equal(rs_ledger_level(&ledger, bucket(7), NOW), 30);
	rs_ledger_give(&ledger, bucket(7), INT32_MAX, NOW);
	assert_int_equal(rs_ledger_level(&ledger, bucket(7), NOW), 100);
}

static void what_costs_nothing_takes_no_place(void **state)
{
	static const struct rs_ledger empty;

	(void)state;
	assert_int_equal(rs_ledger_take(&ledger, bucket(7), 0, NOW), 100);
	assert_int_equal(rs_ledger_take(&ledger, bucket(7), 101, NOW), -1);
	rs_ledger_give(&ledger, bucket(7), 5, NOW);
	assert_memory_equal(&ledger, &empty, sizeof(empty));
}

/* Refusals do not keep a bucket empty; payments do. */
static void is_full_again_after_a_rest(void **state)
{
	(void)state;
	assert_int_equal(rs_ledger_take(&ledger, bucket(7), 95, NOW), 5);
	assert_int_equal(rs_ledger_take(&ledger, bucket(7), 14, LATER - 1), -1);
	assert_int_equal(rs_ledger_level(&ledger, bucket(7), LATER - 1), 5);
	assert_int_equal(rs_ledger_level(&ledger, bucket(7), LATER), 100);
	assert_int_equal(rs_ledger_take(&ledger, bucket(7), 14, LATER), 86);
	assert_int_equal(rs_ledger_take(&ledger, bucket(7), 14, LATER + 200), 72);
	assert_int_equal(rs_ledger_level(&ledger, bucket(7), LATER + 499), 72);
}

static void a_rest_is_noted(void **state)
{
	(void)state;
	assert_int_equal(rs_ledger_take(&ledger, bucket(7), 10, NOW), 90);
	rs_ledger_give(&ledger, bucket(9), 1, LATER - 1);
	assert_false(rs_ledger_rests(&ledger));
	rs_ledger_give(&ledger, bucket(9), 1, LATER);
	assert_true(rs_ledger_rests(&ledger));
}

/* 0 says that nobody has paid: a rest that would end then ends a second later. */
static void the_clock_comes_round(void **state)
{
	uint32_t now = 0u - RS_LEDGER_REST_S;

	(void)state;
	assert_int_equal(rs_ledger_take(&ledger, bucket(7), 10, now), 90);
	assert_false(rs_ledger_rests(&ledger));
	rs_ledger_give(&ledger, bucket(7), 10, now);
	assert_int_equal(rs_ledger_level(&ledger, bucket(7), now), 100);
	rs_ledger_give(&ledger, bucket(7), 10, now); /* it is full */
	assert_int_equal(rs_ledger_level(&ledger, bucket(7), now), 100);
	assert_int_equal(rs_ledger_take(&ledger, bucket(7), 10, now + 5), 90);
}

/* A program with a smaller capacity sees the same bucket, emptier. */
static void capacities_may_differ(void **state)
{
	struct rs_ledger_bucket small = { .key = 7, .capacity = 20 };

	(void)state;
	assert_int_equal(rs_ledger_take(&ledger, bucket(7), 15, NOW), 85);
	assert_int_equal(rs_ledger_level(&ledger, small, NOW), 5);
	assert_int_equal(rs_ledger_take(&ledger, small, 6, NOW), -1);
	assert_int_equal(rs_ledger_take(&ledger, bucket(7), 15, NOW), 70);
	assert_int_equal(rs_ledger_level(&ledger, small, NOW), 0);
}

/* Twenty times the places: those that find none share a bucket, and nobody gets more than his. */
static void a_crowd_shares(void **state)
{
	int64_t taken = 0;

	(void)state;
	for (uint64_t i = 0; i < 20 * RS_LEDGER_SLOTS; i++) {
		struct rs_ledger_bucket one = bucket(rs_key_of_both(i, 1));

		if (rs_ledger_take(&ledger, one, 60, NOW) >= 0)
			taken += 60;
		assert_true(rs_ledger_level(&ledger, one, NOW) <= 40);
	}
	assert_true(taken <= 60 * (RS_LEDGER_SLOTS + 1));
	assert_true(taken >= 60 * RS_LEDGER_SLOTS * 9 / 10);
	/* Once they rest, there is room again. */
	assert_int_equal(rs_ledger_take(&ledger, bucket(77), 60, LATER), 40);
	assert_int_equal(rs_ledger_take(&ledger, bucket(77), 40, LATER), 0);
}

/* Whatever bytes stand there: no level outside of 0 … capacity, and an end to it. */
static void spoilt_bytes_heal(void **state)
{
	uint64_t random = 42;

	(void)state;
	for (int round = 0; round < 50; round++) {
		uint64_t *words = (uint64_t *)(void *)&ledger;

		for (size_t i = 0; i < sizeof(ledger) / sizeof(*words); i++)
			words[i] = next_random(&random);
		for (uint64_t key = 1; key < 100; key++) {
			uint64_t k = rs_key_of_both(key, 2);
			int32_t left = rs_ledger_take(&ledger, bucket(k), 14, NOW);

			assert_in_range(left + 1, 0, 87);
			rs_ledger_give(&ledger, bucket(k), 3, NOW);
			assert_in_range(rs_ledger_level(&ledger, bucket(k), NOW), 0, 100);
		}
		assert_int_equal(rs_ledger_level(&ledger, bucket(3), NOW + 10 * RS_LEDGER_REST_S),
				 100);
	}
}

static void *drain(void *arg)
{
	int64_t *taken = arg;
	struct rs_ledger_bucket big = { .key = 5, .capacity = 30001 };

	while (rs_ledger_take(&ledger, big, 3, NOW) >= 0)
		*taken += 3;
	return NULL;
}

static void threads_drain_it_once(void **state)
{
	pthread_t threads[THREADS];
	int64_t taken[THREADS] = { 0 }, sum = 0;

	(void)state;
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, drain, &taken[i]), 0);
	for (int i = 0; i < THREADS; i++) {
		assert_int_equal(pthread_join(threads[i], NULL), 0);
		sum += taken[i];
	}
	assert_int_equal(sum, 30000);
}

/* ---- purses ---- */

static struct rs_target host_port(const char *host, uint16_t port)
{
	return (struct rs_target){ .call = RS_CALL_CURL, .host = span(host), .port = port };
}

static void targets_have_keys_of_their_own(void **state)
{
	struct rs_target a = host_port("a.example", 80), b = host_port("A.Example", 80);
	struct rs_target other = host_port("a.example", 443);
	struct rs_target v4 = { .address = { RS_ADDRESS_IPV4, { 10, 0, 0, 1 }, { NULL, 0 } },
				.port = 80 };
	struct rs_target v6 = { .address = { RS_ADDRESS_IPV6, { 10, 0, 0, 1 }, { NULL, 0 } },
				.port = 80 };
	struct rs_target path = { .address = { RS_ADDRESS_UNIX, { 0 }, span("/run/x") } };

	(void)state;
	assert_true(rs_target_key(&a) == rs_target_key(&b));
	assert_true(rs_target_key(&a) != rs_target_key(&other));
	assert_true(rs_target_key(&v4) != rs_target_key(&v6));
	assert_true(rs_target_key(&path) != rs_target_key(NULL));
}

static struct rs_rules rules_with(struct rs_quota *quota, enum rs_scope scope,
				  struct rs_bucket *own)
{
	*quota = (struct rs_quota){ "q", 100, 1, own, scope };
	own->tokens = 100;
	return (struct rs_rules){ .quotas = quota, .quota_count = 1 };
}

static void take(const struct rs_rules *rules, const struct rs_target *target, int32_t left)
{
	struct rs_purse purse = rs_purse_of(rules, &rules->quotas[0], target);

	assert_int_equal(rs_purse_take(&purse, 10, S(NOW)), left);
	assert_int_equal(rs_purse_level(&purse, S(NOW)), left);
}

static void who_shares_what(void **state)
{
	struct rs_target a = host_port("a", 1), b = host_port("b", 1);
	struct rs_bucket own;
	struct rs_quota quota;
	struct rs_rules rules;

	(void)state;
	for (enum rs_scope scope = RS_SCOPE_PROCESS; scope <= RS_SCOPE_HOST_TARGET; scope++) {
		bool per_target = scope == RS_SCOPE_TARGET || scope == RS_SCOPE_HOST_TARGET;

		clear(NULL);
		rules = rules_with(&quota, scope, &own);
		rules.host_ledger = rules.target_ledger = &ledger;
		assert_false(rs_quota_may_lack(&rules, &quota));
		take(&rules, &a, 90);
		take(&rules, &b, per_target ? 90 : 80);
		take(&rules, &a, per_target ? 80 : 70);
		assert_true(rs_quota_may_lack(&rules, &quota));
		assert_int_equal(own.tokens, scope == RS_SCOPE_PROCESS ? 70 : 100);
		assert_int_equal(rs_ledger_rests(&ledger), scope == RS_SCOPE_PROCESS);
	}
}

/* What cannot be shared is this process's own. */
static void without_the_shared_ledger(void **state)
{
	struct rs_target a = host_port("a", 1), b = host_port("b", 1);
	struct rs_bucket own;
	struct rs_quota quota;
	struct rs_rules rules = rules_with(&quota, RS_SCOPE_HOST, &own);

	(void)state;
	take(&rules, &a, 90);
	take(&rules, &b, 80);
	assert_int_equal(own.tokens, 80);
	rules = rules_with(&quota, RS_SCOPE_HOST_TARGET, &own);
	rules.target_ledger = &ledger;
	take(&rules, &a, 90);
	take(&rules, &b, 90);
	assert_int_equal(own.tokens, 100);
}

/* A success gives to its own target's bucket, and a retried one gives back what it paid. */
static void successes_give_back(void **state)
{
	struct rs_target a = host_port("a", 1), b = host_port("b", 1);
	struct rs_call_state call = { .attempts = 1 };
	struct rs_bucket own;
	struct rs_quota quota;
	struct rs_rules rules = rules_with(&quota, RS_SCOPE_TARGET, &own);
	struct rs_purse paid = rs_purse_of(&rules, &quota, &b);

	(void)state;
	rules.target_ledger = &ledger;
	assert_false(rs_call_refunds(&rules, &call));
	take(&rules, &a, 90);
	take(&rules, &b, 90);
	assert_true(rs_call_refunds(&rules, &call));
	rs_call_succeeded(&rules, &call, &a, S(NOW));
	paid = rs_purse_of(&rules, &quota, &a);
	assert_int_equal(rs_purse_level(&paid, S(NOW)), 91);
	paid = rs_purse_of(&rules, &quota, &b);
	assert_int_equal(rs_purse_level(&paid, S(NOW)), 90);
	call = (struct rs_call_state){ .attempts = 2, .paid = paid, .paid_cost = 7 };
	rs_call_succeeded(&rules, &call, &a, S(NOW));
	assert_int_equal(rs_purse_level(&paid, S(NOW)), 97);
}

/* Another process has paid, and this one's first success gives back. */
static void others_pay(void **state)
{
	struct rs_call_state call = { .attempts = 1 };
	struct rs_stir stir = { 0 };
	struct rs_bucket own;
	struct rs_quota quota;
	struct rs_rules rules = rules_with(&quota, RS_SCOPE_HOST, &own);

	(void)state;
	rules.stir = &stir;
	assert_false(rs_call_refunds(&rules, &call));
	rules.host_ledger = &ledger;
	assert_false(rs_call_refunds(&rules, &call));
	assert_int_equal(rs_ledger_take(&ledger, bucket(1234), 10, NOW), 90);
	assert_true(rs_call_refunds(&rules, &call));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(starts_full_and_pays, clear),
		cmocka_unit_test_setup(what_costs_nothing_takes_no_place, clear),
		cmocka_unit_test_setup(is_full_again_after_a_rest, clear),
		cmocka_unit_test_setup(a_rest_is_noted, clear),
		cmocka_unit_test_setup(the_clock_comes_round, clear),
		cmocka_unit_test_setup(capacities_may_differ, clear),
		cmocka_unit_test_setup(a_crowd_shares, clear),
		cmocka_unit_test_setup(spoilt_bytes_heal, clear),
		cmocka_unit_test_setup(threads_drain_it_once, clear),
		cmocka_unit_test(targets_have_keys_of_their_own),
		cmocka_unit_test_setup(who_shares_what, clear),
		cmocka_unit_test_setup(without_the_shared_ledger, clear),
		cmocka_unit_test_setup(successes_give_back, clear),
		cmocka_unit_test_setup(others_pay, clear),
	};

	return cmocka_run_group_tests_name("ledger", tests, NULL, NULL);
}
