/*
 * Faults on purpose, in front of real programs: answers and errors as they see them, and what the
 * rules make of these. Delays and cuts are test_faults_cuts', chance is test_faults_chance's,
 * connects and look-ups are test_faults_calls'.
 */
#include "faulty.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RULES FAULTY_RULES("status = 5xx\nmethod = any\n")

#define WRITE_OUT "|%{http_code} %{size_download} %{url_effective} %{scheme}"

/* ---- answers ---- */

static void a_canned_answer_is_real_to_curl(void **state)
{
	struct run run = RUN(NO_RULES, "status=503,header=Retry-After: 7,body=<b>busy</b>", "curl",
			     "-sSi", "-w", WRITE_OUT, NOWHERE);

	(void)state;
	assert_exit(run, 0);
	assert_contains(run.out, "HTTP/1.1 503 ");
	assert_contains(run.out, "\r\nContent-Length: 11\r\n");
	assert_contains(run.out, "\r\nRetry-After: 7\r\n");
	assert_contains(run.out, "\r\n\r\n<b>busy</b>|503 11 " NOWHERE " HTTP");
	assert_contains(run.err, "event=fault fault=fault-1 call=curl method=GET "
				 "target=nowhere.invalid:80 status=503");
	run_free(&run);
}

static void https_is_answered_as_https(void **state)
{
	struct run run =
		RUN(NO_RULES, "body=secret", "curl", "-sS", "--proto", "=https", "-x",
		    "http://127.0.0.1:1", "--http2", "-w", WRITE_OUT, "https://nowhere.invalid/x");

	(void)state;
	assert_exit(run, 0);
	assert_output(run, "secret|200 6 https://nowhere.invalid/x HTTPS");
	run_free(&run);
}

static void failonerror_and_head_keep_their_meaning(void **state)
{
	struct run run = RUN(NO_RULES, "status=404,body=gone", "curl", "-sSf", NOWHERE);

	(void)state;
	assert_exit(run, 22);
	assert_string_equal(run.out, "");
	assert_contains(run.err, "404");
	run_free(&run);
	run = RUN(NO_RULES, "body=gone", "curl", "-sSI", NOWHERE);
	assert_exit(run, 0);
	assert_contains(run.out, "Content-Length: 4\r\n");
	assert_lacks(run.out, "gone");
	run_free(&run);
}

/* More than a socket's buffer holds: it is answered before all of it is sent. */
static void a_long_request_is_answered(void **state)
{
	char *bytes = noise(3000000, 1);
	const char *file = temp_file("upload", bytes, 3000000);
	char argument[512];
	struct run run;

	(void)state;
	free(bytes);
	(void)snprintf(argument, sizeof(argument), "@%s", file);
	run = RUN(NO_RULES, "body=thanks", "curl", "-sS", "-H", "Expect:", "--data-binary",
		  argument, NOWHERE);
	assert_exit(run, 0);
	assert_output(run, "thanks");
	run_free(&run);
	run = RUN(NO_RULES, "status=507,body=full", "curl", "-sS", "-T", file, NOWHERE);
	assert_exit(run, 0);
	assert_output(run, "full");
	run_free(&run);
}

static void a_canned_redirect_leads_nowhere_else(void **state)
{
	struct server *server = serve();
	char fault[256];
	struct run run;

	(void)state;
	(void)snprintf(fault, sizeof(fault), "status=302,header=Location: %s",
		       server_url(server, "/"));
	run = RUN(NO_RULES, fault, "curl", "-sSL", "--max-redirs", "3", NOWHERE);
	assert_exit(run, 47);
	assert_int_equal(server_request_count(server), 0);
	run_free(&run);
	server_stop(server);
}

