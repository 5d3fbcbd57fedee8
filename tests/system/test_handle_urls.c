/*
 * Handles of pycurl that are used again: where each transfer went, and how the program wrote that.
 */
#include "curl_parts.h"
#include "server.h"

#include <stdio.h>
#include <string.h>

/* libcurl spells it otherwise once a transfer has begun. */
static void a_url_is_what_the_program_wrote(void **state)
{
	static const char program[] = "import pycurl, sys\n"
				      "c = pycurl.Curl()\n"
				      "c.setopt(pycurl.URL, sys.argv[1])\n"
				      "for i in range(3): c.perform()\n";
	const struct reply script[] = {
		{ .body = OBJECT, .times = 1 },
		{ .status = 503, .times = 1 },
		{ .body = OBJECT },
	};
	struct server *server = server_start(script, 3);
	const char *url = server_url(server, "");
	char matchers[128];
	struct run run;

	(void)state;
	(void)snprintf(matchers, sizeof(matchers), POLICY "[rule it]\nstatus = 503\nurl = %s\n",
		       url);
	run = run_words(RUN_SHIM, rules_file(matchers), "/usr/bin/python3", "-c", program, url);
	assert_exit(run, 0);
	assert_output(run, OBJECT OBJECT OBJECT);
	assert_int_equal(server_request_count(server), 4);
	run_free(&run);
	server_stop(server);
}

/* A server that sends everybody on to the other one. */
static struct server *start_redirecting(struct server *other)
{
	static char location[128];
	struct reply redirect = { .status = 302, .headers = location };

	(void)snprintf(location, sizeof(location), "Location: %s\r\n", server_url(other, "/to"));
	return server_start(&redirect, 1);
}

/* The program got an answer in the end, and all that was told of is the server it had asked for. */
static void check_asked(struct run *run, const struct server *server)
{
	char target[64];

	(void)snprintf(target, sizeof(target), "target=127.0.0.1:%d ", server_port(server));
	assert_exit(*run, 0);
	assert_output(*run, "200\n");
	assert_int_equal(count_lines(run->err, target), 2);
	assert_int_equal(count_lines(run->err, "target="), 2);
	run_free(run);
}

/* As long as it has to be known what was asked for. */
static void following_may_begin_later(void **state)
{
	static const char program[] = "import pycurl, sys\n"
				      "c = pycurl.Curl()\n"
				      "c.setopt(pycurl.URL, sys.argv[1])\n"
				      "c.setopt(pycurl.WRITEFUNCTION, lambda b: None)\n"
				      "c.perform()\n"
				      "c.setopt(pycurl.FOLLOWLOCATION, 1)\n"
				      "for i in range(2): c.perform()\n"
				      "print(c.getinfo(pycurl.RESPONSE_CODE))\n";
	const struct reply there[] = {
		{ .body = OBJECT, .times = 1 },
		{ .status = 503, .times = 1 },
		{ .body = OBJECT },
	};
	struct server *other = server_start(there, 3), *server = start_redirecting(other);
	struct run run;

	(void)state;
	run = run_words(RUN_SHIM,
			rules_file("[retryshim]\nlog = stderr\nlog_level = info\n" POLICY
				   "[rule it]\nstatus = 503\n"),
			"/usr/bin/python3", "-c", program, server_url(server, "/from"));
	check_asked(&run, server);
	server_stop(server);
	server_stop(other);
}

/* Also by a transfer that no rule was asked about, since there were none when it began. */
static void rules_may_begin_later(void **state)
{
	static const char program[] = "import os, pycurl, sys\n"
				      "def take(_):\n"
				      "    with open(os.environ['RETRYSHIM_RULES'], 'w') as f:\n"
				      "        f.write(sys.argv[2])\n"
				      "c = pycurl.Curl()\n"
				      "c.setopt(pycurl.URL, sys.argv[1])\n"
				      "c.setopt(pycurl.FOLLOWLOCATION, 1)\n"
				      "c.setopt(pycurl.WRITEFUNCTION, take)\n"
				      "for i in range(2): c.perform()\n"
				      "print(c.getinfo(pycurl.RESPONSE_CODE))\n";
	static const char rules[] =
		"[retryshim]\nlog = stderr\nlog_level = info\n" POLICY "[rule it]\nstatus = 503\n";
	const struct reply there[] = {
		{ .status = 404, .body = "no", .times = 1 },
		{ .status = 503, .times = 1 },
		{ .body = OBJECT },
	};
	struct server *other = server_start(there, 3), *server = start_redirecting(other);
	struct run run;

	(void)state;
	run = run_words(RUN_SHIM, rules_file("[retryshim]\nmode = off\nreload = 0\n"),
			"/usr/bin/python3", "-c", program, server_url(server, "/from"), rules);
	check_asked(&run, server);
	server_stop(server);
	server_stop(other);
}

