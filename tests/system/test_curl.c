/*
 * Debian's own curl against a server that misbehaves: the bytes that arrive, the requests that
 * were made, and when.
 */
#include "harness.h"
#include "server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define S3_ERROR                                                                                   \
	"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"                                             \
	"<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>"
#define OBJECT "the object\n"

#define MS 1000000

/* Two waits of 40 and 80 ms, for whatever the rule says. */
#define POLICY          "[policy default]\nmax_attempts = 3\nbase = 40ms\njitter = none\n"
#define RULES(matchers) rules_file(POLICY "[rule it]\n" matchers "\n")

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

/* Error bodies larger than what is held, in every framing; with and without a rule on the body. */
static void large_error_bodies(void **state)
{
	static const enum reply_framing framings[] = { REPLY_LENGTH, REPLY_CHUNKED, REPLY_CLOSE };
	char *error = noise(300 * 1024, 1), *object = noise(500 * 1024, 2);
	const char *body_rule = RULES("status = 503\nbody = no such text, SlowDown");

	(void)state;
	memcpy(error + 60000, "SlowDown", 8);
	for (size_t i = 0; i < 6; i++) {
		const struct reply script[] = {
			{ .status = 503,
			  .body = error,
			  .body_len = 300 * 1024,
			  .times = 2,
			  .framing = framings[i % 3],
			  .gzip = i >= 3 },
			{ .body = object,
			  .body_len = 500 * 1024,
			  .framing = framings[i % 3],
			  .gzip = i >= 3 },
		};
		const char *rules = i % 2 ? body_rule : RULES("status = 503");
		struct server *server = server_start(script, 2);
		struct run run = run_words(RUN_SHIM, rules, "curl", "-sS", "--compressed",
					   server_url(server, "/o"));

		assert_exit(run, 0);
		assert_bytes(run.out, run.out_len, object, 500 * 1024);
		assert_int_equal(server_request_count(server), 3);
		run_free(&run);
		server_stop(server);
	}
	free(error);
	free(object);
}

/* A rule on the body that does not match: what was held arrives whole, also past the limit. */
static void held_and_handed_over(void **state)
{
	static const size_t sizes[] = { 0, 1, 65535, 65536, 65537, 300000 };
	const char *rules = RULES("status = 400, 200\nbody = no such text");

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		char *body = noise(sizes[i] + 1, i);
		const struct reply script[] = {
			{ .status = 400, .body = body, .body_len = sizes[i] },
			{ .body = body,
			  .body_len = sizes[i],
			  .framing = REPLY_CHUNKED,
			  .trailers = "X-Sum: 1\r\n" },
		};
		struct server *server =
			server_start(sizes[i] ? script : &(struct reply){ 0 }, sizes[i] ? 2 : 1);

		for (int n = 0; n < 2; n++) {
			struct run run =
				run_words(RUN_SHIM, rules, "curl", "-sS", server_url(server, "/o"));

			assert_exit(run, 0);
			assert_bytes(run.out, run.out_len, body, sizes[i]);
			run_free(&run);
		}
		server_stop(server);
		free(body);
	}
}

static void post_is_repeated_only_when_told(void **state)
{
	const struct reply reset[] = {
		{ .ending = REPLY_RESET, .part = REPLY_START },
		{ .body = OBJECT },
	};
	const struct reply busy[] = { { .status = 503 }, { .body = OBJECT } };
	const char *rules = RULES("status = 503\nerror = reset");
	struct server *server = server_start(reset, 2);
	struct run run = run_words(RUN_SHIM, rules, "curl", "-sS", "-d", "amount=1",
				   server_url(server, "/pay"));

	(void)state;
	assert_exit(run, 56);
	assert_int_equal(server_request_count(server), 1);
	run_free(&run);
	server_stop(server);

	server = server_start(busy, 2);
	run = run_words(RUN_SHIM, rules, "curl", "-sS", "-d", "amount=1",
			server_url(server, "/pay"));
	assert_int_equal(server_request_count(server), 1);
	run_free(&run);
	server_stop(server);

	server = server_start(busy, 2);
	run = run_words(RUN_SHIM, RULES("status = 503\nmethod = POST"), "curl", "-sS", "-d",
			"amount=1", server_url(server, "/pay"));
	assert_output(run, OBJECT);
	assert_int_equal(server_request_count(server), 2);
	for (size_t i = 0; i < 2; i++) {
		assert_string_equal(server_request(server, i)->method, "POST");
		assert_string_equal(server_request(server, i)->body, "amount=1");
	}
	run_free(&run);
	server_stop(server);
}

