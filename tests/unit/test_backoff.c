#include "unit.h"

#include "retry/backoff.h"

#define DRAWS 20000

static void step_functions(void **state)
{
	static const int64_t seconds[] = { 2, 6, 18, 54, 162, 486, 1458, 4374, 13122, 39366 };
	const struct rs_policy policy = steps_policy();

	(void)state;
	for (int32_t n = 1; n <= (int32_t)COUNT(seconds); n++) {
		assert_int_equal(rs_backoff_ns(&policy, n), S(seconds[n - 1]));
		assert_int_equal(rs_backoff_jittered_ns(&policy, n, 0, 12345), S(seconds[n - 1]));
	}
}

static void shapes(void **state)
{
	static const struct {
		enum rs_backoff backoff;
		int64_t base_ns, rate_millionths, cap_ns;
		int32_t n;
		int64_t wait_ns;
	} cases[] = {
		{ RS_BACKOFF_CONSTANT, MS(5), 2000000, RS_FOREVER, 1, MS(5) },
		{ RS_BACKOFF_CONSTANT, MS(5), 2000000, RS_FOREVER, INT32_MAX, MS(5) },
		{ RS_BACKOFF_CONSTANT, MS(5), 2000000, MS(3), 1, MS(3) },
		{ RS_BACKOFF_LINEAR, MS(5), 2000000, RS_FOREVER, 1, MS(5) },
		{ RS_BACKOFF_LINEAR, MS(5), 2000000, RS_FOREVER, 7, MS(35) },
		{ RS_BACKOFF_LINEAR, MS(5), 2000000, MS(20), 7, MS(20) },
		{ RS_BACKOFF_LINEAR, S(5000000000), 2000000, RS_FOREVER, INT32_MAX, RS_FOREVER },
		{ RS_BACKOFF_EXPONENTIAL, MS(200), 2000000, S(20), 1, MS(200) },
		{ RS_BACKOFF_EXPONENTIAL, MS(200), 2000000, S(20), 7, MS(12800) },
		{ RS_BACKOFF_EXPONENTIAL, MS(200), 2000000, S(20), 8, S(20) },
		{ RS_BACKOFF_EXPONENTIAL, MS(200), 2000000, S(20), INT32_MAX, S(20) },
		{ RS_BACKOFF_EXPONENTIAL, MS(200), 2000000, MS(100), 1, MS(100) },
		{ RS_BACKOFF_EXPONENTIAL, MS(200), 1000000, S(20), INT32_MAX, MS(200) },
		{ RS_BACKOFF_EXPONENTIAL, S(1), 1500000, RS_FOREVER, 3, MS(2250) },
		{ RS_BACKOFF_EXPONENTIAL, S(1), 1100000, RS_FOREVER, 3, MS(1210) },
		/* A wait that grows by less than a nanosecond still grows: 1.5^4 = 5.06. */
		{ RS_BACKOFF_EXPONENTIAL, 1, 1500000, RS_FOREVER, 5, 5 },
		/* 2^62 ns is representable, 2^63 is not. */
		{ RS_BACKOFF_EXPONENTIAL, 1, 2000000, RS_FOREVER, 63, INT64_C(1) << 62 },
		{ RS_BACKOFF_EXPONENTIAL, 1, 2000000, RS_FOREVER, 64, RS_FOREVER },
		{ RS_BACKOFF_EXPONENTIAL, 1, 2000000, RS_FOREVER, INT32_MAX, RS_FOREVER },
		/* The product does not fit 128 bits. */
		{ RS_BACKOFF_EXPONENTIAL, S(4000000000), INT64_MAX, RS_FOREVER, 2, RS_FOREVER },
		{ RS_BACKOFF_EXPONENTIAL, S(4000000000), INT64_MAX, S(4000000001), 2,
		  S(4000000001) },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct rs_policy policy = steps_policy();

		policy.backoff = cases[i].backoff;
		policy.base_ns = cases[i].base_ns;
		policy.rate_millionths = cases[i].rate_millionths;
		policy.cap_ns = cases[i].cap_ns;
		assert_int_equal(rs_backoff_ns(&policy, cases[i].n), cases[i].wait_ns);
	}
}