static void a_handle_goes_elsewhere(void **state)
{
	static const char program[] = "import pycurl, sys\n"
				      "c = pycurl.Curl()\n"
				      "for url in sys.argv[1:]:\n"
				      "    c.setopt(pycurl.URL, url)\n"
				      "    c.perform()\n";
	const struct reply script[] = { { .status = 503, .times = 1 }, { .body = OBJECT } };
	struct server *servers[] = { server_start(script, 2), server_start(script, 2) };
	struct run run = run_words(RUN_SHIM,
				   rules_file("[retryshim]\nlog = stderr\nlog_level = info\n" POLICY
					      "[rule it]\nstatus = 503\n"),
				   "/usr/bin/python3", "-c", program, server_url(servers[0], "/"),
				   server_url(servers[1], "/"));

	(void)state;
	assert_exit(run, 0);
	assert_output(run, OBJECT OBJECT);
	for (size_t i = 0; i < 2; i++) {
		char target[64];

		(void)snprintf(target, sizeof(target), "target=127.0.0.1:%d ",
			       server_port(servers[i]));
		assert_int_equal(count_lines(run.err, target), 2);
		server_stop(servers[i]);
	}
	run_free(&run);
}

/* Where a last one was continued, too. */
static void it_says_so_before_it_goes(void **state)
{
	static const char program[] = "import pycurl, sys\n"
				      "c = pycurl.Curl()\n"
				      "def tell(): print(c.getinfo(pycurl.EFFECTIVE_URL)[-2:])\n"
				      "c.setopt(pycurl.URL, sys.argv[1] + '/a')\n"
				      "c.setopt(pycurl.WRITEFUNCTION, lambda b: None)\n"
				      "c.perform()\n"
				      "tell()\n"
				      "c.setopt(pycurl.URL, sys.argv[1] + '/b')\n"
				      "tell()\n"
				      "c.duphandle()\n"
				      "tell()\n";
	const struct reply script[] = {
		{ .headers = "ETag: \"v\"\r\n",
		  .body = "abcdef",
		  .times = 1,
		  .ending = REPLY_CUT,
		  .part = REPLY_BODY,
		  .after = 3 },
		{ .status = 206,
		  .headers = "ETag: \"v\"\r\nContent-Range: bytes 3-5/6\r\n",
		  .body = "def" },
	};
	struct server *server = server_start(script, 2);
	struct run run = run_words(RUN_SHIM, rules_file(POLICY "[rule it]\nerror = partial\n"),
				   "/usr/bin/python3", "-c", program, server_url(server, ""));

	(void)state;
	assert_exit(run, 0);
	assert_output(run, "/a\n/b\n/b\n");
	assert_int_equal(server_request_count(server), 2);
	run_free(&run);
	server_stop(server);
}

/* One without a scheme, and with one by default, also before libcurl has made it whole. */
static void a_url_is_a_whole_one(void **state)
{
	static const char program[] =
		"import pycurl, sys\n"
		"for follow in (0, 1):\n"
		"    c = pycurl.Curl()\n"
		"    c.setopt(pycurl.URL, sys.argv[1])\n"
		"    c.setopt(pycurl.FOLLOWLOCATION, follow)\n"
		"    if sys.argv[2]: c.setopt(c.DEFAULT_PROTOCOL, sys.argv[2])\n"
		"    try: c.perform()\n"
		"    except pycurl.error as e: print(e.args[0])\n";
	const struct reply busy[] = { { .status = 503, .body = "busy\n", .times = 99 } };
	const char *rules = rules_file("[policy default]\nbase = 1ms\nmax_attempts = 3\n"
				       "[rule tls]\nscheme = https\nerror = any\n"
				       "[rule plain]\nurl = http://127.0.0.1:*/x\nstatus = 503\n");
	struct server *server = server_start(busy, 1), *refusing = server_start_refusing();
	struct run run;

	(void)state;
	run = run_words(RUN_SHIM, rules, "/usr/bin/python3", "-c", program,
			server_url(server, "/x") + strlen("http://"), "");
	assert_output(run, "busy\nbusy\n");
	assert_int_equal(server_request_count(server), 6);
	assert_int_equal(count_lines(run.err, "rule=plain"), 2);
	run_free(&run);
	run = run_words(RUN_SHIM, rules, "/usr/bin/python3", "-c", program,
			server_url(refusing, "/x") + strlen("http://"), "https");
	assert_output(run, "7\n7\n");
	assert_int_equal(count_lines(run.err, "rule=tls"), 2);
	run_free(&run);
	server_stop(refusing);
	server_stop(server);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_url_is_what_the_program_wrote),
		cmocka_unit_test(following_may_begin_later),
		cmocka_unit_test(rules_may_begin_later),
		cmocka_unit_test(a_handle_goes_elsewhere),
		cmocka_unit_test(it_says_so_before_it_goes),
		cmocka_unit_test(a_url_is_a_whole_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
