/*
 * What a callback of the program has refused is the program's will, and not tried again, though
 * libcurl may call it a failure like any other.
 */
#include "harness.h"
#include "server.h"

#include <stdio.h>
#include <string.h>

#define RULES                                                                                      \
	"[policy default]\nmax_attempts = 3\nbase = 1ms\njitter = none\n[rule it]\nerror = any\n"

static void check(const char *what, const char *faults, const char *url, const char *wanted)
{
	static const char *const driven[] = { "easy", "multi" };
	char text[512];

	(void)snprintf(text, sizeof(text), RULES "%s", faults);
	for (int i = 0; i < 2; i++) {
		struct run run = run_words(RUN_SHIM, rules_file(text), helper_path("refusing"),
					   what, driven[i], url);

		assert_exit(run, 0);
		assert_output(run, wanted);
		run_free(&run);
	}
}

static void what_a_callback_refuses_is_not_tried_again(void **state)
{
	static const struct reply script[] = { { .body = "object", .times = 99 } };
	struct server *server = server_start(script, 1);
	char by_name[64], tls[64];

	(void)state;
	(void)snprintf(by_name, sizeof(by_name), "http://localhost:%u", server_port(server));
	(void)snprintf(tls, sizeof(tls), "https://127.0.0.1:%u", server_port(server));
	check("socket", "", server_url(server, ""), "result 7, asked 1 times\n");
	check("option", "", server_url(server, ""), "result 42, asked 1 times\n");
	check("look-up", "", by_name, "result 6, asked 1 times\n");
	check("tls", "", tls, "result 58, asked 1 times\n");
	check("request", "", server_url(server, ""), "result 42, asked 1 times\n");
	assert_int_equal(server_request_count(server), 0);
	server_stop(server);
}

static void a_body_that_is_not_put_back_is_not_sent_again(void **state)
{
	static const struct reply script[] = {
		{ .path = "/there", .body = "object", .times = 99 },
		{ .status = 307, .headers = "Location: /there\r\n", .times = 99 },
	};
	struct server *server = server_start(script, 2);

	(void)state;
	check("seek", "", server_url(server, ""), "result 65, asked 1 times\n");
	assert_int_equal(server_request_count(server), 2); /* one by each interface */
	server_stop(server);
}

/* On purpose an attempt fails before the program is asked at all. */
static void a_refusal_after_a_fault(void **state)
{
	static const struct reply script[] = { { .body = "object", .times = 99 } };
	struct server *server = server_start(script, 1);

	(void)state;
	check("socket", "[fault it]\nerror = CURLE_GOT_NOTHING\nfirst = 1\n",
	      server_url(server, ""), "result 7, asked 1 times\n");
	server_stop(server);
}

/* It has refused an address, and a network that is down has refused the other. */
static void what_fails_after_a_refusal_is_a_failure(void **state)
{
	struct server *server = server_start_refusing();
	char url[64];

	(void)state;
	(void)snprintf(url, sizeof(url), "http://two.test:%u", server_port(server));
	check("first-socket", "", url, "result 7, asked 6 times\n");
	server_stop(server);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_a_callback_refuses_is_not_tried_again),
		cmocka_unit_test(a_body_that_is_not_put_back_is_not_sent_again),
		cmocka_unit_test(a_refusal_after_a_fault),
		cmocka_unit_test(what_fails_after_a_refusal_is_a_failure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
