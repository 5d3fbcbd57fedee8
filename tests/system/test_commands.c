/*
 * recover and followup: when they run, how often, and what comes of it. What they change of a
 * request is test_commands_edits', their processes are test_commands_children's.
 */
#include "recovering.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Not only responses: a service that is down can be started. */
static void an_error_can_be_mended(void **state)
{
	struct server *server = server_start_refusing();
	const char *began = temp_path("curl-began");
	char text[512];
	struct program program = {
		.argv = (const char *const[]){ "curl", "-sS", server_url(server, "/o"), NULL },
		.under = RUN_SHIM,
	};
	struct child *child;
	struct run run;
	char *told = NULL;
	size_t len = 0;

	(void)state;
	(void)snprintf(text, sizeof(text),
		       "[rule start-it]\nclass = recoverable\nerror = refused\n"
		       "recover = sh -c 'echo $RETRYSHIM_ERROR $RETRYSHIM_STATUS >%s; sleep 0.3'\n",
		       began);
	program.rules = recovering_rules("", text);
	child = child_start(&program);
	for (int i = 0; i < 500 && len == 0; i++) {
		free(told);
		(void)usleep(10000);
		told = read_file(began, &len);
	}
	server_open(server);
	run = child_finish(child);
	assert_exit(run, 0);
	assert_string_equal(told, "CURLE_COULDNT_CONNECT\n");
	assert_string_equal(run.err, "");
	assert_int_equal(server_request_count(server), 1);
	free(told);
	run_free(&run);
	server_stop(server);
}

/* One recovery per rule and call; after it the rule's policy alone. */
static void one_recovery_in_a_call(void **state)
{
	struct server *server = recovering_serve(9);
	const char *ran = temp_path("ran-once");
	char text[256];
	struct run run;
	char *lines;
	size_t len;

	(void)state;
	(void)snprintf(text, sizeof(text), "#!/bin/sh\necho run >>%s\n", ran);
	run = run_words(
		RUN_SHIM,
		recovering_rules("log = none", recovering_rule(recovering_script("count", text))),
		"curl", "-sS", "-w", "%{http_code}", server_url(server, "/o"));
	assert_exit(run, 0);
	assert_output(run, DENIED "401");
	assert_int_equal(server_request_count(server), 3);
	lines = read_file(ran, &len);
	assert_int_equal(count_lines(lines, "run"), 1);
	free(lines);
	run_free(&run);
	server_stop(server);
}

