/*
 * retryshim plan: the waits of a policy, for eyes and for programs.
 */
#include "harness.h"

#include <stdio.h>
#include <string.h>

static const char rules_text[] =
	"[policy default]\nbase = 2s\nrate = 3\nmax_attempts = 11\ncap = none\njitter = none\n"
	"max_elapsed = none\n"
	"[policy quick]\nmax_attempts = 3\nbase = 10ms\njitter = full\n"
	"[policy endless]\nmax_attempts = unlimited\nbase = 1s\nmax_elapsed = 1m\n"
	"[policy patient]\nmax_attempts = unlimited\nbackoff = constant\nbase = 1s\nmax_elapsed = 1h\n"
	"[policy once]\nmax_attempts = 1\n"
	"[policy exact]\nbase = 0.5us\nrate = 1.234567\nmax_attempts = 3\njitter = none\n"
	"[policy steep]\nrate = 1000000\nmax_attempts = 3\n"
	"[rule busy]\nstatus = 503\npolicy = quick\n"
	"[rule gone]\nstatus = 404\nclass = permanent\n"
	"[rule tell]\nstatus = 403\nclass = followup\nfollowup = true\npolicy = quick\n";

static struct run plan(const char *const *words)
{
	const char *argv[10] = { command_path(), "plan", "-r", rules_file(rules_text) };

	for (int i = 0; words[i]; i++)
		argv[4 + i] = words[i];
	return run_program(&(struct program){ .argv = argv });
}

#define PLAN(...) plan((const char *const[]){ __VA_ARGS__, NULL })

/* The example of the specification. */
static void sixteen_hours(void **state)
{
	static const char *const waits[] = { "2 s",   "6 s",    "18 s",   "54 s",    "162 s",
					     "486 s", "1458 s", "4374 s", "13122 s", "39366 s" };
	struct run run = PLAN("default");

	(void)state;
	assert_exit(run, 0);
	for (int i = 0; i < 10; i++) {
		char start[32];

		(void)snprintf(start, sizeof(start), "\n%7d  %7s  ", i + 2, waits[i]);
		assert_contains(run.out, start);
	}
	assert_contains(run.out, "\ntotal: 59048 s (16 h 24 m 8 s)\n");
	run_free(&run);
}

static void for_programs(void **state)
{
	struct run run = PLAN("--json", "busy");

	(void)state;
	assert_exit(run, 0);
	assert_output(run, "{\"policy\":\"quick\",\"waits\":["
			   "{\"attempt\":2,\"min_ms\":0,\"mean_ms\":5,\"max_ms\":10},"
			   "{\"attempt\":3,\"min_ms\":0,\"mean_ms\":15,\"max_ms\":30}],"
			   "\"total_min_ms\":0,\"total_mean_ms\":20,\"total_max_ms\":40}\n");
	run_free(&run);
}

static void a_rule_has_a_policy(void **state)
{
	struct run run = PLAN("busy");

	(void)state;
	assert_exit(run, 0);
	assert_contains(run.out, "rule busy, policy quick: 3 attempts, exponential backoff");
	assert_contains(run.out, "full jitter");
	assert_contains(run.out, "\ntotal, longest:  40 ms\n");
	run_free(&run);
}

/* Without a limit: until max_elapsed, a screen much, or as many as -n says. */
static void without_a_limit(void **state)
{
	struct run run = PLAN("endless");

	(void)state;
	assert_contains(run.out, "max_elapsed = 1 m ends the retries before attempt 6.");
	run_free(&run);
	run = PLAN("patient");
	assert_contains(run.out, "\n     20  ");
	assert_lacks(run.out, "\n     21  ");
	run_free(&run);
	run = PLAN("-n", "3", "patient");
	assert_contains(run.out, "\n      3  ");
	assert_lacks(run.out, "\n      4  ");
	run_free(&run);
	run = PLAN("--json", "patient");
	assert_contains(run.out, "{\"attempt\":3600,");
	assert_lacks(run.out, "{\"attempt\":3602,");
	run_free(&run);
}

static void no_retries(void **state)
{
	struct run run = PLAN("once");

	(void)state;
	assert_exit(run, 0);
	assert_contains(run.out, "policy once: 1 attempt");
	run_free(&run);
	run = PLAN("--json", "once");
	assert_output(run, "{\"policy\":\"once\",\"waits\":[],\"total_min_ms\":0,"
			   "\"total_mean_ms\":0,\"total_max_ms\":0}\n");
	run_free(&run);
}

/* Waits that can never be are not shown. */
static void rules_that_never_retry(void **state)
{
	static const char *const names[] = { "gone", "tell" };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct run run = PLAN(names[i]);

		assert_exit(run, 0);
		assert_contains(run.out, i ? "\nclass = followup: nothing is retried.\n"
					   : "\nclass = permanent: nothing is retried.\n");
		assert_lacks(run.out, "total");
		run_free(&run);
		run = PLAN("--json", names[i]);
		assert_contains(run.out, "\"waits\":[],\"total_min_ms\":0,\"total_mean_ms\":0,"
					 "\"total_max_ms\":0}\n");
		run_free(&run);
	}
}

static void numbers_are_as_written(void **state)
{
	struct run run = PLAN("exact");

	(void)state;
	assert_contains(run.out, "base 0.0005 ms, rate 1.234567,");
	run_free(&run);
	run = PLAN("steep");
	assert_contains(run.out, ", rate 1000000,");
	run_free(&run);
}

/* What stands on a terminal of so many columns; bars are no wider than 60. */
static struct run on_a_terminal(const char *columns, const char *charset)
{
	char columns_set[32], charset_set[32], script[600];
	const char *const env[] = { columns_set, charset_set, NULL };
	const char *const argv[] = { "script", "-qec", script, "/dev/null", NULL };

