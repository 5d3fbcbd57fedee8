/*
 * `retryshim stats`: how it shows the counters that all programs under the shim share. How they are
 * kept is test_stats_counting's.
 */
#include "counting.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void json(void **state)
{
	const char *path = counters_path();
	struct run run;

	(void)state;
	counting_some(counting_rules(path));
	run = counting_stats("--json", path);
	assert_exit(run, 0);
	assert_contains(run.out, "{\"call\":\"curl\",\"rule\":null,\"calls\":1,\"retries\":0,"
				 "\"recovered\":0,\"exhausted\":0,\"quota_refused\":0,"
				 "\"wait_ms\":0}");
	assert_contains(run.out, "{\"call\":\"curl\",\"rule\":\"busy\",\"calls\":2,\"retries\":3,"
				 "\"recovered\":1,\"exhausted\":1,\"quota_refused\":0,"
				 "\"wait_ms\":40}");
	assert_contains(run.out, "{\"call\":\"curl\",\"rule\":\"refused\",\"calls\":1,"
				 "\"retries\":2,\"recovered\":0,\"exhausted\":1,"
				 "\"quota_refused\":0,\"wait_ms\":30}");
	run_free(&run);
}

static void table(void **state)
{
	const char *path = counters_path();
	struct run run;

	(void)state;
	counting_some(counting_rules(path));
	run = counting_stats(NULL, path);
	assert_exit(run, 0);
	assert_int_equal(count_lines(run.out, "curl"), 3);
	assert_contains(run.out, "CALL     RULE         CALLS    RETRIES  RECOVERED  EXHAUSTED");
	assert_contains(run.out, "curl     busy             2          3          1          1"
				 "          0  40 ms\n");
	run_free(&run);
}

/* promtool's own judgement, and a value. */
static void prometheus(void **state)
{
	const char *path = counters_path();
	struct run run, promtool;

	(void)state;
	counting_some(counting_rules(path));
	run = counting_stats("--prometheus", path);
	assert_exit(run, 0);
	assert_contains(run.out, "# TYPE retryshim_calls_total counter\n");
	assert_contains(run.out, "\nretryshim_calls_total{call=\"curl\",rule=\"\"} 1\n");
	assert_contains(run.out, "\nretryshim_retries_total{call=\"curl\",rule=\"busy\"} 3\n");
	assert_contains(run.out, "\nretryshim_recovered_total{call=\"curl\",rule=\"busy\"} 1\n");
	assert_contains(run.out, "\nretryshim_exhausted_total{call=\"curl\",rule=\"refused\"} 1\n");
	assert_contains(run.out,
			"\nretryshim_quota_refused_total{call=\"curl\",rule=\"busy\"} 0\n");
	assert_contains(run.out, "\nretryshim_wait_seconds_total{call=\"curl\",rule=\"busy\"} "
				 "0.040000000\n");
	if (access("/usr/bin/promtool", X_OK) != 0)
		skip();
	promtool = run_program(&(struct program){
		.argv = (const char *const[]){ "promtool", "check", "metrics", NULL },
		.input = run.out,
		.input_len = run.out_len,
	});
	assert_exit(promtool, 0);
	assert_string_equal(promtool.err, "");
	run_free(&promtool);
	run_free(&run);
}

static void the_rules_name_the_file(void **state)
{
	const char *path = counters_path(), *rules = counting_rules(path);
	const char *const argv[] = { command_path(), "stats", "--json", NULL };
	struct program program = { .argv = argv, .rules = rules };
	char *start;
	struct run run;

	(void)state;
	counting_some(rules);
	run = run_program(&program);
	assert_exit(run, 0);
	if (asprintf(&start, "{\"file\":\"%s\",\"counters\":[", path) < 0)
		fail();
	assert_contains(run.out, start);
	free(start);
	run_free(&run);
	program.rules = NULL;
	run = run_program(&program);
	assert_exit(run, 2);
	assert_contains(run.err, "the rules in force have no stats = PATH");
	run_free(&run);
}

static void wrong_use(void **state)
{
	static const struct {
		const char *option, *file, *says;
		int status;
	} cases[] = {
		{ "--jsn", "x", "did you mean --json?", 2 },
		{ "--json=1", "x", "takes no value", 2 },
		{ "x", "y", "one file at a time", 2 },
		{ "--json", "/nonexistent", "nothing was counted yet", 1 },
		{ "--json", "/etc/passwd", "is not a file of counters", 1 },
		{ "--json", "/dev/zero", "is not a file of counters", 1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct run run = counting_stats(cases[i].option, cases[i].file);

		assert_exit(run, cases[i].status);
		assert_contains(run.err, cases[i].says);
		assert_int_equal(count_lines(run.err, "retryshim: stats: "), 1);
		run_free(&run);
	}
}

/* A file's name may be any bytes; what is printed for programs is UTF-8 all the same. */
static void a_name_of_any_bytes(void **state)
{
	static const char name[] = "a\"b\\\n\001\351\303\251\355\240\200\360\237\230\200";
	const char *path = temp_path(name);
	struct run run;

	(void)state;
	counting_some(counting_rules(temp_path("plain")));
	assert_int_equal(rename(temp_path("plain"), path), 0);
	run = counting_stats("--json", path);
	assert_exit(run, 0);
	assert_contains(run.out, "/a\\\"b\\\\\\u000a\\u0001\\ufffd\303\251"
				 "\\ufffd\\ufffd\\ufffd\360\237\230\200\",\"counters\":[{");
	run_free(&run);
	assert_int_equal(unlink(path), 0);
}

/* Goes on until it is stopped, and shows what is new. */
static void watching(void **state)
{
	const char *path = counters_path(), *rules = counting_rules(path);
	const char *const argv[] = { command_path(), "stats", "--watch", path, NULL };
	struct program program = { .argv = argv };
	struct child *child;
	struct run run;

	(void)state;
	counting_some(rules);
	child = child_start(&program);
	assert_true(child_wait_output(child, "busy             2"));
	counting_some(rules);
	assert_true(child_wait_output(child, "busy             4"));
	/* It may be removed, or truncated, at any time. */
	assert_int_equal(unlink(path), 0);
	assert_true(child_wait_output(child, "nothing was counted yet"));
	(void)kill(child_pid(child), SIGTERM);
	run = child_finish(child);
	assert_int_equal(run.signal, SIGTERM);
	run_free(&run);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(json),       cmocka_unit_test(table),
		cmocka_unit_test(prometheus), cmocka_unit_test(the_rules_name_the_file),
		cmocka_unit_test(wrong_use),  cmocka_unit_test(a_name_of_any_bytes),
		cmocka_unit_test(watching),
	};

	return cmocka_run_group_tests_name("stats", tests, NULL, NULL);
}
