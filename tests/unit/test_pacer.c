#include "unit.h"

#include <pthread.h>
#include <time.h>

#include "retry/pacer.h"

#define T0 S(1000)

static struct rs_pacers pacers;

static int clear(void **state)
{
	(void)state;
	memset(&pacers, 0, sizeof(pacers));
	return 0;
}

static struct rs_target target(uint16_t port)
{
	return (struct rs_target){ .call = RS_CALL_CURL, .host = span("h"), .port = port };
}

static void each_target_has_its_pace(void **state)
{
	struct rs_target a = target(1), b = target(2);

	(void)state;
	rs_pacer_outcome(&pacers, &a, true, T0);
	rs_pacer_outcome(&pacers, &b, false, T0);
	assert_int_equal(rs_pacer_wait_ns(&pacers, &a, T0), S(2));
	assert_int_equal(rs_pacer_wait_ns(&pacers, &b, T0), 0);
	rs_pacer_take(&pacers, &a, T0);
	assert_int_equal(rs_pacer_wait_ns(&pacers, &a, T0), S(4));
	assert_int_equal(rs_pacer_wait_ns(&pacers, &a, T0 + S(1)), S(3));
}

static void a_token_is_given_back(void **state)
{
	struct rs_target a = target(1);

	(void)state;
	rs_pacer_outcome(&pacers, &a, true, T0);
	rs_pacer_take(&pacers, &a, T0);
	rs_pacer_take(&pacers, &a, T0);
	rs_pacer_give(&pacers, &a, T0);
	assert_int_equal(rs_pacer_wait_ns(&pacers, &a, T0), S(4));
	for (int i = 0; i < 5; i++)
		rs_pacer_give(&pacers, &a, T0);
	assert_int_equal(rs_pacer_wait_ns(&pacers, &a, T0), 0);
	rs_pacer_take(&pacers, &a, T0);
	assert_int_equal(rs_pacer_wait_ns(&pacers, &a, T0), S(2));
	rs_pacer_give(NULL, &a, T0);
}

/* Who is asked for an address is not who has it. */
static void look_ups_have_a_pace_of_their_own(void **state)
{
	struct rs_target transfer = target(1), look_up = target(1);

	(void)state;
	look_up.call = RS_CALL_RESOLVE;
	rs_pacer_outcome(&pacers, &transfer, true, T0);
	rs_pacer_outcome(&pacers, &look_up, false, T0);
	assert_int_equal(rs_pacer_wait_ns(&pacers, &transfer, T0), S(2));
	assert_int_equal(rs_pacer_wait_ns(&pacers, &look_up, T0), 0);
}

static void unknown_targets_and_none(void **state)
{
	struct rs_target a = target(1);

	(void)state;
	assert_int_equal(rs_pacer_wait_ns(&pacers, &a, T0), 0);
	rs_pacer_take(&pacers, &a, T0);
	rs_pacer_outcome(NULL, &a, true, T0);
	rs_pacer_take(NULL, &a, T0);
	assert_int_equal(rs_pacer_wait_ns(NULL, &a, T0), 0);
}

/* More targets than places: some go unpaced; once others rest, there is room. */
static void a_crowd(void **state)
{
	int paced = 0;

	(void)state;
	for (uint16_t port = 1; port <= 20 * RS_PACERS; port++) {
		struct rs_target one = target(port);

		rs_pacer_outcome(&pacers, &one, true, T0);
		paced += rs_pacer_wait_ns(&pacers, &one, T0) > 0;
	}
	assert_in_range(paced, RS_PACERS * 9 / 10, RS_PACERS);
	for (uint16_t port = 2000; port < 2008; port++) {
		struct rs_target one = target(port);

		rs_pacer_outcome(&pacers, &one, true, T0 + RS_PACER_REST_NS + S(1));
		assert_true(rs_pacer_wait_ns(&pacers, &one, T0 + RS_PACER_REST_NS + S(1)) > 0);
	}
}

