/*
 * Debian's own curl against a server that misbehaves: the responses that arrive, the requests that
 * were made, and when. Bodies are test_curl_bodies', redirects and URLs test_curl_urls'.
 */
#include "curl_parts.h"
#include "server.h"

#include <stdlib.h>
#include <string.h>

#define MS 1000000

static struct server *serve_two_then_object(int status, const char *error)
{
	const struct reply script[] = {
		{ .status = status, .body = error, .times = 2 },
		{ .body = OBJECT },
	};

	return server_start(script, 2);
}

static void check_spacing(struct server *server, size_t index, int at_least_ms)
{
	int64_t gap_ns =
		server_request(server, index)->time_ns - server_request(server, index - 1)->time_ns;

	assert_true(gap_ns >= (int64_t)at_least_ms * MS);
	assert_true(gap_ns < (int64_t)(at_least_ms + 500) * MS);
}

static void slow_down_twice_then_object(void **state)
{
	struct server *server = serve_two_then_object(503, S3_ERROR);
	struct run bare = run_words(RUN_BARE, NULL, "curl", "-sS", server_url(server, "/o"));
	struct run run;

	(void)state;
	assert_exit(bare, 0);
	assert_output(bare, S3_ERROR);
	server_stop(server);

	server = serve_two_then_object(503, S3_ERROR);
	run = run_words(RUN_SHIM, RULES("status = 503"), "curl", "-sS", server_url(server, "/o"));
	assert_exit(run, 0);
	assert_output(run, OBJECT);
	assert_string_equal(run.err, "");
	assert_int_equal(server_request_count(server), 3);
	check_spacing(server, 1, 40);
	check_spacing(server, 2, 80);
	run_free(&bare);
	run_free(&run);
	server_stop(server);
}

/* The same with every way of curl to put what it gets somewhere; the files hold one response. */
static void one_response_in_every_output(void **state)
{
	const char *body = temp_path("body"), *headers = temp_path("headers");
	struct server *server = serve_two_then_object(503, S3_ERROR);
	struct run run = run_words(
		RUN_SHIM, RULES("status = 503"), "curl", "-sS", "-D", headers, "-o", body, "-w",
		"%{http_code} %{size_download} %{num_connects}", server_url(server, "/o"));
	size_t len;
	char *text = read_file(body, &len);

	(void)state;
	assert_exit(run, 0);
	assert_bytes(text, len, OBJECT, strlen(OBJECT));
	free(text);
	text = read_file(headers, &len);
	assert_int_equal(count_lines(text, "HTTP/"), 1);
	assert_contains(text, "HTTP/1.1 200");
	assert_contains(run.out, "200 11 ");
	free(text);
	run_free(&run);
	server_stop(server);
}

static void include_headers(void **state)
{
	struct server *server = serve_two_then_object(503, S3_ERROR);
	struct run bare, run;

	(void)state;
	run = run_words(RUN_SHIM, RULES("status = 503"), "curl", "-sS", "-i",
			server_url(server, "/o"));
	bare = run_words(RUN_BARE, NULL, "curl", "-sS", "-i", server_url(server, "/o"));
	assert_exit(run, 0);
	assert_int_equal(server_request_count(server), 4);
	assert_bytes(run.out, run.out_len, bare.out, bare.out_len);
	run_free(&bare);
	run_free(&run);
	server_stop(server);
}

static void fail_option_keeps_its_meaning(void **state)
{
	struct server *server = serve_two_then_object(400, "Throttling: Rate exceeded");
	const char *rules = RULES("status = 400\nbody = Throttling: Rate exceeded\nmethod = any");
	struct run run = run_words(RUN_SHIM, rules, "curl", "-sSf", server_url(server, "/o"));

	(void)state;
	assert_exit(run, 0);
	assert_output(run, OBJECT);
	run_free(&run);
	server_stop(server);
}

