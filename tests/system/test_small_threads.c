/*
 * Threads that have little stack: what is retried in them, logged, counted and mended goes well
 * where the bare program's call would.
 */
#include "connecting.h"
#include "harness.h"
#include "server.h"

#include <stdio.h>
#include <string.h>

#define POLICY "[policy default]\nmax_attempts = 3\nbase = 2ms\njitter = none\n"

/* Everything that there is to tell goes everywhere. */
static char *settings(char *text, size_t size)
{
	static int number;
	char report[32], stats[32];

	(void)snprintf(report, sizeof(report), "report%d", number);
	(void)snprintf(stats, sizeof(stats), "stats%d", number++);
	(void)snprintf(text, size, "[retryshim]\nlog_level = info\nreport = %s\nstats = %s\n%s",
		       temp_path(report), temp_path(stats), POLICY);
	return text;
}

static struct run run_small(const char *how, const char *rules, const char *where)
{
	return run_words(RUN_SHIM, rules, helper_path("small-thread"), how, where);
}

/* ---- connects ---- */

static void check_connect(const char *how, const char *rule, const char *event)
{
	struct server *server = server_start_refusing();
	char text[4096];
	size_t len = strlen(settings(text, sizeof(text)));
	struct run run;

	(void)snprintf(text + len, sizeof(text) - len,
		       "[rule it]\ncall = connect\nerror = refused\n%s", rule);
	run = run_small(how, rules_file(text), connecting_port(server));
	assert_exit(run, 0);
	assert_output(run, "ECONNREFUSED\n");
	assert_contains(run.err, event);
	run_free(&run);
	server_stop(server);
}

static void connects(void **state)
{
	static const char *const ways[] = { "connect", "poll", "select", "epoll" };

	(void)state;
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		check_connect(ways[i], "", "attempt=3 of=3 cause=ECONNREFUSED reason=attempts");
		check_connect(ways[i], "class = recoverable\nrecover = echo remove-header X\n",
			      "event=recover rule=it call=connect");
		check_connect(ways[i], "class = recoverable\nrecover = echo remove-header X\n",
			      " result=ok ");
		check_connect(ways[i],
			      "class = recoverable\n"
			      "recover = sh -c 'echo set-url http://me:secret@h/x?y; exit 3'\n",
			      " result=failed error=\"exit status 3\"");
		check_connect(ways[i], "class = followup\nfollowup = cat\n", " result=ok ");
	}
}

static void a_connect_by_the_built_in_rules(void **state)
{
	struct server *server = server_start_refusing();
	struct run run = run_small("select", NULL, connecting_port(server));

	(void)state;
	assert_exit(run, 0);
	assert_output(run, "ECONNREFUSED\n");
	assert_contains(run.err, "event=exhausted");
	run_free(&run);
	server_stop(server);
}

/* ---- transfers ---- */

static void check_transfer(const char *how, const char *rules, const char *event)
{
	static const struct reply script[] = {
		{ .status = 503, .headers = "X-Why: busy\r\n", .body = "busy" },
		{ .body = "ok" },
	};
	struct server *server = server_start(script, 2);
	struct run run = run_small(how, rules, server_url(server, "/"));

	assert_exit(run, 0);
	assert_output(run, "200\n");
	assert_int_equal(server_request_count(server), 2);
	if (event)
		assert_contains(run.err, event);
	run_free(&run);
	server_stop(server);
}

static const char *rules_with(const char *rule)
{
	char text[4096];
	size_t len = strlen(settings(text, sizeof(text)));

	(void)snprintf(text + len, sizeof(text) - len, "[rule it]\nstatus = 503\n%s", rule);
	return rules_file(text);
}

/* Where they are many, what is found out about a response is kept. */
static const char *many_rules(void)
{
	char text[8192];
	size_t len = strlen(settings(text, sizeof(text)));

	for (int i = 0; i < 40; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len,
					"[rule no%d]\nstatus = 200-599\nbody = no such text %d\n"
					"header = X-No-%d: [[:alpha:]]*\n",
					i, i, i);
	(void)snprintf(text + len, sizeof(text) - len, "[rule it]\nstatus = 503\n");
	return rules_file(text);
}

static void transfers(void **state)
{
	static const char *const ways[] = { "easy", "multi" };

	(void)state;
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		check_transfer(ways[i], NULL, NULL);
		check_transfer(ways[i], rules_with(""), "event=recovered rule=it call=curl");
		check_transfer(ways[i], rules_with("header = X-Why: b[[:alpha:]]*\nbody = busy\n"),
			       "event=recovered rule=it call=curl");
		check_transfer(ways[i], rules_with("body_regex = ^(b|c)(u|v)+sy$\n"),
			       "event=recovered rule=it call=curl");
		check_transfer(ways[i],
			       rules_with("class = recoverable\nrecover = echo set-header X: y\n"),
			       "event=recovered rule=it call=curl");
		check_transfer(ways[i], many_rules(), "event=recovered rule=it call=curl");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(connects),
		cmocka_unit_test(a_connect_by_the_built_in_rules),
		cmocka_unit_test(transfers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