/* The thread that held a place is gone: in a handler that jumped away, or in the parent. */
static void a_lost_hold_is_taken_over(void **state)
{
	struct rs_target a = target(1), b = target(2);

	(void)state;
	rs_pacer_outcome(&pacers, &a, true, T0);
	for (int i = 0; i < RS_PACERS; i++)
		atomic_store(&pacers.at[i].held_ns, T0);
	rs_pacer_outcome(&pacers, &b, true, T0 + MS(50)); /* it finds no place */
	assert_int_equal(rs_pacer_wait_ns(&pacers, &a, T0 + MS(99)), 0);
	assert_int_equal(rs_pacer_wait_ns(&pacers, &a, T0 + MS(200)), MS(1800));
	assert_int_equal(rs_pacer_wait_ns(&pacers, &a, T0 + MS(300)), MS(1700));
	assert_int_equal(rs_pacer_wait_ns(&pacers, &b, T0 + MS(300)), 0);
}

/* Whatever stands there: a wait has a length, and none is negative. */
static void a_debt_without_end(void **state)
{
	struct rs_target a = target(1);

	(void)state;
	rs_pacer_outcome(&pacers, &a, true, T0);
	for (int i = 0; i < RS_PACERS; i++)
		pacers.at[i].adaptive.tokens = -1e30;
	assert_true(rs_pacer_wait_ns(&pacers, &a, T0) == RS_FOREVER);
}

static void *hammer(void *arg)
{
	struct rs_target a = target(1);

	pthread_barrier_wait(arg);
	for (int i = 0; i < 10000; i++) {
		rs_pacer_outcome(&pacers, &a, i % 250 == 0, T0 + MS(i / 250));
		rs_pacer_take(&pacers, &a, T0 + MS(i / 250));
		(void)rs_pacer_wait_ns(&pacers, &a, T0 + MS(i / 250));
	}
	return NULL;
}

static void threads(void **state)
{
	struct rs_target a = target(1);
	pthread_barrier_t together;
	pthread_t all[4];

	(void)state;
	pthread_barrier_init(&together, NULL, 4);
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&all[i], NULL, hammer, &together), 0);
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_join(all[i], NULL), 0);
	assert_true(rs_pacer_wait_ns(&pacers, &a, T0 + S(2)) > 0);
	assert_int_equal(rs_pacer_wait_ns(&pacers, &a, T0 + S(100000)), 0);
	pthread_barrier_destroy(&together);
}

static atomic_bool stop;

/* Holds come and go, lost ones and none, between a look at the place and the taking of it. */
static void *take_and_leave(void *pacer)
{
	struct rs_pacer *taken = pacer;

	while (!atomic_load_explicit(&stop, memory_order_relaxed)) {
		atomic_store(&taken->held_ns, T0 - S(1));
		atomic_store(&taken->held_ns, 0);
	}
	return NULL;
}

static struct rs_pacer *only_one(void)
{
	struct rs_pacer *pacer = pacers.at;

	while (pacer->key == 0)
		pacer++;
	return pacer;
}

/* Whoever is quicker: the wait is told, or there is none to be told. */
static void another_one_is_quicker(void **state)
{
	struct rs_target a = target(1);
	struct timespec began, now;
	long told = 0;
	pthread_t other;

	(void)state;
	rs_pacer_outcome(&pacers, &a, true, T0);
	clock_gettime(CLOCK_MONOTONIC, &began);
	assert_int_equal(pthread_create(&other, NULL, take_and_leave, only_one()), 0);
	do {
		for (int i = 0; i < 1000; i++) {
			int64_t wait_ns = rs_pacer_wait_ns(&pacers, &a, T0);

			assert_true(wait_ns == 0 || wait_ns == S(2));
			told += wait_ns > 0;
		}
		clock_gettime(CLOCK_MONOTONIC, &now);
	} while ((now.tv_sec - began.tv_sec) * 1000 + (now.tv_nsec - began.tv_nsec) / 1000000 <
		 300);
	atomic_store(&stop, true);
	assert_int_equal(pthread_join(other, NULL), 0);
	assert_true(told > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(each_target_has_its_pace, clear),
		cmocka_unit_test_setup(a_token_is_given_back, clear),
		cmocka_unit_test_setup(look_ups_have_a_pace_of_their_own, clear),
		cmocka_unit_test_setup(unknown_targets_and_none, clear),
		cmocka_unit_test_setup(a_crowd, clear),
		cmocka_unit_test_setup(a_lost_hold_is_taken_over, clear),
		cmocka_unit_test_setup(a_debt_without_end, clear),
		cmocka_unit_test_setup(threads, clear),
		cmocka_unit_test_setup(another_one_is_quicker, clear),
	};

	return cmocka_run_group_tests_name("pacer", tests, NULL, NULL);
}