/* When attempts run out, exit status, message and bytes are those of plain curl. */
static void exhausted_looks_like_plain_curl(void **state)
{
	static const char *const options[] = { "-sS", "-sSf", "-sSi", "-sSfi" };
	const struct reply script[] = { { .status = 503, .body = S3_ERROR } };
	const char *rules = rules_file(POLICY "[retryshim]\nlog = none\n"
					      "[rule it]\nstatus = 503\nbody = SlowDown\n");
	struct server *server = server_start(script, 1);

	(void)state;
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		struct run bare =
			run_words(RUN_BARE, NULL, "curl", options[i], server_url(server, "/o"));
		struct run run =
			run_words(RUN_SHIM, rules, "curl", options[i], server_url(server, "/o"));

		assert_int_equal(server_request_count(server), 4 * (i + 1));
		assert_exit(run, bare.status);
		assert_bytes(run.out, run.out_len, bare.out, bare.out_len);
		assert_string_equal(run.err, bare.err);
		run_free(&bare);
		run_free(&run);
	}
	server_stop(server);
}

/* Not matched by any rule: asked once, and as bare. */
static void not_found_is_asked_once(void **state)
{
	static const char *const options[] = { "-sS", "-sSf", "-sSi", "-sSfi" };
	const struct reply script[] = { { .status = 404, .body = "no such thing" } };
	const char *rules = RULES("status = 404\nbody = Throttling\nmethod = any");
	struct server *server = server_start(script, 1);

	(void)state;
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		struct run bare =
			run_words(RUN_BARE, NULL, "curl", options[i], server_url(server, "/o"));
		struct run built_in =
			run_words(RUN_SHIM, NULL, "curl", options[i], server_url(server, "/o"));
		struct run judged =
			run_words(RUN_SHIM, rules, "curl", options[i], server_url(server, "/o"));

		assert_int_equal(server_request_count(server), 3 * (i + 1));
		assert_exit(built_in, bare.status);
		assert_bytes(built_in.out, built_in.out_len, bare.out, bare.out_len);
		assert_string_equal(built_in.err, bare.err);
		assert_exit(judged, bare.status);
		assert_bytes(judged.out, judged.out_len, bare.out, bare.out_len);
		assert_string_equal(judged.err, bare.err);
		run_free(&bare);
		run_free(&built_in);
		run_free(&judged);
	}
	server_stop(server);
}

static void retry_after_is_obeyed(void **state)
{
	const struct reply script[] = {
		{ .status = 429, .headers = "Retry-After: 1\r\n" },
		{ .status = 429, .headers = "x-amz-retry-after: 333\r\n" },
		{ .body = OBJECT },
	};
	struct server *server = server_start(script, 3);
	struct run run =
		run_words(RUN_SHIM, RULES("status = 429"), "curl", "-sS", server_url(server, "/o"));

	(void)state;
	assert_exit(run, 0);
	assert_output(run, OBJECT);
	check_spacing(server, 1, 1000);
	check_spacing(server, 2, 333);
	run_free(&run);
	server_stop(server);
}

static void refused_port_that_opens_later(void **state)
{
	const struct reply script[] = { { .body = OBJECT } };
	struct server *server = server_start_with(
		&(struct server_options){ .opening = SERVER_LATE, .open_after_ms = 300 }, script,
		1);
	const char *rules = rules_file("[policy default]\nmax_attempts = 20\nbackoff = constant\n"
				       "base = 100ms\njitter = none\n"
				       "[rule it]\nerror = refused\n");
	struct run run = run_words(RUN_SHIM, rules, "curl", "-sS", server_url(server, "/o"));
	struct run bare;

	(void)state;
	assert_exit(run, 0);
	assert_output(run, OBJECT);
	assert_string_equal(run.err, "");
	run_free(&run);
	server_stop(server);
	server = server_start_refusing();
	bare = run_words(RUN_BARE, NULL, "curl", "-sS", server_url(server, "/o"));
	assert_exit(bare, 7);
	run_free(&bare);
	server_stop(server);
}

static void reset_before_any_byte(void **state)
{
	const struct reply script[] = {
		{ .ending = REPLY_RESET, .part = REPLY_START, .times = 2 },
		{ .body = OBJECT },
	};
	struct server *server = server_start(script, 2);
	struct run run = run_words(RUN_SHIM, RULES("error = reset"), "curl", "-sS",
				   server_url(server, "/o"));

	(void)state;
	assert_exit(run, 0);
	assert_output(run, OBJECT);
	assert_int_equal(server_request_count(server), 3);
	run_free(&run);
	server_stop(server);
}

