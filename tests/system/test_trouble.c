/*
 * The shim lacks what it needs (descriptors, room on the disk, rules that can be read), and the
 * program runs as if it were not there: same output, same status, and at most a line in the log.
 */
#include "harness.h"
#include "server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define POLICY "[policy default]\nmax_attempts = 3\nbase = 5ms\njitter = none\nquota = none\n"
#define RULES  POLICY "[rule refused]\nerror = refused\n[rule busy]\nstatus = 503\n"

static struct run bash(enum run_under under, const char *rules, const char *script)
{
	return run_words(under, rules, "bash", "-c", script);
}

/* The same script bare and under the shim: only the shim's own lines may be more. */
static void same_but_for(const char *rules, const char *script, const char *line, int lines)
{
	struct run bare = bash(RUN_BARE, NULL, script), shim = bash(RUN_SHIM, rules, script);
	char *at = shim.err;

	assert_exit(shim, bare.status);
	assert_bytes(shim.out, shim.out_len, bare.out, bare.out_len);
	assert_int_equal(count_lines(shim.err, line), lines);
	while (strncmp(at, "retryshim: ", 11) == 0)
		at = strchr(at, '\n') + 1;
	assert_string_equal(at, bare.err);
	run_free(&bare);
	run_free(&shim);
}

/* The last descriptor is the socket's: there is none to read the rules with. */
static void no_descriptor_for_the_rules(void **state)
{
	struct server *dead = server_start_refusing();
	char script[200];

	(void)state;
	(void)snprintf(script, sizeof(script),
		       "ulimit -n 4; : 3<>/dev/tcp/127.0.0.1/%u; echo \"$?\"", server_port(dead));
	same_but_for(rules_file(RULES), script, "Too many open files", 1);
	server_stop(dead);
}

/* Once they are read, retries go on without any, and that they are logged no longer is told. */
static void no_descriptor_for_the_log(void **state)
{
	const char *log = temp_path("log-without-descriptors");
	struct server *dead = server_start_refusing();
	char script[300], rules[400], *text;
	size_t len;

	(void)state;
	(void)snprintf(rules, sizeof(rules),
		       "[retryshim]\nlog = %s\nreport = %s.report\nlog_level = info\n" RULES, log,
		       log);
	(void)snprintf(script, sizeof(script),
		       ": 2>/dev/null 3<>/dev/tcp/127.0.0.1/%u; ulimit -n 4; "
		       ": 3<>/dev/tcp/127.0.0.1/%u; echo \"$?\"",
		       server_port(dead), server_port(dead));
	same_but_for(rules_file(rules), script, "retryshim: event=log action=dropped", 1);
	text = read_file(log, &len);
	assert_non_null(text); /* of the first connect() */
	assert_int_equal(count_lines(text, "event=retry"), 2);
	free(text);
	server_stop(dead);
}

static void full_disks(void **state)
{
	static const struct reply script[] = { { .status = 503, .body = "no\n" } };
	static const char *const settings[] = { "log = /dev/full\n", "report = /dev/full\n",
						"log = /dev/full\nreport = /dev/full\n" };
	struct server *server = server_start(script, 1);

	(void)state;
	for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
		size_t before = server_request_count(server);
		char rules[400];
		struct run run;

		(void)snprintf(rules, sizeof(rules), "[retryshim]\nlog_level = info\n%s" RULES,
			       settings[i]);
		run = run_words(RUN_SHIM, rules_file(rules), "curl", "-sS",
				server_url(server, "/"));
		assert_exit(run, 0);
		assert_output(run, "no\n");
		assert_int_equal(server_request_count(server) - before, 3);
		run_free(&run);
	}
	server_stop(server);
}

/* Rules that cannot be read, or are none: what a program gets is what it would have got. */
static void rules_that_are_none(void **state)
{
	const char *const paths[] = { "/nonexistent/rules.ini", "/", "/dev/null", "/proc/self/mem",
				      rules_file("[rule a]\nerror = refusd\n") };
	struct server *dead = server_start_refusing();
	char script[200];

	(void)state;
	(void)snprintf(script, sizeof(script), ": 3<>/dev/tcp/127.0.0.1/%u; echo \"$?\"",
		       server_port(dead));
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		same_but_for(paths[i], script, "event=rules", 1);
	server_stop(dead);
}