/* A body that comes from the program's read callback: sent again from what was kept of it. */
static void streamed_body_is_sent_again(void **state)
{
	const struct reply busy[] = { { .status = 503, .body = "busy" }, { .body = OBJECT } };
	struct server *server = server_start(busy, 2);
	struct run run = run_program(&(struct program){
		.argv = (const char *const[]){ "curl", "-sS", "-T", "-", server_url(server, "/up"),
					       NULL },
		.under = RUN_SHIM,
		.rules = RULES("status = 503\nmethod = any"),
		.input = "streamed",
	});

	(void)state;
	assert_exit(run, 0);
	assert_output(run, OBJECT);
	assert_int_equal(server_request_count(server), 2);
	assert_string_equal(server_request(server, 0)->body, "streamed");
	assert_string_equal(server_request(server, 1)->body, "streamed");
	run_free(&run);
	server_stop(server);
}

/* Broken after bytes were handed over: the failure, and never a second beginning. */
static void cut_download_is_not_begun_again(void **state)
{
	char *object = noise(200000, 3);
	const struct reply script[] = {
		{ .body = object,
		  .body_len = 200000,
		  .ending = REPLY_CUT,
		  .part = REPLY_BODY,
		  .after = 100000 },
		{ .body = object, .body_len = 200000 },
	};
	struct server *server = server_start(script, 2);
	struct run run =
		run_words(RUN_SHIM, RULES("error = any"), "curl", "-sS", server_url(server, "/o"));

	(void)state;
	assert_exit(run, 18);
	assert_bytes(run.out, run.out_len, object, 100000);
	assert_int_equal(server_request_count(server), 1);
	assert_contains(run.err, "reason=committed");
	run_free(&run);
	server_stop(server);
	free(object);
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
	struct server *other = server_start(there, 3), *server;
	struct reply redirect = { .status = 302 };
	char location[128], target[64];
	struct run run;

	(void)state;
	(void)snprintf(location, sizeof(location), "Location: %s\r\n", server_url(other, "/to"));
	redirect.headers = location;
	server = server_start(&redirect, 1);
	(void)snprintf(target, sizeof(target), "target=127.0.0.1:%d ", server_port(server));
	run = run_words(RUN_SHIM,
			rules_file("[retryshim]\nlog = stderr\nlog_level = info\n" POLICY
				   "[rule it]\nstatus = 503\n"),
			"/usr/bin/python3", "-c", program, server_url(server, "/from"));
	assert_exit(run, 0);
	assert_output(run, "200\n");
	assert_int_equal(count_lines(run.err, target), 2);
	assert_int_equal(count_lines(run.err, "target="), 2);
	run_free(&run);
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
		cmocka_unit_test(large_error_bodies),
		cmocka_unit_test(held_and_handed_over),
		cmocka_unit_test(post_is_repeated_only_when_told),
		cmocka_unit_test(streamed_body_is_sent_again),
		cmocka_unit_test(cut_download_is_not_begun_again),
		cmocka_unit_test(what_the_program_ended_is_no_failure),
		cmocka_unit_test(redirect_to_a_busy_place),
		cmocka_unit_test(redirect_is_judged_by_where_it_began),
		cmocka_unit_test(a_url_is_what_the_program_wrote),
		cmocka_unit_test(following_may_begin_later),
		cmocka_unit_test(a_handle_goes_elsewhere),
		cmocka_unit_test(permanent_is_reported_and_not_retried),
		cmocka_unit_test(log_tells_attempt_by_attempt),
		cmocka_unit_test(no_more_than_the_quota_pays_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
