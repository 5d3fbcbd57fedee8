/*
 * What recover changes of a request, and that nothing else of it changes.
 */
#include "recovering.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Curl as the legacy binary: its token has expired, the command gets another one. */
static void a_token_is_renewed(void **state)
{
	struct server *server = recovering_serve(1);
	char text[512];
	const char *command;
	struct run run;

	(void)state;
	(void)snprintf(text, sizeof(text),
		       "#!/bin/sh\necho \"set-header Authorization: Bearer $(curl -sS %s)\"\n",
		       server_url(server, "/token"));
	command = recovering_script("renew", text);
	run = run_words(RUN_SHIM, recovering_rules("", recovering_rule(command)), "curl", "-sS",
			"-H", "Authorization: Bearer old", "-H", "X-Kept: 1",
			server_url(server, "/o"));
	assert_exit(run, 0);
	assert_output(run, "the object\n");
	assert_string_equal(run.err, "");
	assert_int_equal(server_request_count(server), 3);
	assert_string_equal(recovering_header(server, 0, "Authorization"), "Bearer old");
	assert_string_equal(server_request(server, 1)->target, "/token");
	assert_string_equal(recovering_header(server, 2, "Authorization"), "Bearer " TOKEN);
	assert_int_equal(request_header(server_request(server, 2), "Authorization", text, 16), 1);
	assert_string_equal(recovering_header(server, 2, "X-Kept"), "1");
	run_free(&run);
	server_stop(server);
}

static void the_request_is_the_same_but_for_what_was_printed(void **state)
{
	const struct reply replies[] = {
		{ .path = "/a", .status = 401 },
		{ .path = "/b", .body = "b\n" },
	};
	struct server *server = server_start(replies, 2);
	char text[1024];
	struct run run;

	(void)state;
	(void)snprintf(text, sizeof(text),
		       "#!/bin/sh\necho set-url %s\necho remove-header X-Gone\n"
		       "echo remove-header User-Agent\necho 'set-header X-Empty:'\n"
		       "echo 'set-header X-New: first'\necho 'set-header x-new: last'\n",
		       server_url(server, "/b?c=d"));
	run = run_words(RUN_SHIM,
			recovering_rules("", recovering_rule(recovering_script("edit", text))),
			"curl", "-sS", "-d", "body=1", "-H", "X-Gone: 1", "-H", "X-Kept: 2", "-w",
			"%{http_code}\n", server_url(server, "/a"));
	assert_exit(run, 0);
	assert_output(run, "b\n200\n");
	assert_string_equal(server_request(server, 1)->target, "/b?c=d");
	assert_string_equal(server_request(server, 1)->method, "POST");
	assert_string_equal(server_request(server, 1)->body, "body=1");
	assert_string_equal(recovering_header(server, 1, "X-Kept"), "2");
	assert_string_equal(recovering_header(server, 1, "X-New"), "last");
	assert_int_equal(request_header(server_request(server, 1), "X-Empty", text, 16), 1);
	assert_int_equal(request_header(server_request(server, 1), "X-New", text, 16), 1);
	assert_int_equal(request_header(server_request(server, 1), "X-Gone", text, 16), 0);
	assert_int_equal(request_header(server_request(server, 1), "User-Agent", text, 16), 0);
	run_free(&run);
	server_stop(server);
}

/* A streamed upload is sent again whole, through both of libcurl's interfaces. */
static void an_upload_is_sent_again(void **state)
{
	static const char *const ways[] = { "-sS", "-sSZ", "-sSf" };
	char *body = noise(200000, 5);

	(void)state;
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		struct server *server = recovering_serve(1);
		struct run run = run_program(&(struct program){
			.argv = (const char *const[]){ "curl", ways[i], "-T", "-",
						       server_url(server, "/o"), NULL },
			.under = RUN_SHIM,
			.rules = recovering_rules("", recovering_rule("echo set-header X-New: 1")),
			.input = body,
			.input_len = 200000,
		});
		const struct request *again = server_request(server, 1);

		assert_exit(run, 0);
		assert_output(run, "the object\n");
		assert_int_equal(server_request_count(server), 2);
		assert_string_equal(again->method, "PUT");
		assert_bytes(again->body, again->body_len, body, 200000);
		assert_string_equal(recovering_header(server, 1, "X-New"), "1");
		run_free(&run);
		server_stop(server);
	}
	free(body);
}

/* What was changed for one call is forgotten in the next, and in what the handle says. The URL is
 * again as the program spelled it. */
static const char twice_fetch[] = "import io, pycurl, sys\n"
				  "b = io.BytesIO()\n"
				  "c = pycurl.Curl()\n"
				  "c.setopt(pycurl.URL, sys.argv[1])\n"
				  "c.setopt(pycurl.HTTPHEADER, ['X-Token: old', 'X-Kept: 1'])\n"
				  "c.setopt(pycurl.WRITEDATA, b)\n"
				  "c.perform()\n"
				  "c.setopt(pycurl.PATH_AS_IS, 1)\n"
				  "c.perform()\n"
				  "print(c.getinfo(pycurl.RESPONSE_CODE), b.getvalue())\n";

