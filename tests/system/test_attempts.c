/*
 * What the attempts of one transfer are to be seen by, besides its response; and when that comes.
 */
#include "harness.h"
#include "server.h"

#include <stdlib.h>
#include <string.h>

#define RULES(matchers)                                                                            \
	rules_file("[retryshim]\nlog_level = info\n"                                               \
		   "[policy default]\nmax_attempts = 3\nbase = 2ms\njitter = none\n"               \
		   "[rule it]\n" matchers "\n")

/* The rule is for both, and would make nine connects of the three. */
static void its_connects_are_not_retried_by_themselves(void **state)
{
	struct server *server = server_start_refusing();
	struct run run = run_words(RUN_SHIM, RULES("error = refused"), "curl", "-sS",
				   server_url(server, "/o"));

	(void)state;
	assert_exit(run, 7);
	assert_int_equal(count_lines(run.err, "call=connect"), 0);
	assert_int_equal(count_lines(run.err, "event=retry rule=it call=curl"), 2);
	assert_int_equal(count_lines(run.err, "event=exhausted rule=it call=curl"), 1);
	run_free(&run);
	server_stop(server);
}

/* Who asks libcurl what it does is told of every attempt; the response is one all the same. */
static void diagnosis_shows_every_attempt(void **state)
{
	const struct reply script[] = { { .status = 503, .body = "busy", .times = 2 },
					{ .body = "the object\n" } };
	struct server *server = server_start(script, 2);
	struct run run = run_words(RUN_SHIM, RULES("status = 503"), "curl", "-sSv",
				   server_url(server, "/o"));

	(void)state;
	assert_exit(run, 0);
	assert_output(run, "the object\n");
	assert_int_equal(count_lines(run.err, "> GET /o"), 3);
	assert_int_equal(count_lines(run.err, "< HTTP/1.1 503"), 2);
	assert_int_equal(count_lines(run.err, "< HTTP/1.1 200"), 1);
	run_free(&run);
	server_stop(server);
}

/* The end of the answer is not sent before its beginning has come out of curl. */
static void arrives_before_its_end(const char *rules, size_t after)
{
	char *object = noise(after + 1000, 5);
	const struct reply script[] = {
		{ .status = 503, .body = "busy" },
		{ .body = memcpy(object, "the beginning", 13),
		  .body_len = after + 1000,
		  .ending = REPLY_GATED,
		  .part = REPLY_BODY,
		  .after = after },
	};
	struct server *server = server_start(script, 2);
	struct child *child = child_start(&(struct program){
		.argv = (const char *const[]){ "curl", "-sSN", server_url(server, "/o"), NULL },
		.under = RUN_SHIM,
		.rules = rules,
	});
	struct run run;

	assert_true(child_wait_output(child, "the beginning"));
	server_open_gate(server);
	run = child_finish(child);
	assert_exit(run, 0);
	assert_bytes(run.out, run.out_len, object, after + 1000);
	run_free(&run);
	server_stop(server);
	free(object);
}

static void what_no_rule_could_retry_is_not_held(void **state)
{
	(void)state;
	arrives_before_its_end(RULES("status = 503"), 1000);
}

static void what_is_held_is_held_up_to_a_limit(void **state)
{
	(void)state;
	arrives_before_its_end(RULES("status = 200, 503\nbody = busy"), 65536 + 1000);
}

/* Nor is one that could have been followed by another: a request for a password. The program does
 * not look at headers. */
static void what_may_be_the_last_is_not_held(void **state)
{
	static const char program[] = "import os, pycurl, sys\n"
				      "c = pycurl.Curl()\n"
				      "c.setopt(c.URL, sys.argv[1])\n"
				      "c.setopt(c.WRITEFUNCTION, lambda b: os.write(1, b))\n"
				      "c.perform()\n";
	const struct reply script = { .status = 401,
				      .body = "the beginning and the end",
				      .ending = REPLY_GATED,
				      .part = REPLY_BODY,
				      .after = 13 };
	struct server *server = server_start(&script, 1);
	struct child *child = child_start(&(struct program){
		.argv = (const char *const[]){ "/usr/bin/python3", "-c", program,
					       server_url(server, "/o"), NULL },
		.under = RUN_SHIM,
		.rules = RULES("status = 4xx\nmethod = POST"),
	});
	struct run run;

	(void)state;
	assert_true(child_wait_output(child, "the beginning"));
	server_open_gate(server);
	run = child_finish(child);
	assert_exit(run, 0);
	assert_output(run, "the beginning and the end");
	run_free(&run);
	server_stop(server);
}

