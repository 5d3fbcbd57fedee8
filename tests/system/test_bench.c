/*
 * scripts/bench: that it measures and says so. What it finds is not judged here.
 */
#include "harness.h"

/* The parts that need neither other libraries nor a proxy, as briefly as can be. */
static void a_short_run(void **state)
{
	const char *numbers = temp_path("bench.json");
	const char *const argv[] = { "scripts/bench", "--alone", "--effort", "0.01",   "--only",
				     "start",         "--only",  "launch",   "--only", "rules",
				     "--only",        "memory",  "--json",   numbers,  NULL };
	struct run run = run_program(&(struct program){ .argv = argv, .timeout_ms = 150000 });

	(void)state;
	assert_exit(run, 0);
	assert_lacks(run.err, "cannot be measured");
	assert_contains(run.out, "start beside an empty library: instructions more");
	assert_contains(run.out, "≤ 12,000");
	assert_contains(run.out, "1,000 rules judged, none fits");
	assert_contains(run.out, "private memory more, after requests");
	assert_contains(run.out, "LAUNCHER true: time");
	assert_contains(run.out, "Measured on ");
	run_free(&run);
	run = run_words(RUN_BARE, NULL, "python3", "-m", "json.tool", numbers);
	assert_exit(run, 0);
	assert_contains(run.out, "\"Beside the bare program\"");
	run_free(&run);
}

static void an_unknown_part(void **state)
{
	struct run run = run_words(RUN_BARE, NULL, "scripts/bench", "--only", "speed");

	(void)state;
	assert_exit(run, 2);
	assert_contains(run.err, "invalid choice: 'speed'");
	run_free(&run);
}

static void missing_parts(void **state)
{
	static const char *const env[] = { "B=/nonexistent", NULL };
	const char *const argv[] = { "scripts/bench", "--effort", "0.01", "--only", "rules", NULL };
	struct run run = run_program(&(struct program){ .argv = argv, .env = env });

	(void)state;
	assert_int_equal(run.status, 1);
	assert_contains(run.err, "make bench");
	run_free(&run);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_short_run),
		cmocka_unit_test(an_unknown_part),
		cmocka_unit_test(missing_parts),
	};

	return cmocka_run_group_tests_name("bench", tests, NULL, NULL);
}
