/*
 * Faults on purpose: delays, and responses that are cut.
 */
#include "faulty.h"

#include <stdlib.h>
#include <string.h>

#define RULES FAULTY_RULES("status = 5xx\nmethod = any\n")

static void a_delay_delays(void **state)
{
	struct server *server = serve();
	struct run run = RUN(NO_RULES, "delay=200ms-250ms", "curl", "-sS", server_url(server, "/"));

	(void)state;
	assert_exit(run, 0);
	assert_output(run, "object\n");
	assert_true(run.elapsed_ns >= INT64_C(200000000));
	run_free(&run);
	run = RUN(NO_RULES, "delay=60s", "curl", "-sS", "-m", "0.2", "-w", "%{time_total}",
		  server_url(server, "/"));
	assert_exit(run, 28);
	assert_int_equal(strncmp(run.out, "0.2", 3), 0);
	assert_contains(run.err, "curl: (28) Connection timed out after 200 milliseconds");
	assert_true(run.elapsed_ns < INT64_C(10000000000));
	assert_int_equal(server_request_count(server), 1);
	run_free(&run);
	server_stop(server);
}

static const char pycurl_cancel[] = "import pycurl, sys\n"
				    "asked = []\n"
				    "def progress(*args):\n"
				    "    asked.append(1)\n"
				    "    return len(asked) > 3\n"
				    "c = pycurl.Curl()\n"
				    "c.setopt(c.URL, sys.argv[1])\n"
				    "c.setopt(c.NOPROGRESS, False)\n"
				    "c.setopt(c.XFERINFOFUNCTION, progress)\n"
				    "try:\n"
				    "    c.perform()\n"
				    "except pycurl.error as e:\n"
				    "    print(e.args[0], e.args[1])\n";

static void a_delay_can_be_cancelled(void **state)
{
	struct run run =
		RUN(RULES, "call=curl,delay=60s", "/usr/bin/python3", "-c", pycurl_cancel, NOWHERE);

	(void)state;
	assert_exit(run, 0);
	assert_output(run, "42 Callback aborted\n");
	assert_true(run.elapsed_ns < INT64_C(10000000000));
	run_free(&run);
}

static void a_cut_breaks_the_response_off(void **state)
{
	struct server *server = serve();
	struct run run = RUN(NO_RULES, "cut=3B", "curl", "-sS", server_url(server, "/"));

	(void)state;
	assert_exit(run, 18);
	assert_output(run, "obj");
	run_free(&run);
	run = RUN(NO_RULES, "cut=7B", "curl", "-sS", server_url(server, "/"));
	assert_exit(run, 0);
	run_free(&run);
	run = RUN(NO_RULES, "cut=3B,body=canned", "curl", "-sS", NOWHERE);
	assert_exit(run, 18);
	assert_output(run, "can");
	run_free(&run);
	server_stop(server);
}

/* What the program learns of it: the end of its progress, the sizes, the error and its text. */
static const char pycurl_sizes[] = "import pycurl, sys\n"
				   "c, seen = pycurl.Curl(), []\n"
				   "c.setopt(c.URL, sys.argv[1])\n"
				   "c.setopt(c.WRITEFUNCTION, lambda data: None)\n"
				   "c.setopt(c.NOPROGRESS, False)\n"
				   "c.setopt(c.XFERINFOFUNCTION, lambda *args: seen.append(args))\n"
				   "try:\n"
				   "    c.perform()\n"
				   "except pycurl.error as e:\n"
				   "    print(*e.args)\n"
				   "print(seen[-1], c.getinfo(c.SIZE_DOWNLOAD),\n"
				   "      c.getinfo(c.CONTENT_LENGTH_DOWNLOAD))\n"
				   "print(c.getinfo(c.SPEED_DOWNLOAD) < 1e7)\n";

/* The same from a server that breaks off itself. */
static void a_cut_looks_like_a_real_one(void **state)
{
	static const enum reply_framing framings[] = { REPLY_LENGTH, REPLY_CHUNKED };
	char *body = noise(200000, 12);

	(void)state;
	for (size_t i = 0; i < sizeof(framings) / sizeof(framings[0]); i++) {
		const struct reply script[] = {
			{ .path = "/whole",
			  .body = body,
			  .body_len = 200000,
			  .framing = framings[i] },
			{ .path = "/cut",
			  .body = body,
			  .body_len = 200000,
			  .framing = framings[i],
			  .ending = REPLY_CUT,
			  .part = REPLY_BODY,
			  .after = 5 },
		};
		struct server *server = server_start(script, 2);
		struct run real = RUN(NO_RULES, "cut=5B,method=PUT", "/usr/bin/python3", "-c",
				      pycurl_sizes, server_url(server, "/cut"));
		struct run struck = RUN(NO_RULES, "cut=5B", "/usr/bin/python3", "-c", pycurl_sizes,
					server_url(server, "/whole"));

		assert_exit(struck, 0);
		assert_string_equal(struck.out, real.out);
		run_free(&real);
		run_free(&struck);
		server_stop(server);
	}
	free(body);
}

/* Through both of libcurl's interfaces. */
static void a_cut_download_is_continued(void **state)
{
	static const char *const ways[] = { "-sS", "-sSZ" };
	static const struct reply script[] = {
		{ .headers = "ETag: \"a\"\r\n", .body = "0123456789" },
		{ .status = 206,
		  .headers = "ETag: \"a\"\r\nContent-Range: bytes 4-9/10\r\n",
		  .body = "456789" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		struct server *server = server_start(script, 2);
		struct run run = RUN(RULES, "cut=4B,first=1", "curl", ways[i],
				     server_url(server, "/download"));

		assert_exit(run, 0);
		assert_output(run, "0123456789");
		assert_int_equal(server_request_count(server), 2);
		run_free(&run);
		server_stop(server);
	}
}

/* Begun anew, since nothing had come: all pieces go where the program wants them. */
static const char pycurl_multi[] = "import pycurl, sys\n"
				   "c, m = pycurl.Curl(), pycurl.CurlMulti()\n"
				   "c.setopt(c.URL, sys.argv[1])\n"
				   "c.setopt(c.WRITEFUNCTION, sys.stdout.buffer.write)\n"
				   "m.add_handle(c)\n"
				   "running = 1\n"
				   "while running:\n"
				   "    m.select(1.0)\n"
				   "    running = m.perform()[1]\n"
				   "print(m.info_read())\n";

static void a_cut_at_the_beginning_is_begun_again(void **state)
{
	char *body = noise(200000, 11);
	const struct reply script[] = { { .body = body, .body_len = 200000, .times = 2 } };
	struct server *server = server_start(script, 1);
	struct run run = RUN(RULES, "cut=0,first=1", "/usr/bin/python3", "-c", pycurl_multi,
			     server_url(server, "/"));

	(void)state;
	assert_exit(run, 0);
	assert_true(run.out_len > 200000);
	assert_bytes(run.out, 200000, body, 200000);
	assert_int_equal(server_request_count(server), 2);
	free(body);
	run_free(&run);
	server_stop(server);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_delay_delays),
		cmocka_unit_test(a_delay_can_be_cancelled),
		cmocka_unit_test(a_cut_breaks_the_response_off),
		cmocka_unit_test(a_cut_looks_like_a_real_one),
		cmocka_unit_test(a_cut_download_is_continued),
		cmocka_unit_test(a_cut_at_the_beginning_is_begun_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