/* The draws at both ends and in the middle, the bounds over many draws, and their mean. */
static void check_jitter(const struct rs_policy *policy, int64_t previous_ns, int64_t low_ns,
			 int64_t high_ns, int64_t mean_ns)
{
	uint64_t seed = 42;
	double sum = 0, off;

	assert_int_equal(rs_backoff_jittered_ns(policy, 1, previous_ns, 0), low_ns);
	assert_int_equal(rs_backoff_jittered_ns(policy, 1, previous_ns, UINT64_MAX), high_ns);
	for (int i = 0; i < DRAWS; i++) {
		int64_t wait_ns =
			rs_backoff_jittered_ns(policy, 1, previous_ns, next_random(&seed));

		assert_true(wait_ns >= low_ns && wait_ns <= high_ns);
		sum += (double)wait_ns;
	}
	/* A uniform mean strays by (high - low) / sqrt(12 * DRAWS), about 0.2 % of the range. */
	off = sum / DRAWS - (double)mean_ns;
	assert_true(off < 0.01 * (double)(high_ns - low_ns) + 1);
	assert_true(off > -0.01 * (double)(high_ns - low_ns) - 1);
}

static void full_jitter(void **state)
{
	struct rs_policy policy = steps_policy();

	(void)state;
	policy.jitter = RS_JITTER_FULL;
	check_jitter(&policy, 0, 0, S(2), S(1));
	policy.cap_ns = MS(500); /* capped first, jittered after */
	check_jitter(&policy, 0, 0, MS(500), MS(250));
}

static void equal_jitter(void **state)
{
	struct rs_policy policy = steps_policy();

	(void)state;
	policy.jitter = RS_JITTER_EQUAL;
	check_jitter(&policy, 0, S(1), S(2), MS(1500));
	policy.base_ns = 3; /* an odd one */
	assert_int_equal(rs_backoff_jittered_ns(&policy, 1, 0, 0), 1);
	assert_int_equal(rs_backoff_jittered_ns(&policy, 1, 0, UINT64_MAX), 3);
}

static void decorrelated_jitter(void **state)
{
	struct rs_policy policy = steps_policy();

	(void)state;
	policy.jitter = RS_JITTER_DECORRELATED;
	check_jitter(&policy, 0, S(2), S(6), S(4));
	check_jitter(&policy, S(10), S(2), S(30), S(16));
	/* min(cap, uniform): most draws of 2..30 s are above a cap of 9 s. */
	policy.cap_ns = S(9);
	assert_int_equal(rs_backoff_jittered_ns(&policy, 1, S(10), UINT64_MAX / 2), S(9));
	assert_int_equal(rs_backoff_jittered_ns(&policy, 1, S(10), 0), S(2));
	/* A cap below base, and a previous wait that was so capped. */
	policy.cap_ns = MS(100);
	assert_int_equal(rs_backoff_jittered_ns(&policy, 1, 0, 0), MS(100));
	assert_int_equal(rs_backoff_jittered_ns(&policy, 1, MS(100), UINT64_MAX), MS(100));
}

static void jitter_saturates(void **state)
{
	struct rs_policy policy = steps_policy();

	(void)state;
	policy.base_ns = RS_FOREVER;
	policy.jitter = RS_JITTER_FULL;
	assert_int_equal(rs_backoff_jittered_ns(&policy, 9, 0, UINT64_MAX), RS_FOREVER);
	assert_int_equal(rs_backoff_jittered_ns(&policy, 9, 0, 0), 0);
	policy.jitter = RS_JITTER_DECORRELATED;
	assert_int_equal(rs_backoff_jittered_ns(&policy, 9, RS_FOREVER, UINT64_MAX), RS_FOREVER);
	policy.base_ns = 1;
	assert_int_equal(rs_backoff_jittered_ns(&policy, 9, RS_FOREVER, UINT64_MAX), RS_FOREVER);
	assert_int_equal(rs_backoff_jittered_ns(&policy, 9, RS_FOREVER, 0), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(step_functions),      cmocka_unit_test(shapes),
		cmocka_unit_test(full_jitter),         cmocka_unit_test(equal_jitter),
		cmocka_unit_test(decorrelated_jitter), cmocka_unit_test(jitter_saturates),
	};

	return cmocka_run_group_tests_name("backoff", tests, NULL, NULL);
}
