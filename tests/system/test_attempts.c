/*
 * What the attempts of one transfer are to be seen by, besides its response.
 */
#include "harness.h"
#include "server.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(its_connects_are_not_retried_by_themselves),
		cmocka_unit_test(diagnosis_shows_every_attempt),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