/* The URL is in a CURLU handle, which pycurl does not know. */
static const char by_curlu[] = "import ctypes, sys\n"
			       "curl = ctypes.CDLL('libcurl.so.4')\n"
			       "curl.curl_easy_init.restype = ctypes.c_void_p\n"
			       "curl.curl_url.restype = ctypes.c_void_p\n"
			       "easy = ctypes.c_void_p(curl.curl_easy_init())\n"
			       "curlu = ctypes.c_void_p(curl.curl_url())\n"
			       "curl.curl_url_set(curlu, 0, sys.argv[1].encode(), 0)\n"
			       "curl.curl_easy_setopt(easy, 10002, b'http://other.invalid/')\n"
			       "curl.curl_easy_setopt(easy, 10282, curlu)\n"
			       "for i in range(int(sys.argv[2])):\n"
			       "    print(end=f'\\n{curl.curl_easy_perform(easy)}\\n')\n"
			       "url = ctypes.c_char_p()\n"
			       "curl.curl_easy_getinfo(easy, 0x100001, ctypes.byref(url))\n"
			       "print(url.value.decode())\n";

static void a_url_in_parts_is_answered_too(void **state)
{
	struct server *server = serve();
	struct run run = RUN(NO_RULES, "body=canned,first=1", "/usr/bin/python3", "-c", by_curlu,
			     server_url(server, "/"), "2");

	(void)state;
	assert_exit(run, 0);
	assert_contains(run.out, "canned");
	assert_contains(run.out, "object\n");
	assert_int_equal(server_request_count(server), 1);
	run_free(&run);
	run = RUN(NO_RULES, "body=canned", "/usr/bin/python3", "-c", by_curlu,
		  "https://nowhere.invalid/", "1");
	assert_exit(run, 0);
	assert_contains(run.out, "canned");
	assert_contains(run.out, "\n0\n");
	assert_contains(run.out, "\nhttps://nowhere.invalid/\n");
	run_free(&run);
	server_stop(server);
}

/* ---- errors ---- */

static void errors_are_told_as_libcurl_tells_them(void **state)
{
	static const struct {
		const char *fault;
		int status;
		const char *says;
	} rows[] = {
		{ "error=refused", 7, "after 0 ms: Couldn't connect to server" },
		{ "error=refused,delay=20ms", 7, "curl: (7) Failed to connect to 127.0.0.1 port " },
		{ "error=refused,delay=20ms", 7, "after 20 ms: Couldn't connect to server" },
		{ "error=dns", 6, "curl: (6) Could not resolve host: 127.0.0.1" },
		{ "error=CURLE_SSL_CONNECT_ERROR", 35, "curl: (35) SSL connect error" },
		{ "error=ECONNRESET", 56, "curl: (56) Recv failure: Connection reset by peer" },
		{ "error=EPIPE", 55, "curl: (55) Send failure: Broken pipe" },
		{ "error=partial", 18, "transfer closed with outstanding read data remaining" },
		{ "error=CURLE_GOT_NOTHING", 52, "curl: (52) Empty reply from server" },
		{ "error=timeout,delay=20ms", 28, "Connection timed out after 20 milliseconds" },
	};
	struct server *server = serve();

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct run run =
			RUN(NO_RULES, rows[i].fault, "curl", "-sS", server_url(server, "/o"));

		assert_exit(run, rows[i].status);
		assert_contains(run.err, rows[i].says);
		run_free(&run);
	}
	assert_int_equal(server_connection_count(server), 0);
	server_stop(server);
}

/* A file needs no network to be found. */
static void a_file_fails_too(void **state)
{
	const char *file = temp_file("data", "data", 4);
	char url[512];
	struct run run;

	(void)state;
	(void)snprintf(url, sizeof(url), "file://%s", file);
	run = RUN(NO_RULES, "error=EIO", "curl", "-sS", "-w", "%{url_effective}", url);
	assert_exit(run, 7);
	assert_output(run, url);
	run_free(&run);
}

static void an_answer_that_cannot_be_leaves_the_attempt_to_others(void **state)
{
	const char *file = temp_file("data", "data", 4);
	char url[512];
	struct run run;

	(void)state;
	(void)snprintf(url, sizeof(url), "file://%s", file);
	run = RUN("[fault a]\nstatus = 503\n[fault b]\nerror = EIO\n", "body=other", "curl", "-sS",
		  url);
	assert_exit(run, 7);
	assert_contains(run.err, "event=fault fault=b");
	run_free(&run);
}

