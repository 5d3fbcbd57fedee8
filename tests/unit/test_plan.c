/* The command's own code is not in the library that unit tests are linked with. */
#include "cli/duration_text.c"
#include "cli/expected_wait.c"
#include "cli/plan_math.c"

#include "unit.h"

#define LIMIT 64

static void is_range(struct rs_plan_range range, int64_t min_ns, int64_t mean_ns, int64_t max_ns)
{
	assert_int_equal(range.min_ns, min_ns);
	assert_int_equal(range.mean_ns, mean_ns);
	assert_int_equal(range.max_ns, max_ns);
}

static void step_functions(void **state)
{
	static const int64_t seconds[] = { 2, 6, 18, 54, 162, 486, 1458, 4374, 13122, 39366 };
	const struct rs_policy policy = steps_policy();
	struct rs_plan_wait waits[LIMIT];
	struct rs_plan plan = rs_plan_make(&policy, NULL, waits, LIMIT);
	int64_t total_ns = 0;

	(void)state;
	assert_int_equal(plan.count, COUNT(seconds));
	assert_int_equal(plan.end, RS_PLAN_ATTEMPTS);
	assert_int_equal(plan.doubtful_from, 0);
	for (size_t i = 0; i < plan.count; i++) {
		int64_t wait_ns = S(seconds[i]);

		total_ns += wait_ns;
		assert_int_equal(waits[i].attempt, i + 2);
		is_range(waits[i].wait, wait_ns, wait_ns, wait_ns);
		is_range(waits[i].total, total_ns, total_ns, total_ns);
	}
	assert_int_equal(total_ns, S(59048));
	is_range(rs_plan_total(&plan), S(59048), S(59048), S(59048));
	assert_string_equal(rs_duration_human(total_ns).text, "16 h 24 m 8 s");
	assert_string_equal(rs_duration_plain(total_ns).text, "59048 s");
}

static void ranges_of_jitter(void **state)
{
	struct rs_policy policy = steps_policy();
	struct rs_plan_wait waits[LIMIT];
	struct rs_plan plan;

	(void)state;
	policy.max_attempts = 3;
	policy.jitter = RS_JITTER_FULL;
	plan = rs_plan_make(&policy, NULL, waits, LIMIT);
	is_range(waits[0].wait, 0, S(1), S(2));
	is_range(waits[1].wait, 0, S(3), S(6));
	is_range(rs_plan_total(&plan), 0, S(4), S(8));
	policy.jitter = RS_JITTER_EQUAL;
	plan = rs_plan_make(&policy, NULL, waits, LIMIT);
	is_range(waits[0].wait, S(1), MS(1500), S(2));
	is_range(waits[1].wait, S(3), MS(4500), S(6));
	policy.jitter = RS_JITTER_DECORRELATED;
	plan = rs_plan_make(&policy, NULL, waits, LIMIT);
	is_range(waits[0].wait, S(2), S(4), S(6));
	is_range(waits[1].wait, S(2), S(7), S(18));
	is_range(rs_plan_total(&plan), S(4), S(11), S(24));
}

/* The mean of many calls, drawn with the function the shim draws with. Its own error is 0.4 %
 * where the waits spread most. */
static double drawn_mean(const struct rs_policy *policy, int retries)
{
	const int calls = 200000;
	uint64_t seed = 1;
	double sum = 0;

	for (int i = 0; i < calls; i++) {
		int64_t wait_ns = 0;

		for (int32_t n = 1; n <= retries; n++)
			wait_ns = rs_backoff_jittered_ns(policy, n, wait_ns, next_random(&seed));
		sum += (double)wait_ns;
	}
	return sum / calls;
}

static void decorrelated_means_under_a_cap(void **state)
{
	static const int64_t caps_ns[] = { S(2), S(3), S(5), S(6), S(7), S(20), S(100), S(1000) };
	struct rs_policy policy = steps_policy();
	struct rs_plan_wait waits[LIMIT];

	(void)state;
	policy.jitter = RS_JITTER_DECORRELATED;
	policy.max_attempts = 9;
	for (size_t i = 0; i < COUNT(caps_ns); i++) {
		policy.cap_ns = caps_ns[i];
		rs_plan_make(&policy, NULL, waits, LIMIT);
		for (int retries = 1; retries <= 8; retries += 1 + (retries > 2)) {
			double drawn = drawn_mean(&policy, retries);
			double off = (double)waits[retries - 1].wait.mean_ns / drawn;

			if (off < 0.98 || off > 1.02)
				fail_msg("cap %lld retry %d: %f", (long long)caps_ns[i], retries,
					 off);
		}
	}
}