/* Nor are the headers of one after which libcurl will not go on, for a program that does. */
static void headers_that_may_be_the_last_are_not_held(void **state)
{
	static const char program[] = "import os, pycurl, sys\n"
				      "c = pycurl.Curl()\n"
				      "c.setopt(c.URL, sys.argv[1])\n"
				      "c.setopt(c.WRITEFUNCTION, lambda b: os.write(1, b))\n"
				      "c.setopt(c.HEADERFUNCTION, lambda b: os.write(1, b))\n"
				      "c.setopt(c.USERPWD, 'me:pw')\n"
				      "c.perform()\n";
	static const struct reply answers[] = {
		{ .status = 302, .headers = "Location: /other\r\n", .body = "elsewhere" },
		{ .status = 401,
		  .headers = "WWW-Authenticate: Basic realm=\"r\"\r\n",
		  .body = "who?" },
		{ .status = 407, .body = "who?" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		struct reply script = answers[i];
		struct server *server;
		struct child *child;
		struct run run;

		script.ending = REPLY_GATED;
		script.part = REPLY_BODY;
		server = server_start(&script, 1);
		child = child_start(&(struct program){
			.argv = (const char *const[]){ "/usr/bin/python3", "-c", program,
						       server_url(server, "/o"), NULL },
			.under = RUN_SHIM,
			.rules = RULES("status = 503"),
		});
		assert_true(child_wait_output(child, "\r\n\r\n"));
		server_open_gate(server);
		run = child_finish(child);
		assert_exit(run, 0);
		assert_contains(run.out, answers[i].body);
		run_free(&run);
		server_stop(server);
	}
}

/* Nobody has been shown the headers of an answer that breaks off before its body: not where the
 * program does not look at them, whatever libcurl does with them. */
static void headers_that_nobody_sees_commit_to_nothing(void **state)
{
	static const char program[] = "import pycurl, sys\n"
				      "c = pycurl.Curl()\n"
				      "c.setopt(c.URL, sys.argv[1])\n"
				      "c.setopt(c.FAILONERROR, 1)\n"
				      "if 'seen' in sys.argv[1]:\n"
				      "    c.setopt(c.HEADERFUNCTION, lambda line: None)\n"
				      "c.perform()\n";
	static const char *const paths[] = { "/o", "/seen" };

	(void)state;
	for (int seen = 0; seen < 2; seen++) {
		const struct reply script[] = {
			{ .body = "the object\n", .ending = REPLY_CUT, .part = REPLY_BODY },
			{ .body = "the object\n" }
		};
		struct server *server = server_start(script, 2);
		struct run run = run_words(RUN_SHIM, RULES("error = partial"), "/usr/bin/python3",
					   "-c", program, server_url(server, paths[seen]));

		assert_exit(run, seen);
		assert_output(run, seen ? "" : "the object\n");
		assert_int_equal(server_request_count(server), seen ? 1 : 2);
		run_free(&run);
		server_stop(server);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(its_connects_are_not_retried_by_themselves),
		cmocka_unit_test(diagnosis_shows_every_attempt),
		cmocka_unit_test(headers_that_nobody_sees_commit_to_nothing),
		cmocka_unit_test(what_no_rule_could_retry_is_not_held),
		cmocka_unit_test(what_may_be_the_last_is_not_held),
		cmocka_unit_test(headers_that_may_be_the_last_are_not_held),
		cmocka_unit_test(what_is_held_is_held_up_to_a_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