static const char connect_then_fetch[] =
	"import pycurl, socket, sys\n"
	"try:\n"
	"    socket.socket().connect(('127.0.0.1', int(sys.argv[2])))\n"
	"except OSError:\n"
	"    pass\n"
	"c = pycurl.Curl()\n"
	"c.setopt(pycurl.URL, sys.argv[1])\n"
	"c.perform()\n";

/* Rules that were read for a connect, which could not say so: that rule never matches. */
static void a_pattern_that_is_none(void **state)
{
	static const struct reply script[] = { { .status = 500, .body = "no\n" } };
	struct server *server = server_start(script, 1), *dead = server_start_refusing();
	char port[8];
	struct run run;

	(void)state;
	(void)snprintf(port, sizeof(port), "%u", server_port(dead));
	run = run_words(RUN_SHIM,
			rules_file(POLICY "[rule bad]\nstatus = 500\nbody_regex = a(b\n"
					  "[rule good]\nstatus = 500\nbody_regex = ^n."),
			"/usr/bin/python3", "-c", connect_then_fetch, server_url(server, "/"),
			port);
	assert_exit(run, 0);
	assert_output(run, "no\n");
	assert_int_equal(count_lines(run.err, "event=rules action=refused file="), 1);
	assert_contains(run.err, " rule=bad error=\"body_regex is no regular expression");
	assert_contains(run.err, "event=exhausted rule=good ");
	run_free(&run);
	server_stop(server);
	server_stop(dead);
}

/* A recover command that says what no request may hold changes nothing. */
static void hostile_recovery(void **state)
{
	static const char *const printed[] = {
		"set-header A: b\\r\\r\\nset-header B: \\001\\n",
		"set-header A\\0: b\\n",
		"set-url http://127.0.0.1:1/\\001\\n",
		"set-header A: b\\nGET / HTTP/1.1\\n",
		"\\377\\376\\n",
	};
	static const struct reply script[] = { { .status = 401, .body = "no\n" } };
	struct server *server = server_start(script, 1);

	(void)state;
	for (size_t i = 0; i < sizeof(printed) / sizeof(printed[0]); i++) {
		size_t before = server_request_count(server);
		char rules[600];
		struct run run;

		(void)snprintf(rules, sizeof(rules),
			       POLICY "[rule it]\nstatus = 401\nclass = recoverable\n"
				      "recover = printf '%s'\n",
			       printed[i]);
		run = run_words(RUN_SHIM, rules_file(rules), "curl", "-sS",
				server_url(server, "/"));
		assert_exit(run, 0);
		assert_output(run, "no\n");
		assert_int_equal(server_request_count(server) - before, 1);
		assert_int_equal(count_lines(run.err, "is no set-header"), 1);
		run_free(&run);
	}
	server_stop(server);
}

static void a_command_that_is_none(void **state)
{
	static const struct reply script[] = { { .status = 401, .body = "no\n" } };
	const char *rules = rules_file(POLICY "[rule it]\nstatus = 401\nclass = recoverable\n"
					      "recover = /nonexistent/program\n");
	struct server *server = server_start(script, 1);
	struct run run = run_words(RUN_SHIM, rules, "curl", "-sS", server_url(server, "/"));

	(void)state;
	assert_exit(run, 0);
	assert_output(run, "no\n");
	assert_int_equal(server_request_count(server), 1);
	assert_contains(run.err, "event=recover");
	run_free(&run);
	server_stop(server);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_descriptor_for_the_rules),
		cmocka_unit_test(no_descriptor_for_the_log),
		cmocka_unit_test(full_disks),
		cmocka_unit_test(rules_that_are_none),
		cmocka_unit_test(a_pattern_that_is_none),
		cmocka_unit_test(hostile_recovery),
		cmocka_unit_test(a_command_that_is_none),
	};

	return cmocka_run_group_tests_name("trouble", tests, NULL, NULL);
}