/* Whatever goes wrong with the command: the program gets the error as it was, once. */
static void a_recovery_that_fails(void **state)
{
	static const struct {
		const char *command, *says;
	} rows[] = {
		{ "false", "exit status 1" },
		{ "sh -c 'kill -9 $$'", "killed by signal 9" },
		{ "/no/such/program", "cannot be started: ENOENT" },
		{ "echo token", "line 1 is no set-header, remove-header or set-url" },
		{ "sh -c 'yes | head -c 70000'", "line 1 is no" },
		{ "sleep 60", "ran into hook_timeout" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct server *server = recovering_serve(9);
		const char *rules =
			recovering_rules("hook_timeout = 300ms", recovering_rule(rows[i].command));
		struct run run = run_words(RUN_SHIM, rules, "curl", "-sSf", "-D", "-",
					   server_url(server, "/o"));

		assert_exit(run, 22);
		assert_int_equal(count_lines(run.out, "HTTP/"), 1);
		assert_contains(run.err, "event=recover rule=token");
		assert_contains(run.err, "result=failed");
		assert_contains(run.err, rows[i].says);
		assert_contains(run.err, "returned error: 401");
		assert_lacks(run.err, "event=exhausted");
		assert_int_equal(server_request_count(server), 1);
		run_free(&run);
		server_stop(server);
	}
}

/* Threads that fail together: sixteen transfers, one run. */
static const char threads_fetch[] =
	"import io, pycurl, sys, threading\n"
	"def fetch():\n"
	"    b = io.BytesIO()\n"
	"    c = pycurl.Curl()\n"
	"    c.setopt(pycurl.URL, sys.argv[1])\n"
	"    c.setopt(pycurl.NOSIGNAL, 1)\n"
	"    c.setopt(pycurl.WRITEDATA, b)\n"
	"    c.perform()\n"
	"    sys.stdout.write(f'{c.getinfo(pycurl.RESPONSE_CODE)} {b.getvalue()}\\n')\n"
	"threads = [threading.Thread(target=fetch) for _ in range(16)]\n"
	"[t.start() for t in threads]\n"
	"[t.join() for t in threads]\n";

static void callers_that_fail_together_share_one_run(void **state)
{
	struct server *server = recovering_serve(16);
	const char *ran = temp_path("ran-shared");
	char text[256];
	struct run run;
	char *lines;
	size_t len;

	(void)state;
	(void)snprintf(text, sizeof(text),
		       "#!/bin/sh\necho run >>%s\nsleep 0.5\necho set-header X-New: 1\n", ran);
	run = run_words(RUN_SHIM,
			recovering_rules("", recovering_rule(recovering_script("shared", text))),
			"/usr/bin/python3", "-c", threads_fetch, server_url(server, "/o"));
	assert_exit(run, 0);
	assert_int_equal(count_lines(run.out, "200 b'the object\\n'"), 16);
	assert_int_equal(server_request_count(server), 32);
	for (size_t i = 16; i < 32; i++)
		assert_string_equal(recovering_header(server, i, "X-New"), "1");
	lines = read_file(ran, &len);
	assert_int_equal(count_lines(lines, "run"), 1);
	free(lines);
	run_free(&run);
	server_stop(server);
}

/* Where something has moved to says nothing of what else was asked for. */
static void where_a_recovery_leads_is_for_one_url(void **state)
{
	const struct reply replies[] = {
		{ .path = "/old/a", .status = 401 },
		{ .path = "/old/b", .status = 401 },
		{ .path = "/new/a", .body = "this is a\n" },
		{ .path = "/new/b", .body = "this is b\n" },
	};
	static const char text[] =
		"#!/bin/sh\nsleep 0.2\n"
		"echo \"set-url ${RETRYSHIM_URL%/old/*}/new/${RETRYSHIM_URL##*/}\"\n";
	struct server *server = server_start(replies, 4);
	char urls[128];
	struct run run;

	(void)state;
	(void)snprintf(urls, sizeof(urls), "%s{a,b}", server_url(server, "/old/"));
	run = run_words(RUN_SHIM,
			recovering_rules("", recovering_rule(recovering_script("moved", text))),
			"curl", "-sSZ", urls);
	assert_exit(run, 0);
	assert_int_equal(count_lines(run.out, "this is a"), 1);
	assert_int_equal(count_lines(run.out, "this is b"), 1);
	assert_int_equal(server_request_count(server), 4);
	run_free(&run);
	server_stop(server);
}

/* While the outer transfer recovers its progress callback makes another one, which needs the same.
 */
static const char nested_fetch[] =
	"import io, os, pycurl, sys\n"
	"def fetch(asked):\n"
	"    b = io.BytesIO()\n"
	"    c = pycurl.Curl()\n"
	"    c.setopt(pycurl.URL, sys.argv[1])\n"
	"    c.setopt(pycurl.WRITEDATA, b)\n"
	"    c.setopt(pycurl.NOPROGRESS, 0)\n"
	"    c.setopt(pycurl.XFERINFOFUNCTION, asked)\n"
	"    c.perform()\n"
	"    print(c.getinfo(pycurl.RESPONSE_CODE), b.getvalue())\n"
	"def asked(*figures):\n"
	"    if os.path.exists(sys.argv[2]) and not os.path.exists(sys.argv[3]):\n"
	"        fetch(lambda *figures: None)\n"
	"fetch(asked)\n";

static void a_call_in_a_callback_waits_for_no_run_of_its_own_thread(void **state)
{
	struct server *server = recovering_serve(2);
	const char *begun = temp_path("begun"), *mended = temp_path("mended");
	char text[1024];
	struct run run;

	(void)state;
	(void)snprintf(text, sizeof(text),
		       "#!/bin/sh\nif test -e %s; then : >%s; else : >%s; fi\n"
		       "until test -e %s; do sleep 0.01; done\n",
		       begun, mended, begun, mended);
	run = run_words(
		RUN_SHIM, recovering_rules("", recovering_rule(recovering_script("nested", text))),
		"/usr/bin/python3", "-c", nested_fetch, server_url(server, "/o"), begun, mended);
	assert_exit(run, 0);
	assert_output(run, "200 b'the object\\n'\n200 b'the object\\n'\n");
	assert_string_equal(run.err, "");
	run_free(&run);
	server_stop(server);
}

/* An answer too long to be held is the program's: it cannot be mended any more. */
static void a_long_answer_is_not_held(void **state)
{
	char *body = noise(300000, 3);
	const struct reply replies[] = { { .status = 401, .body = body, .body_len = 300000 } };
	struct server *server = server_start(replies, 1);
	struct run run = run_words(RUN_SHIM, recovering_rules("", recovering_rule("true")), "curl",
				   "-sS", server_url(server, "/o"));

	(void)state;
	assert_exit(run, 0);
	assert_bytes(run.out, run.out_len, body, 300000);
	assert_contains(run.err, "reason=committed");
	assert_int_equal(server_request_count(server), 1);
	free(body);
	run_free(&run);
	server_stop(server);
}

static void a_followup_joins_the_report(void **state)
{
	const struct reply replies[] = { { .status = 500, .body = "disk full" } };
	struct server *server = server_start(replies, 1);
	const char *report = temp_path("followup-report");
	char settings[256];
	struct run run;
	char *text;
	size_t len;

	(void)state;
	(void)snprintf(settings, sizeof(settings), "report = %s", report);
	run = run_words(RUN_SHIM,
			recovering_rules(settings, "[rule f]\nclass = followup\nstatus = 500\n"
						   "followup = sh -c 'echo \"$(cat)!\"; exit 3'\n"),
			"curl", "-sSf", server_url(server, "/o"));
	assert_exit(run, 22);
	assert_output(run, "");
	assert_contains(run.err, "event=followup rule=f");
	assert_contains(run.err, "error=\"exit status 3\"");
	assert_int_equal(server_request_count(server), 1);
	text = read_file(report, &len);
	assert_int_equal(count_lines(text, "{"), 1);
	assert_contains(text, "\"class\":\"followup\"");
	assert_contains(text, "\"attempts\":[{\"outcome\":\"500\",\"wait_ms\":0}]");
	assert_contains(text, "\"reason\":\"followup\",\"output\":\"disk full!\\n\"}");
	free(text);
	run_free(&run);
	server_stop(server);
}

/* connect() has nothing to change about, but a service to start. */
static void a_connect_recovers(void **state)
{
	struct server *server = server_start_refusing();
	const char *began = temp_path("began");
	char port[8], text[512];
	const struct program program = {
		.argv = (const char *const[]){ helper_path("connect-once"), "127.0.0.1", port,
					       NULL },
		.under = RUN_SHIM,
		.rules = recovering_rules("",
					  "[rule start-it]\ncall = connect\nclass = recoverable\n"
					  "error = refused\nrecover = /bin/sh -c 'true'\n"),
	};
	struct run run;

	(void)state;
	(void)snprintf(port, sizeof(port), "%d", server_port(server));
	run = run_program(&program);
	assert_exit(run, 1);
	assert_contains(run.err, "event=exhausted");
	run_free(&run);

	(void)snprintf(text, sizeof(text),
		       "[rule start-it]\ncall = connect\nclass = recoverable\nerror = refused\n"
		       "recover = sh -c 'echo $RETRYSHIM_ERROR >%s; sleep 0.3'\n",
		       began);
	{
		struct program late = program;
		struct child *child;
		char *told = NULL;
		size_t len = 0;

		late.rules = recovering_rules("", text);
		child = child_start(&late);
		for (int i = 0; i < 500 && len == 0; i++) {
			free(told);
			(void)usleep(10000);
			told = read_file(began, &len);
		}
		server_open(server);
		run = child_finish(child);
		assert_exit(run, 0);
		assert_string_equal(told, "ECONNREFUSED\n");
		free(told);
	}
	run_free(&run);
	server_stop(server);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_error_can_be_mended),
		cmocka_unit_test(one_recovery_in_a_call),
		cmocka_unit_test(a_recovery_that_fails),
		cmocka_unit_test(callers_that_fail_together_share_one_run),
		cmocka_unit_test(where_a_recovery_leads_is_for_one_url),
		cmocka_unit_test(a_call_in_a_callback_waits_for_no_run_of_its_own_thread),
		cmocka_unit_test(a_long_answer_is_not_held),
		cmocka_unit_test(a_followup_joins_the_report),
		cmocka_unit_test(a_connect_recovers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
