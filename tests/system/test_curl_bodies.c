/*
 * Bodies of curl's requests and responses: held, handed over whole, sent again, cut.
 */
#include "curl_parts.h"
#include "server.h"

#include <stdlib.h>
#include <string.h>

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(large_error_bodies),
		cmocka_unit_test(held_and_handed_over),
		cmocka_unit_test(post_is_repeated_only_when_told),
		cmocka_unit_test(streamed_body_is_sent_again),
		cmocka_unit_test(cut_download_is_not_begun_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
