/*
 * What rules do to non-blocking connects beyond trying again: reports, counters, pace. The loop
 * goes on all the while.
 */
#include "harness.h"
#include "looping.h"
#include "server.h"

#include <stdio.h>
#include <stdlib.h>

/* ---- reports and counters ---- */

static void ends_are_reported(void **state)
{
	static const struct {
		const char *class, *reason, *attempts;
	} rows[] = {
		{ "class = permanent", "\"reason\":\"permanent\"",
		  "\"attempts\":[{\"outcome\":\"ECONNREFUSED\",\"wait_ms\":0}]" },
		{ "max_attempts = 2", "\"reason\":\"attempts\"",
		  "\"attempts\":[{\"outcome\":\"ECONNREFUSED\",\"wait_ms\":2},"
		  "{\"outcome\":\"ECONNREFUSED\",\"wait_ms\":0}]" },
	};
	struct server *server = server_start_refusing();

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char name[32];
		const char *path;
		char *report;

		(void)snprintf(name, sizeof(name), "report-%zu", i);
		path = temp_path(name);
		looped_check_same(
			looped_run(&(struct looped){ "level",
						     looped_rules(looped_report(path),
								  looped_rule(rows[i].class, "")),
						     .under = RUN_SHIM },
				   server),
			looped_run_bare("level", server));
		report = looped_report_of(path);
		assert_int_equal(count_lines(report, "{"), 1);
		assert_contains(report, "\"call\":\"connect\"");
		assert_contains(report, rows[i].reason);
		assert_contains(report, rows[i].attempts);
		free(report);
	}
	server_stop(server);
}

static const char *counting(const char *counters)
{
	static char settings[256];

	(void)snprintf(settings, sizeof(settings), "stats = %s", counters);
	return settings;
}

/* A fault makes the first one of three fail; what no rule has to decide counts, too. */
static void every_call_is_counted(void **state)
{
	const char *counters = temp_path("counters");
	struct server *server = looped_serve(), *dead = server_start_refusing();
	const char *rules = looped_rules(counting(counters), looped_rule("max_attempts = 2", ""));
	struct run run;

	(void)state;
	run = looped_run(&(struct looped){ "level", rules, "call=connect,error=refused,first=1",
					   "3", RUN_SHIM },
			 server);
	run_free(&run);
	run = looped_run(&(struct looped){ "poll", rules, .count = "2", .under = RUN_SHIM }, dead);
	run_free(&run);
	rules = looped_rules(counting(counters), "[rule none]\ncall = connect\nerror = timeout\n");
	run = looped_run(&(struct looped){ "poll", rules, .count = "4", .under = RUN_SHIM }, dead);
	run_free(&run);
	run = run_words(RUN_BARE, NULL, command_path(), "stats", "--prometheus", counters);
	assert_contains(run.out, "retryshim_calls_total{call=\"connect\",rule=\"it\"} 3\n");
	assert_contains(run.out, "retryshim_retries_total{call=\"connect\",rule=\"it\"} 3\n");
	assert_contains(run.out, "retryshim_recovered_total{call=\"connect\",rule=\"it\"} 1\n");
	assert_contains(run.out, "retryshim_exhausted_total{call=\"connect\",rule=\"it\"} 2\n");
	assert_contains(run.out, "retryshim_calls_total{call=\"connect\",rule=\"\"} 6\n");
	run_free(&run);
	server_stop(dead);
	server_stop(server);
}

/* ---- pace ---- */

/* After a refusal the least rate holds, one in two seconds: for the retry, and for the next. */
static void first_attempts_keep_the_pace(void **state)
{
	static const char *const paced[] = { "poll", "edge", "again" };
	struct server *server[3];
	struct child *child[3];

	(void)state;
	for (int i = 0; i < 3; i++) {
		server[i] = server_start_refusing();
		child[i] = looped_start(
			&(struct looped){
				paced[i],
				looped_rules("", looped_rule("rate_limit = adaptive", "")),
				.count = "2", .under = RUN_SHIM },
			server[i]);
	}
	for (int i = 0; i < 3; i++) {
		assert_true(child_wait_output(child[i], "event=retry"));
		server_open(server[i]);
	}
	for (int i = 0; i < 3; i++) {
		struct run run = child_finish(child[i]);

		assert_int_equal(count_lines(run.err, "event=paced call=connect target=127.0.0.1:"),
				 1);
		assert_true(run.elapsed_ns > 5 * SECOND / 2);
		assert_int_equal(count_lines(run.out, " 0 connected"), 2);
		assert_int_equal(count_lines(run.out, "EINPROGRESS"), 2);
		/* To ask after one that has failed is to wait for the answer. */
		if (i < 2)
			assert_lacks(run.out, "stalled");
		else
			assert_contains(run.out, "\nEINPROGRESS EALREADY ");
		run_free(&run);
		server_stop(server[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ends_are_reported),
		cmocka_unit_test(every_call_is_counted),
		cmocka_unit_test(first_attempts_keep_the_pace),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
