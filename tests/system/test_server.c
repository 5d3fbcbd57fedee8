/*
 * The misbehaving server misbehaves as told, and keeps a true record. Debian's curl is the judge.
 */
#include "harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "server.h"

#define CURL(...) run_words(RUN_BARE, NULL, "curl", "-q", "-sS", "-m", "10", __VA_ARGS__)

static void check_curl(struct server *server, const char *path, int status, const char *output)
{
	struct run run = CURL(server_url(server, path));

	assert_exit(run, status);
	assert_output(run, output);
	run_free(&run);
}

static void replies_are_used_in_order_and_the_last_one_repeats(void **state)
{
	const struct reply script[] = {
		{ .status = 503, .times = 2, REPLY_TEXT("down") },
		{ REPLY_TEXT("up") },
	};
	struct server *server = server_start(script, 2);
	size_t count;

	(void)state;
	check_curl(server, "/", 0, "down");
	check_curl(server, "/", 0, "down");
	check_curl(server, "/", 0, "up");
	check_curl(server, "/", 0, "up");
	(void)server_requests(server, &count);
	assert_int_equal(count, 4);
	assert_int_equal(server_request(server, 1)->status, 503);
	assert_int_equal(server_request(server, 2)->status, 200);
	assert_null(server_request(server, 4));
	server_stop(server);
}

static void replies_may_belong_to_a_path(void **state)
{
	const struct reply script[] = {
		{ .path = "/a", REPLY_TEXT("first a") },
		{ .path = "/b", REPLY_TEXT("b") },
		{ .path = "/a", REPLY_TEXT("second a") },
	};
	struct server *server = server_start(script, 3);

	(void)state;
	check_curl(server, "/b", 0, "b");
	check_curl(server, "/a?q=1", 0, "first a");
	check_curl(server, "/a", 0, "second a");
	check_curl(server, "/c", 0, "no reply in the script\n");
	assert_int_equal(server_request(server, 3)->reply, -1);
	server_stop(server);
}

static void every_framing_delivers_the_same_bytes(void **state)
{
	size_t len = 200000;
	char *body = noise(len, 1);
	const struct reply script[] = {
		{ .body = body, .body_len = len },
		{ .body = body, .body_len = len, .framing = REPLY_CHUNKED, .piece = 999 },
		{ .body = body, .body_len = len, .framing = REPLY_CLOSE },
		{ .body = body, .body_len = len, .gzip = true },
		{ .body = body, .body_len = len, .gzip = true, .framing = REPLY_CHUNKED },
	};
	struct server *server = server_start(script, 5);

	(void)state;
	for (int i = 0; i < 5; i++) {
		struct run run = CURL("--compressed", server_url(server, "/"));

		assert_exit(run, 0);
		assert_bytes(run.out, run.out_len, body, len);
		run_free(&run);
	}
	server_stop(server);
	free(body);
}

static void headers_trailers_and_raw_bytes_arrive(void **state)
{
	const struct reply script[] = {
		{ .status = 429,
		  .headers = "Retry-After: 7\r\n",
		  REPLY_TEXT("x"),
		  .framing = REPLY_CHUNKED,
		  .trailers = "X-Sum: 1\r\n" },
		{ .raw = "HTTP/1.1 299 Odd\r\nContent-Length: 3\r\n\r\nodd" },
	};
	struct server *server = server_start(script, 2);
	struct run run = CURL("-i", server_url(server, "/"), server_url(server, "/"));

	(void)state;
	assert_exit(run, 0);
	assert_contains(run.out, "HTTP/1.1 429 Too Many Requests\r\n");
	assert_contains(run.out, "Retry-After: 7\r\n");
	assert_contains(run.out, "X-Sum: 1\r\n");
	assert_contains(run.out, "HTTP/1.1 299 Odd\r\nContent-Length: 3\r\n\r\nodd");
	assert_int_equal(server_connection_count(server), 1);
	run_free(&run);
	server_stop(server);
}

/* Exit statuses of curl(1). */
#define CURL_PARTIAL   18
#define CURL_REFUSED   7
#define CURL_TIMEOUT   28
#define CURL_NOTHING   52
#define CURL_RECV_FAIL 56

static void check_broken(const struct reply *reply, int status, const char *output)
{
	struct server *server = server_start(reply, 1);

	check_curl(server, "/", status, output);
	assert_int_equal(server_request_count(server), 1);
	server_stop(server);
}

