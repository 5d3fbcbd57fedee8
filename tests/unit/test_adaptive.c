#include "unit.h"

#include "retry/adaptive.h"

#define EPSILON 0.000001

static void near(double got, double wanted, double at)
{
	if (got > wanted + EPSILON || got < wanted - EPSILON)
		fail_msg("at %.1f s: %.9f, not %.9f", at, got, wanted);
}

struct cubic_case {
	bool throttled;
	double now_s, rate;
};

/* The vectors that the SDKs test their curve with: it was at 10 a second when it was throttled,
 * 5 s after the beginning. */
static void check_cubic(const struct cubic_case *cases, size_t count)
{
	struct rs_adaptive a = { .last_max = 10, .last_throttle_s = 5 };
	double rate = 0;

	for (size_t i = 0; i < count; i++) {
		if (cases[i].throttled) {
			a.last_max = rate;
			a.last_throttle_s = cases[i].now_s;
			rate = rs_cubic_throttle(rate);
		} else {
			rs_cubic_window(&a);
			rate = rs_cubic_success(&a, cases[i].now_s);
		}
		near(rate, cases[i].rate, cases[i].now_s);
	}
}

static void cubic_successes(void **state)
{
	static const struct cubic_case cases[] = {
		{ false, 5, 7.0 },
		{ false, 6, 9.64893600966 },
		{ false, 7, 10.000030849917364 },
		{ false, 8, 10.453284520772092 },
		{ false, 9, 13.408697022224185 },
		{ false, 10, 21.26626835427364 },
		{ false, 11, 36.425998516920465 },
	};

	(void)state;
	check_cubic(cases, COUNT(cases));
}

static void cubic_with_throttles(void **state)
{
	static const struct cubic_case cases[] = {
		{ false, 5, 7.0 },
		{ false, 6, 9.64893600966 },
		{ true, 7, 6.754255206761999 },
		{ true, 8, 4.727978644733399 },
		{ false, 9, 6.606547753887045 },
		{ false, 10, 6.763279816944947 },
		{ false, 11, 7.598174833907107 },
		{ false, 12, 11.511232804773524 },
	};

	(void)state;
	check_cubic(cases, COUNT(cases));
}

/* The SDKs' vector for a whole sequence of attempts. */
static void sending_rate(void **state)
{
	static const struct {
		bool throttled;
		double now_s, measured, fill;
	} cases[] = {
		{ false, 0.2, 0.000000, 0.500000 }, { false, 0.4, 0.000000, 0.500000 },
		{ false, 0.6, 4.800000, 0.500000 }, { false, 0.8, 4.800000, 0.500000 },
		{ false, 1.0, 4.160000, 0.500000 }, { false, 1.2, 4.160000, 0.691200 },
		{ false, 1.4, 4.160000, 1.097600 }, { false, 1.6, 5.632000, 1.638400 },
		{ false, 1.8, 5.632000, 2.332800 }, { true, 2.0, 4.326400, 3.028480 },
		{ false, 2.2, 4.326400, 3.486639 }, { false, 2.4, 4.326400, 3.821874 },
		{ false, 2.6, 5.665280, 4.053386 }, { false, 2.8, 5.665280, 4.200373 },
		{ false, 3.0, 4.333056, 4.282037 }, { true, 3.2, 4.333056, 2.997426 },
		{ false, 3.4, 4.333056, 3.452226 },
	};
	struct rs_adaptive a;

	(void)state;
	rs_adaptive_begin(&a, 0);
	for (size_t i = 0; i < COUNT(cases); i++) {
		rs_adaptive_update(&a, cases[i].throttled, cases[i].now_s);
		near(a.measured, cases[i].measured, cases[i].now_s);
		near(a.fill, cases[i].fill, cases[i].now_s);
		assert_int_equal(a.enabled, cases[i].now_s >= 2);
	}
}

/* The same wherever the clock stands. */
static void the_clock_does_not_matter(void **state)
{
	struct rs_adaptive a, b;
	double later = 40000000; /* more than a year */

	(void)state;
	rs_adaptive_begin(&a, 0);
	rs_adaptive_begin(&b, later);
	for (int i = 1; i < 60; i++) {
		rs_adaptive_update(&a, i % 20 == 0, i * 0.1875);
		rs_adaptive_update(&b, i % 20 == 0, later + i * 0.1875);
		near(a.fill, b.fill, i * 0.1875);
	}
}

static void window(void **state)
{
	struct rs_adaptive a = { .last_max = 10 };

	(void)state;
	rs_cubic_window(&a);
	near(a.window_s, 1.9574338205844317, 0);
	a.last_max = 8;
	rs_cubic_window(&a);
	near(a.window_s, 1.8171205928321397, 0);
	a.last_max = 0;
	rs_cubic_window(&a);
	near(a.window_s, 0, 0);
	a.last_max = 1e12;
	rs_cubic_window(&a);
	near(a.window_s * a.window_s * a.window_s / 1e12, 0.75, 0);
	a.last_max = 1e-9;
	rs_cubic_window(&a);
	near(a.window_s * 1000, 0.90856, 0);
}

static void off_until_the_first_throttle(void **state)
{
	struct rs_adaptive a;

	(void)state;
	rs_adaptive_begin(&a, 100);
	for (int i = 0; i < 50; i++) {
		near(rs_adaptive_wait_s(&a, 100), 0, i);
		rs_adaptive_take(&a);
		rs_adaptive_update(&a, false, 100);
	}
	rs_adaptive_update(&a, true, 100);
	assert_true(rs_adaptive_wait_s(&a, 100) > 0);
}

/* Nothing was measured yet: the least rate, one in two seconds; those that come together queue. */
static void waits_queue(void **state)
{
	struct rs_adaptive a;

	(void)state;
	rs_adaptive_begin(&a, 100);
	rs_adaptive_update(&a, true, 100);
	near(a.fill, 0.5, 100);
	for (int i = 1; i <= 5; i++) {
		near(rs_adaptive_wait_s(&a, 100), 2 * i, 100);
		rs_adaptive_take(&a);
	}
	near(rs_adaptive_wait_s(&a, 111), 1, 111);
	near(rs_adaptive_wait_s(&a, 112), 0, 112);
	/* No more than capacity gathers; a clock that goes back gives nothing. */
	near(rs_adaptive_wait_s(&a, 1000), 0, 1000);
	near(a.tokens, 1, 1000);
	rs_adaptive_take(&a);
	near(rs_adaptive_wait_s(&a, 500), 2, 500);
}

/* Rates that no clock gives: there is an end to the root of them, too. */
static void rates_that_are_none(void **state)
{
	struct rs_adaptive a = { .last_max = 0 };

	(void)state;
	rs_cubic_window(&a);
	near(a.window_s, 0, 0);
	a.last_max = -1;
	rs_cubic_window(&a);
	near(a.window_s, 0, 0);
	a.last_max = 1e300 * 1e300;
	rs_cubic_window(&a);
	assert_true(a.window_s > 1e300);
	a.last_max -= a.last_max;
	rs_cubic_window(&a);
	assert_false(a.window_s < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cubic_successes), cmocka_unit_test(cubic_with_throttles),
		cmocka_unit_test(sending_rate),    cmocka_unit_test(the_clock_does_not_matter),
		cmocka_unit_test(window),          cmocka_unit_test(off_until_the_first_throttle),
		cmocka_unit_test(waits_queue),     cmocka_unit_test(rates_that_are_none),
	};

	return cmocka_run_group_tests_name("adaptive", tests, NULL, NULL);
}