static void a_cap_below_base_is_the_wait(void **state)
{
	struct rs_policy policy = steps_policy();
	struct rs_plan_wait waits[LIMIT];

	(void)state;
	policy.jitter = RS_JITTER_DECORRELATED;
	policy.cap_ns = S(1);
	rs_plan_make(&policy, NULL, waits, LIMIT);
	is_range(waits[0].wait, S(1), S(1), S(1));
	is_range(waits[9].wait, S(1), S(1), S(1));
}

/* Base and cap as far apart as they can be: the grid is large enough. */
static void extremes_saturate(void **state)
{
	static struct rs_plan_wait waits[1000];
	struct rs_policy policy = steps_policy();
	struct rs_plan plan;

	(void)state;
	policy.jitter = RS_JITTER_DECORRELATED;
	policy.base_ns = 1;
	policy.cap_ns = RS_FOREVER - 1;
	policy.max_attempts = 1000;
	plan = rs_plan_make(&policy, NULL, waits, COUNT(waits));
	assert_int_equal(plan.count, 999);
	assert_int_equal(waits[0].wait.mean_ns, 2);
	assert_true(waits[998].wait.mean_ns > S(1000000000));
	is_range(waits[998].total, 999, RS_FOREVER, RS_FOREVER);
	policy.cap_ns = RS_FOREVER;
	plan = rs_plan_make(&policy, NULL, waits, COUNT(waits));
	is_range(waits[998].wait, 1, RS_FOREVER, RS_FOREVER);
	assert_int_equal(plan.end, RS_PLAN_ATTEMPTS);
}

static void max_elapsed_cuts_it(void **state)
{
	struct rs_policy policy = steps_policy();
	struct rs_plan_wait waits[LIMIT];
	struct rs_plan plan;

	(void)state;
	policy.max_elapsed_ns = S(100); /* 2 + 6 + 18 + 54 = 80; the next is 162 */
	plan = rs_plan_make(&policy, NULL, waits, LIMIT);
	assert_int_equal(plan.count, 4);
	assert_int_equal(plan.end, RS_PLAN_ELAPSED);
	assert_int_equal(plan.doubtful_from, 0);
	is_range(rs_plan_total(&plan), S(80), S(80), S(80));
	policy.max_elapsed_ns = S(242); /* ends exactly then: the wait is begun */
	plan = rs_plan_make(&policy, NULL, waits, LIMIT);
	assert_int_equal(plan.count, 5);
	/* Expected waits are half of that: 121 s fit, 364 s do not; the longest end sooner. */
	policy.jitter = RS_JITTER_FULL;
	policy.max_elapsed_ns = S(200);
	plan = rs_plan_make(&policy, NULL, waits, LIMIT);
	assert_int_equal(plan.count, 5);
	assert_int_equal(plan.end, RS_PLAN_ELAPSED);
	assert_int_equal(plan.doubtful_from, 6);
	is_range(rs_plan_total(&plan), 0, S(121), S(200));
}

static void limits(void **state)
{
	struct rs_policy policy = steps_policy();
	struct rs_plan_wait waits[LIMIT];
	struct rs_plan plan = rs_plan_make(&policy, NULL, waits, 3);

	(void)state;
	assert_int_equal(plan.count, 3);
	assert_int_equal(plan.end, RS_PLAN_LIMIT);
	plan = rs_plan_make(&policy, NULL, waits, 10);
	assert_int_equal(plan.count, 10);
	assert_int_equal(plan.end, RS_PLAN_ATTEMPTS);
	plan = rs_plan_make(&policy, NULL, waits, 0);
	assert_int_equal(plan.end, RS_PLAN_LIMIT);
	is_range(rs_plan_total(&plan), 0, 0, 0);
	policy.max_attempts = RS_UNLIMITED;
	plan = rs_plan_make(&policy, NULL, waits, LIMIT);
	assert_int_equal(plan.count, LIMIT);
	assert_int_equal(plan.end, RS_PLAN_LIMIT);
	policy.max_attempts = 1;
	plan = rs_plan_make(&policy, NULL, waits, LIMIT);
	assert_int_equal(plan.count, 0);
	assert_int_equal(plan.end, RS_PLAN_ATTEMPTS);
}