/* The first transfer is struck, the second is as the program set it up: with its own socket
 * function, and the errno that it meets itself. */
static const char pycurl_twice[] =
	"import errno, io, pycurl, socket, sys\n"
	"opened = []\n"
	"def open_socket(purpose, address):\n"
	"    opened.append(1)\n"
	"    return socket.socket(address.family, address.socktype, address.protocol)\n"
	"c = pycurl.Curl()\n"
	"c.setopt(c.URL, sys.argv[1])\n"
	"c.setopt(c.OPENSOCKETFUNCTION, open_socket)\n"
	"c.setopt(c.WRITEFUNCTION, io.BytesIO().write)\n"
	"for i in range(2):\n"
	"    try:\n"
	"        c.perform()\n"
	"    except pycurl.error as e:\n"
	"        print(e.args[0], errno.errorcode[c.getinfo(c.OS_ERRNO)])\n"
	"    print(c.getinfo(c.RESPONSE_CODE), len(opened), c.getinfo(c.NUM_CONNECTS))\n";

static void what_was_changed_is_put_back(void **state)
{
	struct server *server = serve();
	struct run run = RUN(NO_RULES, "error=refused,first=1", "/usr/bin/python3", "-c",
			     pycurl_twice, server_url(server, "/o"));

	(void)state;
	assert_exit(run, 0);
	assert_output(run, "7 ECONNREFUSED\n0 0 0\n200 1 1\n");
	run_free(&run);
	run = RUN(NO_RULES, "status=418,first=1", "/usr/bin/python3", "-c", pycurl_twice,
		  server_url(server, "/o"));
	assert_output(run, "418 0 1\n200 1 1\n");
	run_free(&run);
	server_stop(server);
}

/* ---- with rules ---- */

static void injected_outcomes_are_retried_like_real_ones(void **state)
{
	static const char *const faults[] = { "status=503,first=2", "error=reset,first=2",
					      "error=tls,first=2" };
	struct server *server = serve();

	(void)state;
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		struct run run = RUN(RULES, faults[i], "curl", "-sS", server_url(server, "/"));

		assert_exit(run, 0);
		assert_output(run, "object\n");
		assert_int_equal(count_lines(run.err, "event=fault"), 2);
		assert_int_equal(count_lines(run.err, "event=retry rule=it"), 2);
		assert_int_equal(count_lines(run.err, "event=recovered"), 1);
		assert_int_equal(server_request_count(server), i + 1);
		run_free(&run);
	}
	server_stop(server);
}

static void a_url_of_a_recover_command_is_answered_too(void **state)
{
	struct run run =
		RUN("[policy default]\nmax_attempts = 2\n[rule it]\nclass = recoverable\n"
		    "status = 503\nrecover = echo set-url https://other.invalid/y\n",
		    "status=503,first=1,body=busy", "curl", "-sS", "-w", WRITE_OUT, NOWHERE);

	(void)state;
	assert_output(run, "busy|503 4 https://other.invalid/y HTTPS");
	assert_int_equal(count_lines(run.err, "event=fault"), 2);
	run_free(&run);
}

/* libcurl takes them for that address and that name; so do faults, and rules for what these do. */
static void hosts_are_what_libcurl_takes_them_for(void **state)
{
	static const char rules[] = "[policy default]\nmax_attempts = 2\nbase = 1ms\n"
				    "[rule it]\nstatus = 503\nhost = 127.0.0.1, localhost\n";
	struct run run = RUN(rules, "status=503,first=1,host=127.0.0.1", "curl", "-sS",
			     "http://127.1:1/", "http://0x7f.1:1/");

	(void)state;
	assert_int_equal(count_lines(run.err, "event=fault"), 1);
	assert_int_equal(count_lines(run.err, "event=retry rule=it"), 1);
	run_free(&run);
	run = RUN(rules, "status=503,host=localhost", "curl", "-sS", "http://%6cocalhost/");
	assert_exit(run, 0);
	assert_int_equal(count_lines(run.err, "event=fault"), 2);
	assert_int_equal(count_lines(run.err, "event=retry rule=it"), 1);
	run_free(&run);
}