	(void)snprintf(columns_set, sizeof(columns_set), "COLUMNS=%s", columns);
	(void)snprintf(charset_set, sizeof(charset_set), "LC_ALL=%s", charset);
	(void)snprintf(script, sizeof(script), "%s plan -r %s quick", command_path(),
		       rules_file(rules_text));
	return run_program(&(struct program){ .argv = argv, .env = env });
}

static void bars(void **state)
{
	struct run run = on_a_terminal("80", "C");

	(void)state;
	assert_exit(run, 0);
	assert_contains(run.out, "  30 ms  ");
	assert_contains(run.out, "####");
	assert_contains(run.out, "#-");
	run_free(&run);
	run = on_a_terminal("80", "C.UTF-8");
	assert_contains(run.out, "\342\226\210");
	assert_contains(run.out, "\342\226\221");
	assert_lacks(run.out, "#");
	run_free(&run);
	run = on_a_terminal("50", "C"); /* no room */
	assert_contains(run.out, "  30 ms  ");
	assert_lacks(run.out, "#");
	run_free(&run);
	run = on_a_terminal("0", "C"); /* what the terminal says, or what is usual */
	assert_contains(run.out, "#");
	run_free(&run);
}

static void fails(struct run run, int status, const char *says)
{
	assert_exit(run, status);
	assert_output(run, "");
	assert_contains(run.err, says);
	run_free(&run);
}

static void wrong_use(void **state)
{
	static const char *const numbers[] = {
		"0", "-1", "10001", "x", "3x", "", "99999999999999999999"
	};

	(void)state;
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		fails(PLAN("-n", numbers[i]), 2, "-n takes a number of attempts from 1 to 10000");
	fails(PLAN("bsy"), 2, "no policy or rule is called bsy; did you mean busy?");
	fails(PLAN("zzzzzzzz"), 2,
	      "zzzzzzzz; policies: default quick endless patient once exact steep; rules: busy gone tell\n");
	fails(PLAN("-x"), 2, "unknown option -x; usage: ");
	fails(PLAN("--jsn"), 2, "unknown option --jsn; did you mean --json?");
	fails(PLAN("--json=1"), 2, "an option that takes no value");
	fails(PLAN("-n"), 2, "-n without a number");
	fails(PLAN("-r"), 2, "-r without a rules file");
	fails(PLAN("-r", ""), 2, "-r without a rules file");
	fails(PLAN("quick", "busy"), 2, "one policy or rule at a time, not also busy");
	fails(PLAN("-r", "/nonexistent"), 1, "/nonexistent: error: No such file");
	fails(PLAN("-r", "a:b"), 2, "':' separates files and cannot stand in the name a:b; ");
}

static void no_rules_to_name(void **state)
{
	(void)state;
	fails(run_words(RUN_BARE, NULL, command_path(), "plan", "-r",
			rules_file("[policy default]\nbase = 1s\n"), "zzzzzzzz"),
	      2, "no policy or rule is called zzzzzzzz; policies: default\n");
}

static void names_beyond_a_screen(void **state)
{
	char rules[1000] = "[rule r]\nstatus = 503\n";
	struct run run;

	(void)state;
	for (int i = 1; i <= 13; i++) {
		size_t len = strlen(rules);

		(void)snprintf(rules + len, sizeof(rules) - len, "[policy p%d]\nbase = 1s\n", i);
	}
	run = run_words(RUN_BARE, NULL, command_path(), "plan", "-r", rules_file(rules),
			"zzzzzzzz");
	assert_exit(run, 2);
	assert_contains(run.err, " p10 p11 …; rules: r\n");
	run_free(&run);
}

/* RETRYSHIM_RULES may be longer than any path, and has an end. */
static void rules_in_force(void **state)
{
	static char many[100000] = "RETRYSHIM_RULES=";
	const char *const argv[] = { command_path(), "plan", NULL };
	const char *const env[] = { many, "RETRYSHIM_OPTIONS=max_attempts=7", NULL };
	struct program program = { .argv = argv, .env = env + 1 };
	struct run run = run_program(&program);

	(void)state;
	assert_exit(run, 0);
	assert_contains(run.out, "policy default: 7 attempts");
	run_free(&run);
	memset(many + strlen(many), 'x', sizeof(many) - strlen(many) - 1);
	program.env = env;
	fails(run_program(&program), 1, "RETRYSHIM_RULES: error: longer than ");
}

/* As run does: over what the files say. */
static void options_of_the_environment(void **state)
{
	static const char *const env[] = { "RETRYSHIM_OPTIONS=max_attempts=7", NULL };
	const char *rules = rules_file("[policy default]\nmax_attempts = 2\n");
	const char *const argv[] = { command_path(), "plan", "-r", rules, NULL };
	struct run run = run_program(&(struct program){ .argv = argv, .env = env });

	(void)state;
	assert_exit(run, 0);
	assert_contains(run.out, "policy default: 7 attempts");
	run_free(&run);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sixteen_hours),
		cmocka_unit_test(for_programs),
		cmocka_unit_test(a_rule_has_a_policy),
		cmocka_unit_test(without_a_limit),
		cmocka_unit_test(no_retries),
		cmocka_unit_test(bars),
		cmocka_unit_test(rules_that_never_retry),
		cmocka_unit_test(bars),
		cmocka_unit_test(numbers_are_as_written),
		cmocka_unit_test(bars),
		cmocka_unit_test(wrong_use),
		cmocka_unit_test(no_rules_to_name),
		cmocka_unit_test(names_beyond_a_screen),
		cmocka_unit_test(rules_in_force),
		cmocka_unit_test(options_of_the_environment),
	};

	return cmocka_run_group_tests_name("plan", tests, NULL, NULL);
}