static void answers_break_where_told(void **state)
{
	struct reply reply = { REPLY_TEXT("0123456789"), .ending = REPLY_CUT };

	(void)state;
	check_broken(&reply, CURL_NOTHING, "");
	reply.part = REPLY_BODY;
	reply.after = 4;
	check_broken(&reply, CURL_PARTIAL, "0123");
	reply.framing = REPLY_CHUNKED;
	check_broken(&reply, CURL_PARTIAL, "0123");
	reply.ending = REPLY_RESET;
	check_broken(&reply, CURL_RECV_FAIL, "0123");
	reply.framing = REPLY_LENGTH;
	check_broken(&reply, CURL_RECV_FAIL, "0123");
	reply.part = REPLY_HEADER;
	check_broken(&reply, CURL_RECV_FAIL, "");
	reply.part = REPLY_START;
	check_broken(&reply, CURL_RECV_FAIL, "");
}

static void silence_lasts_until_the_client_goes(void **state)
{
	const struct reply reply = { REPLY_TEXT("0123456789"), .ending = REPLY_SILENT,
				     .part = REPLY_BODY, .after = 3 };
	struct server *server = server_start(&reply, 1);
	struct run run = run_words(RUN_BARE, NULL, "curl", "-q", "-sS", "-m", "0.3",
				   server_url(server, "/"));

	(void)state;
	assert_exit(run, CURL_TIMEOUT);
	assert_output(run, "012");
	run_free(&run);
	server_stop(server);
}

static void a_gate_holds_the_rest_back(void **state)
{
	const struct reply reply = { REPLY_TEXT("0123456789"), .ending = REPLY_GATED,
				     .part = REPLY_BODY, .after = 5 };
	struct server *server = server_start(&reply, 1);
	struct child *child = child_start(&(struct program){
		.argv = (const char *const[]){ "curl", "-q", "-sSN", server_url(server, "/"),
					       NULL },
	});
	struct run run;

	(void)state;
	assert_true(child_wait_output(child, "01234"));
	server_open_gate(server);
	run = child_finish(child);
	assert_exit(run, 0);
	assert_output(run, "0123456789");
	run_free(&run);
	server_stop(server);
}

static void delays_are_kept(void **state)
{
	const struct reply reply = { REPLY_TEXT("late"), .delay_ms = 150 };
	struct server *server = server_start(&reply, 1);
	struct run run = CURL(server_url(server, "/"));

	(void)state;
	assert_exit(run, 0);
	assert_true(run.elapsed_ns >= 150 * INT64_C(1000000));
	run_free(&run);
	server_stop(server);
}

static void check_upload(const char *extra_header, const char *path, const char *body, size_t len)
{
	const struct reply reply = { 0 };
	struct server *server = server_start(&reply, 1);
	struct run run = CURL("-T", path, "-H", extra_header, server_url(server, "/up"));
	const struct request *request = server_request(server, 0);
	char value[64];

	assert_exit(run, 0);
	assert_non_null(request);
	assert_string_equal(request->method, "PUT");
	assert_string_equal(request->target, "/up");
	assert_int_equal(request_header(request, "host", value, sizeof(value)), 1);
	assert_true(request->body_whole);
	assert_bytes(request->body, request->body_len, body, len);
	run_free(&run);
	server_stop(server);
}

static void uploads_are_recorded_byte_for_byte(void **state)
{
	size_t len = 300000;
	char *body = noise(len, 2);
	const char *path = temp_file("upload", body, len);

	(void)state;
	check_upload("X-Plain: 1", path, body, len);
	check_upload("Transfer-Encoding: chunked", path, body, len);
	check_upload("Expect: 100-continue", path, body, len);
	free(body);
}

static void an_early_answer_asks_for_no_body(void **state)
{
	const struct reply reply = { .status = 503, REPLY_TEXT("no"), .early = true };
	struct server *server = server_start(&reply, 1);
	struct run run = CURL("-H", "Expect: 100-continue", "-d", "body", server_url(server, "/"));

	(void)state;
	assert_exit(run, 0);
	assert_output(run, "no");
	assert_int_equal(server_request(server, 0)->body_len, 0);
	assert_false(server_request(server, 0)->body_whole);
	run_free(&run);
	server_stop(server);
}

static void a_closed_port_refuses_until_it_opens(void **state)
{
	const struct reply reply = { REPLY_TEXT("open") };
	struct server *server =
		server_start_with(&(struct server_options){ .opening = SERVER_ON_WORD }, &reply, 1);

	(void)state;
	check_curl(server, "/", CURL_REFUSED, "");
	server_open(server);
	check_curl(server, "/", 0, "open");
	assert_true(server_wait_requests(server, 1, 0));
	assert_false(server_wait_requests(server, 2, 10));
	server_stop(server);
}