/* curl -Z uses libcurl's multi interface. */
static void the_multi_interface_is_struck_too(void **state)
{
	struct server *server = serve();
	struct run run = RUN(RULES, "status=503,delay=20ms,first=2", "curl", "-sSZ",
			     server_url(server, "/"));

	(void)state;
	assert_exit(run, 0);
	assert_output(run, "object\n");
	assert_int_equal(count_lines(run.err, "event=retry rule=it"), 2);
	assert_int_equal(server_request_count(server), 1);
	run_free(&run);
	run = RUN(NO_RULES, "error=refused,delay=20ms", "curl", "-sSZ", NOWHERE);
	assert_exit(run, 7);
	run_free(&run);
	server_stop(server);
}

/* To append to a file, or to run a command, twice is not the same as once. */
static void what_would_do_more_is_not_repeated(void **state)
{
	const char *file = temp_file("upload", "some bytes", 10);
	const struct {
		const char *const words[6];
		int retries;
	} cases[] = {
		{ { "-T", file, "ftp://nowhere.invalid/x" }, 5 },
		{ { "-a", "-T", file, "ftp://nowhere.invalid/x" }, 0 },
		{ { "-a", "-T", file, "sftp://nowhere.invalid/x" }, 0 },
		{ { "-C", "5", "-T", file, "ftp://nowhere.invalid/x" }, 0 },
		{ { "ftp://nowhere.invalid/x" }, 5 },
		{ { "-Q", "DELE x", "ftp://nowhere.invalid/x" }, 0 },
		{ { "-Q", "+DELE x", "ftp://nowhere.invalid/x" }, 0 },
		{ { "-Q", "-DELE x", "sftp://nowhere.invalid/x" }, 0 },
		{ { "-I", "-Q", "DELE x", "ftp://nowhere.invalid/x" }, 0 },
		{ { "-Q", "DELE x", NOWHERE }, 5 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *const *w = cases[i].words;
		struct run run = RUN(FAULTY_RULES(""), "error=CURLE_PARTIAL_FILE", "curl", "-sS",
				     w[0], w[1], w[2], w[3], w[4]);

		assert_exit(run, 18);
		assert_int_equal(count_lines(run.err, "event=retry rule=it"), cases[i].retries);
		run_free(&run);
	}
}

static void mistakes_are_told_before_the_start(void **state)
{
	struct run run = RUN(NO_RULES, "error=refusd", "echo", "started");

	(void)state;
	assert_exit(run, 125);
	assert_string_equal(run.out, "");
	assert_contains(run.err, "did you mean 'refused'?");
	run_free(&run);
	run = RUN(NO_RULES, "503", "echo", "started");
	assert_exit(run, 125);
	assert_contains(run.err, "KEY=VALUE");
	run_free(&run);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_canned_answer_is_real_to_curl),
		cmocka_unit_test(https_is_answered_as_https),
		cmocka_unit_test(failonerror_and_head_keep_their_meaning),
		cmocka_unit_test(a_long_request_is_answered),
		cmocka_unit_test(a_canned_redirect_leads_nowhere_else),
		cmocka_unit_test(a_url_in_parts_is_answered_too),
		cmocka_unit_test(errors_are_told_as_libcurl_tells_them),
		cmocka_unit_test(a_file_fails_too),
		cmocka_unit_test(an_answer_that_cannot_be_leaves_the_attempt_to_others),
		cmocka_unit_test(what_was_changed_is_put_back),
		cmocka_unit_test(injected_outcomes_are_retried_like_real_ones),
		cmocka_unit_test(a_url_of_a_recover_command_is_answered_too),
		cmocka_unit_test(hosts_are_what_libcurl_takes_them_for),
		cmocka_unit_test(the_multi_interface_is_struck_too),
		cmocka_unit_test(what_would_do_more_is_not_repeated),
		cmocka_unit_test(mistakes_are_told_before_the_start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