/* A full disk is not the network's fault: no rule is asked, nothing logged. */
static void what_the_program_ended_is_no_failure(void **state)
{
	const struct reply script[] = { { .body = OBJECT, .times = 2 } };
	struct server *server = server_start(script, 1);
	struct run run = run_words(RUN_SHIM, RULES("error = any"), "curl", "-sS", "-o", "/dev/full",
				   server_url(server, "/o"));

	(void)state;
	assert_exit(run, 23);
	assert_lacks(run.err, "retryshim:");
	assert_int_equal(server_request_count(server), 1);
	run_free(&run);
	server_stop(server);
}

/* A server that is out for time. */
static void a_flood_of_1xx(void **state)
{
	static const char each[] = "HTTP/1.1 100\r\n\r\n",
			  last[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
	const size_t len = sizeof(each) - 1, count = 18000;
	struct reply flood = { .raw_len = count * len + sizeof(last) - 1 };
	char *raw = malloc(flood.raw_len);
	struct server *server;
	struct run run;

	(void)state;
	assert_non_null(raw);
	for (size_t i = 0; i < count; i++)
		memcpy(raw + i * len, each, len);
	memcpy(raw + count * len, last, sizeof(last) - 1);
	flood.raw = raw;
	server = server_start(&flood, 1);
	run = run_words(RUN_SHIM, RULES("status = 503"), "curl", "-sSi", server_url(server, "/o"));
	assert_exit(run, 0);
	assert_bytes(run.out, run.out_len, raw, flood.raw_len);
	assert_true(run.elapsed_ns < 3 * INT64_C(1000000000)); /* it is 0.1 s, or 7 s and more */
	run_free(&run);
	server_stop(server);
	free(raw);
}

static void redirect_to_a_busy_place(void **state)
{
	const struct reply script[] = {
		{ .path = "/from", .status = 302, .headers = "Location: /to\r\n", .times = 9 },
		{ .path = "/to", .status = 503, .body = S3_ERROR },
		{ .path = "/to", .body = OBJECT },
	};
	struct server *server = server_start(script, 3);
	struct run run = run_words(RUN_SHIM, RULES("status = 503"), "curl", "-sSLi",
				   server_url(server, "/from"));

	(void)state;
	assert_exit(run, 0);
	assert_int_equal(server_request_count(server), 4);
	assert_int_equal(count_lines(run.out, "HTTP/1.1"), 2);
	assert_contains(run.out, OBJECT);
	assert_lacks(run.out, "SlowDown");
	run_free(&run);
	server_stop(server);
}

static void needs_tls(void)
{
	struct run run = run_words(RUN_BARE, NULL, "curl", "--version");
	bool has = strstr(run.out, " https ") != NULL;

	run_free(&run);
	if (!has)
		skip();
}

/* It leads past a proxy's answer to CONNECT, which is not the response, either. */
static void redirect_through_a_tunnel(void **state)
{
	const struct reply script[] = {
		{ .path = "http://host.invalid/from",
		  .status = 302,
		  .headers = "Location: https://host.invalid/to\r\n" },
		{ .path = "host.invalid:443",
		  .raw = "HTTP/1.1 200 Connection established\r\n\r\n",
		  .hang_up = true },
		{ .path = "http://host.invalid/from", .body = OBJECT },
	};
	struct server *server;
	struct run run;

	(void)state;
	needs_tls();
	server = server_start(script, 3);
	run = run_words(RUN_SHIM, RULES("error = tls"), "curl", "-sSLi", "-x",
			server_url(server, ""), "http://host.invalid/from");
	assert_exit(run, 0);
	assert_int_equal(server_request_count(server), 3);
	assert_int_equal(count_lines(run.out, "HTTP/1.1"), 1);
	assert_contains(run.out, OBJECT);
	run_free(&run);
	server_stop(server);
}

/* What rules say of a URL is said of the program's own, wherever that has led. */
static void redirect_is_judged_by_where_it_began(void **state)
{
	const struct reply script[] = {
		{ .path = "/from", .status = 302, .headers = "Location: /to\r\n", .times = 9 },
		{ .path = "/to", .status = 503, .times = 2 },
		{ .path = "/to", .body = OBJECT },
	};
	struct server *server = server_start(script, 3);
	struct run run = run_words(RUN_SHIM, RULES("status = 503\nurl = */from"), "curl", "-sSL",
				   server_url(server, "/from"));

	(void)state;
	assert_exit(run, 0);
	assert_output(run, OBJECT);
	assert_int_equal(server_request_count(server), 6);
	run_free(&run);
	server_stop(server);
}

static void permanent_is_reported_and_not_retried(void **state)
{
	const struct reply script[] = { { .status = 403, .body = "<Code>ExpiredToken</Code>" } };
	struct server *server = server_start(script, 1);
	struct run run =
		run_words(RUN_SHIM, RULES("class = permanent\nstatus = 403\nbody = ExpiredToken"),
			  "curl", "-sS", server_url(server, "/o?secret=1"));

	(void)state;
	assert_exit(run, 0);
	assert_output(run, "<Code>ExpiredToken</Code>");
	assert_int_equal(server_request_count(server), 1);
	assert_contains(run.err, "event=permanent");
	assert_contains(run.err, "rule=it");
	assert_lacks(run.err, "secret");
	run_free(&run);
	server_stop(server);
}

static void log_tells_attempt_by_attempt(void **state)
{
	struct server *server = serve_two_then_object(503, S3_ERROR);
	struct run run = run_program(&(struct program){
		.argv = (const char *const[]){ "curl", "-sS", server_url(server, "/o"), NULL },
		.under = RUN_SHIM,
		.rules = RULES("status = 503"),
		.options = "log_level=info",
	});

	(void)state;
	assert_output(run, OBJECT);
	assert_contains(run.err, "retryshim: event=retry rule=it call=curl method=GET");
	assert_contains(run.err, "attempt=1 of=3 cause=503 wait_ms=40 quota=486");
	assert_contains(run.err, "attempt=2 of=3 cause=503 wait_ms=80 quota=472");
	assert_contains(run.err, "event=recovered");
	assert_contains(run.err, "attempts=3");
	run_free(&run);
	server_stop(server);
}

static void no_more_than_the_quota_pays_for(void **state)
{
	const struct reply script[] = { { .status = 503, .body = S3_ERROR } };
	struct server *server = server_start(script, 1);
	struct run run = run_words(RUN_SHIM,
				   rules_file("[quota small]\ncapacity = 20\n"
					      "[policy default]\nmax_attempts = 9\nbase = 1ms\n"
					      "quota = small\ncost = 10\n"
					      "[rule it]\nstatus = 503\n"),
				   "curl", "-sS", server_url(server, "/o"));

	(void)state;
	assert_output(run, S3_ERROR);
	assert_int_equal(server_request_count(server), 3);
	assert_contains(run.err, "reason=quota");
	run_free(&run);
	server_stop(server);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(slow_down_twice_then_object),
		cmocka_unit_test(one_response_in_every_output),
		cmocka_unit_test(include_headers),
		cmocka_unit_test(fail_option_keeps_its_meaning),
		cmocka_unit_test(exhausted_looks_like_plain_curl),
		cmocka_unit_test(not_found_is_asked_once),
		cmocka_unit_test(retry_after_is_obeyed),
		cmocka_unit_test(refused_port_that_opens_later),
		cmocka_unit_test(reset_before_any_byte),
		cmocka_unit_test(what_the_program_ended_is_no_failure),
		cmocka_unit_test(a_flood_of_1xx),
		cmocka_unit_test(redirect_to_a_busy_place),
		cmocka_unit_test(redirect_through_a_tunnel),
		cmocka_unit_test(redirect_is_judged_by_where_it_began),
		cmocka_unit_test(permanent_is_reported_and_not_retried),
		cmocka_unit_test(log_tells_attempt_by_attempt),
		cmocka_unit_test(no_more_than_the_quota_pays_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