static void the_handle_is_as_before(void **state)
{
	const struct reply replies[] = {
		{ .path = "/a", .status = 401, .body = "no", .times = 1 },
		{ .path = "/b", .body = "b" },
		{ .path = "/x/../a", .body = "a" },
	};
	struct server *server = server_start(replies, 3);
	char text[512];
	struct run run;

	(void)state;
	(void)snprintf(text, sizeof(text),
		       "#!/bin/sh\necho set-url %s\necho set-header X-Token: new\n",
		       server_url(server, "/b"));
	run = run_words(RUN_SHIM,
			recovering_rules("", recovering_rule(recovering_script("other", text))),
			"/usr/bin/python3", "-c", twice_fetch, server_url(server, "/x/../a"));
	assert_exit(run, 0);
	assert_output(run, "200 b'ba'\n");
	assert_int_equal(server_request_count(server), 3);
	assert_string_equal(recovering_header(server, 0, "X-Token"), "old");
	assert_string_equal(recovering_header(server, 1, "X-Token"), "new");
	assert_string_equal(recovering_header(server, 1, "X-Kept"), "1");
	assert_string_equal(server_request(server, 2)->target, "/x/../a");
	assert_string_equal(recovering_header(server, 2, "X-Token"), "old");
	run_free(&run);
	server_stop(server);
}

static const char url_fetch[] = "import pycurl, sys\n"
				"c = pycurl.Curl()\n"
				"c.setopt(pycurl.URL, sys.argv[1])\n"
				"c.setopt(pycurl.FOLLOWLOCATION, int(sys.argv[2]))\n"
				"c.setopt(pycurl.WRITEFUNCTION, lambda b: None)\n"
				"def tell(): print(c.getinfo(pycurl.EFFECTIVE_URL)[-2:], end=' ')\n"
				"c.perform()\n"
				"tell()\n"
				"c.setopt(pycurl.URL, sys.argv[1] + '/c')\n"
				"tell()\n"
				"c.perform()\n"
				"tell()\n";

/* What is told of the URL is that of the last attempt, until there is another one. */
static void where_it_led_is_told(void **state)
{
	const struct reply replies[] = {
		{ .path = "/a", .status = 401, .times = 1 },
		{ .path = "/b", .status = 302, .headers = "Location: /d\r\n", .times = 9 },
		{ .path = "/d", .body = "d", .times = 9 },
		{ .path = "/a/c", .body = "c", .times = 9 },
	};
	static const char *const follow[] = { "1", "0" };
	char text[512];

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct server *server = server_start(replies, 4);
		struct run run;

		(void)snprintf(text, sizeof(text), "#!/bin/sh\necho set-url %s\n",
			       server_url(server, "/b"));
		run = run_words(RUN_SHIM,
				recovering_rules("", recovering_rule(recovering_script(
							     i ? "stay" : "follow", text))),
				"/usr/bin/python3", "-c", url_fetch, server_url(server, "/a"),
				follow[i]);
		assert_exit(run, 0);
		assert_output(run, i ? "/b /c /c " : "/d /c /c ");
		run_free(&run);
		server_stop(server);
	}
}

/* Of an attempt that did not even begin no progress is told, and not the one before's. */
static void where_it_leads_nowhere(void **state)
{
	static const char program[] = "import pycurl, sys\n"
				      "most = [0, 0]\n"
				      "def progress(dt, dn, ut, un):\n"
				      "    most[:] = [max(most[0], dt), max(most[1], dn)]\n"
				      "c = pycurl.Curl()\n"
				      "c.setopt(pycurl.URL, sys.argv[1])\n"
				      "c.setopt(pycurl.NOPROGRESS, 0)\n"
				      "c.setopt(pycurl.XFERINFOFUNCTION, progress)\n"
				      "try: c.perform()\n"
				      "except pycurl.error as e: print(e.args[0], most)\n";
	const struct reply denied = { .status = 401, .body = DENIED };
	struct server *server = server_start(&denied, 1);
	const char *command =
		recovering_script("nowhere", "#!/bin/sh\necho set-url nosuch://nowhere/\n");
	struct run run = run_words(RUN_SHIM, recovering_rules("", recovering_rule(command)),
				   "/usr/bin/python3", "-c", program, server_url(server, "/a"));

	(void)state;
	assert_exit(run, 0);
	assert_output(run, "1 [0, 0]\n");
	assert_int_equal(server_request_count(server), 1);
	run_free(&run);
	server_stop(server);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_token_is_renewed),
		cmocka_unit_test(the_request_is_the_same_but_for_what_was_printed),
		cmocka_unit_test(an_upload_is_sent_again),
		cmocka_unit_test(the_handle_is_as_before),
		cmocka_unit_test(where_it_led_is_told),
		cmocka_unit_test(where_it_leads_nowhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
