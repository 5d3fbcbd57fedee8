/*
 * rate_limit = adaptive: throttles set the pace of what follows to the same target.
 */
#include "harness.h"
#include "server.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECOND 1000000000LL

#define POLICY                                                                                     \
	"[retryshim]\nlog_level = info\n"                                                          \
	"[policy default]\nbase = 1ms\njitter = none\n"
#define THROTTLED "[rule throttled]\nstatus = 429\nrate_limit = adaptive\n"
#define BROKEN    "[rule broken]\nstatus = 500\nmax_attempts = 1\n"

static struct server *throttle_once(void)
{
	static const struct reply script[] = {
		{ .path = "/1", .status = 429, .times = 1 },
		{ .path = "/broken", .status = 500 },
		{ .body = "ok\n" },
	};

	return server_start(script, 3);
}

static struct run fetch(const char *rules, struct server *server, const char *range)
{
	char url[64];

	(void)snprintf(url, sizeof(url), "http://127.0.0.1:%u/%s", server_port(server), range);
	return run_words(RUN_SHIM, rules_file(rules), "curl", "-sS", url);
}

static int64_t gap_ns(struct server *server, size_t index)
{
	return server_request(server, index)->time_ns - server_request(server, index - 1)->time_ns;
}

/* At the first request nothing was measured yet: the least rate, one in two seconds, holds for the
 * retry. The first attempt of the next call is paced, too. */
static void a_throttle_slows_down(void **state)
{
	struct server *server = throttle_once();
	struct run run = fetch(POLICY THROTTLED, server, "[1-2]");

	(void)state;
	assert_exit(run, 0);
	assert_output(run, "ok\nok\n");
	assert_int_equal(server_request_count(server), 3);
	assert_in_range(gap_ns(server, 1), 19 * SECOND / 10, 3 * SECOND);
	assert_int_equal(count_lines(run.err, "event=retry rule=throttled"), 1);
	assert_int_equal(count_lines(run.err, "event=paced call=curl method=GET target="), 1);
	assert_true(gap_ns(server, 2) >= SECOND / 2);
	run_free(&run);
	server_stop(server);
}

/* At the least rate the last five would take ten seconds. */
static void successes_speed_up_again(void **state)
{
	struct server *server = throttle_once();
	struct run run = fetch(POLICY THROTTLED, server, "[1-6]");

	(void)state;
	assert_exit(run, 0);
	assert_int_equal(server_request_count(server), 7);
	assert_true(gap_ns(server, 6) < SECOND);
	assert_true(run.elapsed_ns < 6 * SECOND);
	assert_true(count_lines(run.err, "event=paced") >= 2);
	run_free(&run);
	server_stop(server);
}

static void without_it_nothing_is_paced(void **state)
{
	struct server *server = throttle_once();
	struct run run = fetch(POLICY "[rule throttled]\nstatus = 429\n" BROKEN, server, "[1-5]");

	(void)state;
	assert_exit(run, 0);
	assert_int_equal(server_request_count(server), 6);
	assert_true(run.elapsed_ns < SECOND);
	assert_int_equal(count_lines(run.err, "event=paced"), 0);
	run_free(&run);
	server_stop(server);
}

/* Only what a rule with rate_limit = adaptive decides is a throttle. */
static void other_failures_are_no_throttles(void **state)
{
	struct server *server = throttle_once();
	struct run run = fetch(POLICY THROTTLED BROKEN, server, "{broken,broken,2,3,4}");

	(void)state;
	assert_int_equal(server_request_count(server), 5);
	assert_true(run.elapsed_ns < SECOND);
	assert_int_equal(count_lines(run.err, "event=paced"), 0);
	run_free(&run);
	server_stop(server);
}

static void other_targets_keep_their_pace(void **state)
{
	struct server *slow = throttle_once(), *other = throttle_once();
	char urls[2][64];
	struct run run;

	(void)state;
	(void)snprintf(urls[0], 64, "http://127.0.0.1:%u/1", server_port(slow));
	(void)snprintf(urls[1], 64, "http://127.0.0.1:%u/[2-5]", server_port(other));
	run = run_words(RUN_SHIM, rules_file(POLICY THROTTLED), "curl", "-sS", urls[0], urls[1]);
	assert_exit(run, 0);
	assert_int_equal(server_request_count(other), 4);
	assert_true(server_request(other, 3)->time_ns - server_request(other, 0)->time_ns < SECOND);
	assert_int_equal(count_lines(run.err, "event=paced"), 0);
	run_free(&run);
	server_stop(slow);
	server_stop(other);
}

/* The wait counts: what would end too late is not begun. */
static void max_elapsed_holds(void **state)
{
	struct server *server = throttle_once();
	struct run run = fetch(POLICY THROTTLED "max_elapsed = 500ms\n", server, "1");

	(void)state;
	assert_contains(run.err, "reason=elapsed");
	assert_int_equal(server_request_count(server), 1);
	assert_true(run.elapsed_ns < SECOND);
	run_free(&run);
	server_stop(server);
}

/* connect() too: refused once, then paced. */
static void connects(void **state)
{
	static const struct reply script[] = { { .status = 200 } };
	struct server *server =
		server_start_with(&(struct server_options){ .opening = SERVER_ON_WORD }, script, 1);
	char text[300];
	const char *const argv[] = { "bash", "-c", text, NULL };
	struct program program = {
		.argv = argv,
		.under = RUN_SHIM,
		.rules = rules_file(POLICY "[rule full]\ncall = connect\nerror = refused\n"
					   "rate_limit = adaptive\n"),
	};
	struct child *child;
	struct run run;

	(void)state;
	(void)snprintf(text, sizeof(text),
		       ": 3<>/dev/tcp/127.0.0.1/%u; : 3<>/dev/tcp/127.0.0.1/%u; echo done",
		       server_port(server), server_port(server));
	child = child_start(&program);
	assert_true(child_wait_output(child, "event=retry"));
	server_open(server);
	run = child_finish(child);
	assert_output(run, "done\n");
	assert_contains(run.err, "event=recovered rule=full call=connect");
	assert_int_equal(count_lines(run.err, "event=paced call=connect target=127.0.0.1:"), 1);
	assert_true(run.elapsed_ns > 5 * SECOND / 2);
	run_free(&run);
	server_stop(server);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_throttle_slows_down),
		cmocka_unit_test(successes_speed_up_again),
		cmocka_unit_test(without_it_nothing_is_paced),
		cmocka_unit_test(other_failures_are_no_throttles),
		cmocka_unit_test(other_targets_keep_their_pace),
		cmocka_unit_test(max_elapsed_holds),
		cmocka_unit_test(connects),
	};

	return cmocka_run_group_tests_name("adaptive", tests, NULL, NULL);
}
