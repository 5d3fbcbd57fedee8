/*
 * A pause is one for what was held, too: while libcurl still runs, and when it is done.
 */
#include "harness.h"
#include "server.h"

#include <string.h>

#define RULES(limit)                                                                               \
	"[retryshim]\nbody_limit = " limit "\n[policy default]\nbase = 1ms\njitter = none\n"       \
	"[rule s3]\nstatus = 200\nbody = <Error>\n"

/* Each chunk is a piece. */
static const struct reply pieces[] = {
	{ .body = "one two thr.", .framing = REPLY_CHUNKED, .piece = 4, .times = 9 }
};
static const struct reply whole[] = { { .body = "one", .times = 9 } };
/* With more to come, for ever. */
static const struct reply unfinished[] = { { .body = "one two thr.more",
					     .framing = REPLY_CHUNKED,
					     .piece = 4,
					     .ending = REPLY_SILENT,
					     .part = REPLY_BODY,
					     .after = 12,
					     .times = 9 } };

/* Without the library and with it, in both interfaces, the program says the same. */
static void check_pause(const char *how, const struct reply *reply, const char *rules,
			const char *wanted)
{
	static const char *const driven[] = { "easy", "multi" };
	const char *path = rules_file(rules);

	for (int i = 0; i < 4; i++) {
		struct server *server = server_start(reply, 1);
		struct run run =
			run_words(i < 2 ? RUN_BARE : RUN_SHIM, path, helper_path("pausing"), how,
				  driven[i % 2], server_url(server, "/o"));

		assert_exit(run, 0);
		assert_output(run, wanted);
		run_free(&run);
		server_stop(server);
	}
}

static void between_pieces_when_libcurl_is_done(void **state)
{
	(void)state;
	check_pause("between", pieces, RULES("64KiB"),
		    "result 0, pause 0, 12 bytes, 0 unwanted,  \n");
}

static void between_pieces_while_libcurl_runs(void **state)
{
	(void)state;
	check_pause("between", pieces, RULES("8B"), "result 0, pause 0, 12 bytes, 0 unwanted,  \n");
}

/* Before libcurl is done, and when it just was. */
static void what_came_before_a_pause_is_the_programs(void **state)
{
	(void)state;
	check_pause("late-1", whole, RULES("64KiB"),
		    "result 28, pause 0, 3 bytes, 0 unwanted, Operation timed out "
		    "with 3 out of 3 bytes received\n");
	check_pause("late-3", whole, RULES("64KiB"), "result 0, pause 0, 3 bytes, 0 unwanted,  \n");
}

static void the_time_is_up_when_libcurl_is_done(void **state)
{
	(void)state;
	check_pause("never-on", whole, RULES("64KiB"),
		    "result 28, pause 0, 0 bytes, 0 unwanted, Operation timed out "
		    "with 3 out of 3 bytes received\n");
}

static void the_time_is_up_while_libcurl_runs(void **state)
{
	const char *path = rules_file(RULES("8B"));

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct server *server = server_start(unfinished, 1);
		struct run run = run_words(RUN_SHIM, path, helper_path("pausing"), "never-on",
					   i ? "multi" : "easy", server_url(server, "/o"));

		assert_exit(run, 0);
		assert_contains(run.out, "result 28, pause 0, 0 bytes, 0 unwanted, Operation");
		run_free(&run);
		server_stop(server);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(between_pieces_when_libcurl_is_done),
		cmocka_unit_test(between_pieces_while_libcurl_runs),
		cmocka_unit_test(what_came_before_a_pause_is_the_programs),
		cmocka_unit_test(the_time_is_up_when_libcurl_is_done),
		cmocka_unit_test(the_time_is_up_while_libcurl_runs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