/* It is the first wait that the server asks for. */
static void what_a_server_asks_for(void **state)
{
	const struct rs_plan_server asks = { span("Retry-After: 1\r\n"), 0 };
	const struct rs_plan_server silent = { span("Date: x\r\n"), 0 };
	struct rs_policy policy = steps_policy();
	struct rs_plan_wait waits[LIMIT];

	(void)state;
	rs_plan_make(&policy, &asks, waits, LIMIT);
	is_range(waits[0].wait, S(2), S(2), S(2));
	policy.retry_after = RS_RETRY_AFTER_SERVER;
	rs_plan_make(&policy, &asks, waits, LIMIT);
	is_range(waits[0].wait, S(1), S(1), S(1));
	is_range(waits[1].wait, S(6), S(6), S(6));
	is_range(waits[1].total, S(7), S(7), S(7));
	/* Half of the draws from 0 to 2 s become 1 s, the others stay. */
	policy.retry_after = RS_RETRY_AFTER_MAX;
	policy.jitter = RS_JITTER_FULL;
	rs_plan_make(&policy, &asks, waits, LIMIT);
	assert_int_equal(waits[0].wait.min_ns, S(1));
	assert_in_range(waits[0].wait.mean_ns, MS(1249), MS(1251));
	assert_int_equal(waits[0].wait.max_ns, S(2));
	rs_plan_make(&policy, &silent, waits, LIMIT);
	is_range(waits[0].wait, 0, S(1), S(2));
	policy.base_ns = policy.cap_ns = RS_FOREVER;
	policy.jitter = RS_JITTER_EQUAL;
	rs_plan_make(&policy, &asks, waits, LIMIT);
	assert_int_equal(waits[0].wait.max_ns, RS_FOREVER);
}

static void durations(void **state)
{
	static const struct {
		int64_t ns;
		const char *plain, *human, *ms;
	} cases[] = {
		{ 0, "0 s", "0 s", "0" },
		{ 1, "0.000001 ms", "0.000001 ms", "0.000001" },
		{ 500, "0.0005 ms", "0.0005 ms", "0.0005" },
		{ 1500, "0.001 ms", "0.001 ms", "0.0015" },
		{ MS(250), "250 ms", "250 ms", "250" },
		{ MS(66) + 666667, "66.666 ms", "66.666 ms", "66.666667" },
		{ S(1), "1 s", "1 s", "1000" },
		{ MS(1500), "1.5 s", "1.5 s", "1500" },
		{ MS(1050), "1.05 s", "1.05 s", "1050" },
		{ S(59), "59 s", "59 s", "59000" },
		{ S(60), "60 s", "1 m", "60000" },
		{ MS(60250), "60.25 s", "1 m 0.25 s", "60250" },
		{ S(162), "162 s", "2 m 42 s", "162000" },
		{ S(3600), "3600 s", "1 h", "3600000" },
		{ S(3608), "3608 s", "1 h 8 s", "3608000" },
		{ S(59048), "59048 s", "16 h 24 m 8 s", "59048000" },
		{ S(86400), "86400 s", "1 d", "86400000" },
		{ S(90061), "90061 s", "1 d 1 h 1 m 1 s", "90061000" },
		{ RS_FOREVER, "forever", "forever", "9223372036854.775807" },
		{ RS_FOREVER - 1, "9223372036.854 s", "106751 d 23 h 47 m 16.854 s",
		  "9223372036854.775806" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		assert_string_equal(rs_duration_plain(cases[i].ns).text, cases[i].plain);
		assert_string_equal(rs_duration_human(cases[i].ns).text, cases[i].human);
		assert_string_equal(rs_duration_ms(cases[i].ns).text, cases[i].ms);
	}
	assert_string_equal(rs_millionths(1234567).text, "1.234567");
	assert_string_equal(rs_millionths(INT64_C(1000000000000)).text, "1000000");
	assert_string_equal(rs_millionths(2 * RS_RATE_ONE).text, "2");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(step_functions),
		cmocka_unit_test(ranges_of_jitter),
		cmocka_unit_test(decorrelated_means_under_a_cap),
		cmocka_unit_test(a_cap_below_base_is_the_wait),
		cmocka_unit_test(extremes_saturate),
		cmocka_unit_test(max_elapsed_cuts_it),
		cmocka_unit_test(limits),
		cmocka_unit_test(what_a_server_asks_for),
		cmocka_unit_test(durations),
	};

	return cmocka_run_group_tests_name("plan", tests, NULL, NULL);
}
