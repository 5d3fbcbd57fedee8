/*
 * Forms with parts that callbacks give: sent again if these can be put back, and else not; the
 * program then has the answer that there was.
 */
#include "harness.h"
#include "server.h"

#include <stdlib.h>
#include <string.h>

#define RULES                                                                                      \
	"[policy default]\nbase = 1ms\njitter = none\n"                                            \
	"[rule it]\nerror = any\nstatus = 503\nmethod = any\n"

static const struct reply script[] = { { .status = 503, .body = "busy" }, { .body = "done" } };

static void check(const char *how, const char *driven, size_t requests, const char *wanted)
{
	struct server *server = server_start(script, 2);
	struct run run = run_words(RUN_SHIM, rules_file(RULES), helper_path("mime"), how, driven,
				   server_url(server, "/"));

	assert_exit(run, 0);
	assert_output(run, wanted);
	assert_int_equal(server_request_count(server), requests);
	for (size_t i = 0; i < requests; i++)
		assert_contains(server_request(server, i)->body, "the part's bytes");
	if (requests == 1)
		assert_contains(run.err, "reason=not_replayable");
	run_free(&run);
	server_stop(server);
}

static void what_can_be_put_back_is_sent_again(void **state)
{
	(void)state;
	check("seekable", "easy", 2, "done 0 200, 1 released\n");
}

static void what_cannot_be_put_back_is_not(void **state)
{
	(void)state;
	check("unseekable", "easy", 1, "busy 0 503, 1 released\n");
	check("stubborn", "easy", 1, "busy 0 503, 1 released\n");
}

static void another_form_is_another_form(void **state)
{
	(void)state;
	check("beside", "easy", 2, "done 0 200, 2 released\n");
}

/* A copy's parts are its own; that its bytes can be had for longer than they could is the program's
 * business. */
static void copies(void **state)
{
	(void)state;
	check("copied", "easy", 1, "busy 0 503, 2 released\n");
}

/* Whose callback libcurl calls there nobody says. */
static void through_the_multi_interface(void **state)
{
	(void)state;
	check("seekable", "multi", 1, "busy 0 503, 1 released\n");
	check("stubborn", "multi", 1, "busy 0 503, 1 released\n");
}

static void under_valgrind(void **state)
{
	static const char *const ways[] = { "seekable", "stubborn", "beside", "copied" };

	(void)state;
	if (getenv("RS_PRELOAD_FIRST"))
		skip();
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		struct server *server = server_start(script, 2);
		struct run run = run_words(RUN_SHIM, rules_file(RULES), "valgrind", "-q",
					   "--error-exitcode=9", helper_path("mime"), ways[i],
					   "easy", server_url(server, "/"));

		assert_exit(run, 0);
		run_free(&run);
		server_stop(server);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_can_be_put_back_is_sent_again),
		cmocka_unit_test(what_cannot_be_put_back_is_not),
		cmocka_unit_test(another_form_is_another_form),
		cmocka_unit_test(copies),
		cmocka_unit_test(through_the_multi_interface),
		cmocka_unit_test(under_valgrind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
