/*
 * The report: what stands in it, whole lines from many processes, and a disk that is full.
 */
#include "harness.h"
#include "server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define POLICY "[policy default]\nmax_attempts = 2\nbase = 20ms\njitter = none\n"

static const char *rules_reporting(const char *report, const char *rules)
{
	char text[4096];

	(void)snprintf(text, sizeof(text), "[retryshim]\nlog = stderr\nreport = %s\n" POLICY "%s",
		       report, rules);
	return rules_file(text);
}

/* Every line is one object of JSON, as an independent parser sees it. */
static void check_json(const char *path, int lines)
{
	static const char parser[] =
		"import json, sys\n"
		"rows = [json.loads(line) for line in open(sys.argv[1])]\n"
		"assert all(line.endswith('\\n') for line in open(sys.argv[1]))\n"
		"print(len(rows), sorted({row['reason'] for row in rows}))\n";
	struct run run = run_words(RUN_BARE, NULL, "python3", "-c", parser, path);
	char wanted[16];

	(void)snprintf(wanted, sizeof(wanted), "%d [", lines);
	assert_exit(run, 0);
	assert_int_equal(strncmp(run.out, wanted, strlen(wanted)), 0);
	run_free(&run);
}

static void exhausted_and_permanent(void **state)
{
	const struct reply replies[] = {
		{ .path = "/busy", .status = 503 },
		{ .path = "/gone", .status = 410 },
		{ .path = "/none", .status = 404 },
		{ .path = "/mended", .status = 503 },
		{ .path = "/mended" },
	};
	static const char *const paths[] = { "busy", "gone", "none", "mended" };
	const char *report = temp_path("report");
	const char *rules = rules_reporting(
		report,
		"[rule busy]\nstatus = 503\n[rule gone]\nclass = permanent\nstatus = 410\n");
	struct server *server = server_start(replies, 5);
	char url[128], *text;
	size_t len;

	(void)state;
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		struct run run;

		(void)snprintf(url, sizeof(url), "http://me:secret@127.0.0.1:%d/%s?secret=1",
			       server_port(server), paths[i]);
		run = run_words(RUN_SHIM, rules, "curl", "-sS", "-H", "X-Auth: secret", url);
		assert_exit(run, 0);
		run_free(&run);
	}
	check_json(report, 2);
	text = read_file(report, &len);
	assert_contains(text, "\"program\":\"curl\"");
	assert_contains(text, "\"rule\":\"busy\",\"class\":\"temporary\",\"call\":\"curl\","
			      "\"method\":\"GET\",\"target\":\"127.0.0.1:");
	assert_contains(text, "\"attempts\":[{\"outcome\":\"503\",\"wait_ms\":20},"
			      "{\"outcome\":\"503\",\"wait_ms\":0}]");
	assert_contains(text, "\"reason\":\"attempts\"}");
	assert_contains(text, "\"rule\":\"gone\",\"class\":\"permanent\"");
	assert_contains(text, "\"reason\":\"permanent\"}");
	assert_lacks(text, "secret");
	free(text);
	server_stop(server);
}

static void a_connect_that_is_given_up(void **state)
{
	struct server *server = server_start_refusing();
	const char *report = temp_path("report-connect");
	const char *rules = rules_reporting(report, "[rule c]\ncall = connect\nerror = refused\n");
	char port[8], *text;
	struct run run;
	size_t len;

	(void)state;
	(void)snprintf(port, sizeof(port), "%d", server_port(server));
	run = run_words(RUN_SHIM, rules, helper_path("connect-once"), "127.0.0.1", port);
	assert_exit(run, 1);
	text = read_file(report, &len);
	assert_contains(text, "\"call\":\"connect\",\"target\":\"127.0.0.1:");
	assert_contains(text, "[{\"outcome\":\"ECONNREFUSED\",\"wait_ms\":20},"
			      "{\"outcome\":\"ECONNREFUSED\",\"wait_ms\":0}]");
	free(text);
	run_free(&run);
	server_stop(server);
}

static long number_after(const char *text, const char *key)
{
	const char *at = strstr(text, key);

	assert_non_null(at);
	return strtol(at + strlen(key), NULL, 10);
}