static void a_late_port_opens_by_itself(void **state)
{
	const struct reply reply = { REPLY_TEXT("open") };
	struct server *server = server_start_with(
		&(struct server_options){ .opening = SERVER_LATE, .open_after_ms = 100 }, &reply,
		1);
	struct run run = CURL("--retry", "100", "--retry-delay", "0", "--retry-connrefused",
			      "--retry-max-time", "9", server_url(server, "/"));

	(void)state;
	assert_exit(run, 0);
	assert_output(run, "open");
	run_free(&run);
	server_stop(server);
}

static void ipv6_and_unix_sockets_are_served(void **state)
{
	const struct reply reply = { REPLY_TEXT("hi") };
	const char *path = temp_path("sock");
	struct server *six =
		server_start_with(&(struct server_options){ .family = SERVER_IPV6 }, &reply, 1);
	struct server *local = server_start_with(
		&(struct server_options){ .family = SERVER_UNIX, .path = path }, &reply, 1);
	struct run run = CURL("--unix-socket", path, "http://local/");
	struct stat info;

	(void)state;
	assert_exit(run, 0);
	assert_output(run, "hi");
	run_free(&run);
	check_curl(six, "/", 0, "hi");
	server_stop(six);
	server_stop(local);
	assert_int_equal(stat(path, &info), -1);
}

static void connect_once_tells_what_came_of_it(void **state)
{
	struct server *server = server_start_refusing();
	const char *helper = helper_path("connect-once");
	char port[8];
	struct run run;

	(void)state;
	(void)snprintf(port, sizeof(port), "%u", server_port(server));
	run = run_words(RUN_BARE, NULL, helper, "127.0.0.1", port);
	assert_exit(run, 1);
	assert_output(run, "connect: Connection refused\n");
	run_free(&run);
	server_open(server);
	run = run_words(RUN_BARE, NULL, helper, "127.0.0.1", port);
	assert_exit(run, 0);
	assert_output(run, "connected\n");
	run_free(&run);
	server_stop(server);
}

static void a_program_that_hangs_is_ended(void **state)
{
	struct run run = run_program(&(struct program){
		.argv = (const char *const[]){ "sh", "-c", "echo begun; sleep 60 & wait", NULL },
		.timeout_ms = 300,
	});

	(void)state;
	assert_true(run.timed_out);
	assert_int_equal(run.signal, 9);
	assert_output(run, "begun\n");
	assert_true(run.elapsed_ns < 10 * INT64_C(1000000000));
	run_free(&run);
}

static void input_environment_and_streams_are_passed(void **state)
{
	struct run run = run_program(&(struct program){
		.argv = (const char *const[]){ "sh", "-c", "cat; echo \"$A-${B-none}\" >&2; exit 3",
					       NULL },
		.env = (const char *const[]){ "A=1", "B=2", "B", NULL },
		.rules = "/nowhere",
		.input = "in",
	});

	(void)state;
	assert_exit(run, 3);
	assert_output(run, "in");
	assert_string_equal(run.err, "1-none\n");
	assert_int_equal(count_lines("a b\nb\nc b b\n", "b"), 3);
	run_free(&run);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(replies_are_used_in_order_and_the_last_one_repeats),
		cmocka_unit_test(replies_may_belong_to_a_path),
		cmocka_unit_test(every_framing_delivers_the_same_bytes),
		cmocka_unit_test(headers_trailers_and_raw_bytes_arrive),
		cmocka_unit_test(answers_break_where_told),
		cmocka_unit_test(silence_lasts_until_the_client_goes),
		cmocka_unit_test(a_gate_holds_the_rest_back),
		cmocka_unit_test(delays_are_kept),
		cmocka_unit_test(uploads_are_recorded_byte_for_byte),
		cmocka_unit_test(an_early_answer_asks_for_no_body),
		cmocka_unit_test(a_closed_port_refuses_until_it_opens),
		cmocka_unit_test(a_late_port_opens_by_itself),
		cmocka_unit_test(ipv6_and_unix_sockets_are_served),
		cmocka_unit_test(connect_once_tells_what_came_of_it),
		cmocka_unit_test(a_program_that_hangs_is_ended),
		cmocka_unit_test(input_environment_and_streams_are_passed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
