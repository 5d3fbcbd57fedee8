#include "unit.h"

#include <pthread.h>

#include "retry/quota.h"

#define THREADS 8
#define ROUNDS  20000

static void standard_mode(void **state)
{
	struct rs_bucket bucket = { 500 };
	const struct rs_quota quota = { "standard", 500, 1, &bucket, RS_SCOPE_PROCESS };

	(void)state;
	assert_int_equal(rs_quota_level(&quota), 500);
	assert_int_equal(rs_quota_take(&quota, 14), 486);
	assert_int_equal(rs_quota_take(&quota, 14), 472);
	rs_quota_give(&quota, 14);
	assert_int_equal(rs_quota_level(&quota), 486);
}

static void all_or_nothing(void **state)
{
	struct rs_bucket bucket = { 13 };
	const struct rs_quota quota = { "q", 500, 1, &bucket, RS_SCOPE_PROCESS };

	(void)state;
	assert_int_equal(rs_quota_take(&quota, 14), -1);
	assert_int_equal(rs_quota_level(&quota), 13);
	assert_int_equal(rs_quota_take(&quota, 13), 0);
	assert_int_equal(rs_quota_take(&quota, 1), -1);
	assert_int_equal(rs_quota_take(&quota, 0), 0);
}

static void never_above_capacity(void **state)
{
	struct rs_bucket bucket = { 499 };
	const struct rs_quota quota = { "q", 500, 1, &bucket, RS_SCOPE_PROCESS };

	(void)state;
	rs_quota_give(&quota, 2);
	assert_int_equal(rs_quota_level(&quota), 500);
	rs_quota_give(&quota, 14);
	assert_int_equal(rs_quota_level(&quota), 500);
	rs_quota_give(&quota, INT32_MAX);
	assert_int_equal(rs_quota_level(&quota), 500);
	assert_int_equal(rs_quota_take(&quota, 500), 0);
	rs_quota_give(&quota, INT32_MAX);
	assert_int_equal(rs_quota_level(&quota), 500);
}

/* Every first success gives: a full bucket is not to travel between processors. Writing to this one
 * would be a segmentation fault. */
static void a_full_bucket_is_only_read(void **state)
{
	static const struct rs_bucket bucket = { 500 };
	const struct rs_quota quota = { "q", 500, 1, (void *)(uintptr_t)&bucket, RS_SCOPE_PROCESS };

	(void)state;
	rs_quota_give(&quota, 1);
	assert_int_equal(rs_quota_level(&quota), 500);
}

struct worker {
	const struct rs_quota *quota;
	int32_t cost;
	int64_t taken, given;
	bool level_was_wrong;
};

/* Take where there is enough, give back every other time. */
static void *take_and_give(void *arg)
{
	struct worker *worker = arg;

	for (int i = 0; i < ROUNDS; i++) {
		int32_t left = rs_quota_take(worker->quota, worker->cost);

		worker->level_was_wrong |= left < -1 || left > worker->quota->capacity;
		if (left < 0)
			continue;
		worker->taken += worker->cost;
		if (i % 2 == 0) {
			rs_quota_give(worker->quota, worker->cost);
			worker->given += worker->cost;
		}
	}
	return NULL;
}

/* What was there, less what was taken, plus what was given, is there. */
static void threads_lose_and_invent_nothing(void **state)
{
	struct rs_bucket bucket = { 1000000 };
	const struct rs_quota quota = { "q", 1000000, 1, &bucket, RS_SCOPE_PROCESS };
	struct worker workers[THREADS];
	pthread_t threads[THREADS];
	int64_t expected = 1000000;

	(void)state;
	for (int i = 0; i < THREADS; i++) {
		workers[i] = (struct worker){ .quota = &quota, .cost = 5 + i };
		assert_int_equal(pthread_create(&threads[i], NULL, take_and_give, &workers[i]), 0);
	}
	for (int i = 0; i < THREADS; i++) {
		assert_int_equal(pthread_join(threads[i], NULL), 0);
		assert_false(workers[i].level_was_wrong);
		expected += workers[i].given - workers[i].taken;
	}
	assert_int_equal(rs_quota_level(&quota), expected);
	assert_true(expected >= 0 && expected < 1000000);
}

/* The bucket runs dry: no thread may take it below zero. */
static void threads_drain_it_once(void **state)
{
	struct rs_bucket bucket = { 10007 };
	const struct rs_quota quota = { "q", 10007, 1, &bucket, RS_SCOPE_PROCESS };
	struct worker workers[THREADS];
	pthread_t threads[THREADS];
	int64_t net = 0;

	(void)state;
	for (int i = 0; i < THREADS; i++) {
		workers[i] = (struct worker){ .quota = &quota, .cost = 3 };
		assert_int_equal(pthread_create(&threads[i], NULL, take_and_give, &workers[i]), 0);
	}
	for (int i = 0; i < THREADS; i++) {
		assert_int_equal(pthread_join(threads[i], NULL), 0);
		assert_false(workers[i].level_was_wrong);
		net += workers[i].taken - workers[i].given;
	}
	assert_int_equal(net, 10005);
	assert_int_equal(rs_quota_level(&quota), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(standard_mode),
		cmocka_unit_test(all_or_nothing),
		cmocka_unit_test(never_above_capacity),
		cmocka_unit_test(a_full_bucket_is_only_read),
		cmocka_unit_test(threads_lose_and_invent_nothing),
		cmocka_unit_test(threads_drain_it_once),
	};

	return cmocka_run_group_tests_name("quota", tests, NULL, NULL);
}