/* It is that of the judgement, however long the rest of the response takes. */
static void the_time_is_that_of_the_log(void **state)
{
	const struct reply replies[] = { {
		.status = 402,
		.body = "pay first",
		.piece = 1,
		.pace_ms = 10,
	} };
	const char *report = temp_path("report-time");
	const char *rules = rules_reporting(report, "[rule p]\nclass = permanent\nstatus = 402\n");
	struct server *server = server_start(replies, 1);
	struct run run = run_words(RUN_SHIM, rules, "curl", "-sS", server_url(server, "/"));
	size_t len;
	char *text = read_file(report, &len);

	(void)state;
	assert_exit(run, 0);
	assert_contains(run.err, "event=permanent");
	assert_int_equal(number_after(text, "\"elapsed_ms\":"),
			 number_after(run.err, " elapsed_ms="));
	free(text);
	run_free(&run);
	server_stop(server);
}

/* The values of headers that a recovery has set are request headers. */
static void secrets_of_a_recovery_stay_out(void **state)
{
	const struct reply replies[] = { { .status = 401 } };
	const char *report = temp_path("report-secret");
	const char *rules =
		rules_reporting(report, "[rule r]\nclass = recoverable\nstatus = 401\n"
					"recover = echo set-header Authorization: Bearer secret\n");
	struct server *server = server_start(replies, 1);
	struct run run = run_words(RUN_SHIM, rules, "curl", "-sS", server_url(server, "/"));
	size_t len;
	char *text = read_file(report, &len);

	(void)state;
	assert_exit(run, 0);
	assert_int_equal(server_request_count(server), 2);
	assert_contains(text,
			"\"reason\":\"attempts\",\"output\":\"set-header Authorization\\n\"}");
	assert_lacks(text, "secret");
	assert_lacks(run.err, "secret");
	free(text);
	run_free(&run);
	server_stop(server);
}

/* Fifty processes at once, each with several lines of several kilobytes. */
static void lines_of_many_processes_stay_whole(void **state)
{
	const struct reply replies[] = { { .status = 500, .body = "x" } };
	const char *report = temp_path("report-many");
	const char *rules = rules_reporting(
		report, "[rule f]\nclass = followup\nstatus = 500\n"
			"followup = sh -c 'head -c 4096 /dev/zero | tr \"\\\\0\" \"\\\\001\"'\n");
	struct server *server = server_start(replies, 1);
	char line[512];
	struct run run;

	(void)state;
	(void)snprintf(line, sizeof(line),
		       "for i in $(seq 50); do curl -sS %s %s %s >/dev/null 2>&1 & done; wait",
		       server_url(server, "/1"), server_url(server, "/2"),
		       server_url(server, "/3"));
	run = run_words(RUN_SHIM, rules, "bash", "-c", line);
	assert_exit(run, 0);
	check_json(report, 150);
	run_free(&run);
	server_stop(server);
}

static void a_full_disk_is_told_of_once(void **state)
{
	const struct reply replies[] = { { .status = 503 } };
	struct server *server = server_start(replies, 1);
	struct run run = run_words(
		RUN_SHIM, rules_reporting("/dev/full", "[rule a]\nstatus = 503\n"), "curl", "-sS",
		"-w", "%{http_code} ", server_url(server, "/1"), server_url(server, "/2"));

	(void)state;
	assert_exit(run, 0);
	assert_output(run, "503 503 ");
	assert_int_equal(count_lines(run.err, "event=report action=dropped file=/dev/full "
					      "error=ENOSPC"),
			 1);
	run_free(&run);
	server_stop(server);
}

/* What another writer could not finish is ended, so that it spoils no other line. */
static void a_torn_line_spoils_no_other(void **state)
{
	const struct reply replies[] = { { .status = 503 } };
	const char *report = temp_file("report-torn", "{\"torn", 6);
	struct server *server = server_start(replies, 1);
	struct run run = run_words(RUN_SHIM, rules_reporting(report, "[rule a]\nstatus = 503\n"),
				   "curl", "-sS", server_url(server, "/"));
	size_t len;
	char *text = read_file(report, &len);

	(void)state;
	assert_exit(run, 0);
	assert_int_equal(strncmp(text, "{\"torn\n{\"time\":", 15), 0);
	free(text);
	run_free(&run);
	server_stop(server);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(exhausted_and_permanent),
		cmocka_unit_test(a_connect_that_is_given_up),
		cmocka_unit_test(the_time_is_that_of_the_log),
		cmocka_unit_test(secrets_of_a_recovery_stay_out),
		cmocka_unit_test(lines_of_many_processes_stay_whole),
		cmocka_unit_test(a_full_disk_is_told_of_once),
		cmocka_unit_test(a_torn_line_spoils_no_other),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
