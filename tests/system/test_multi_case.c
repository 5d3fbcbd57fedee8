/*
 * Programs that use the multi interface in their particular ways see under the shim, with a server
 * that fails, what they see without it with one that does not.
 */
#include "harness.h"
#include "server.h"

#include <string.h>

/* Answers to /held are looked at to the end, and handed out after it; and those to what there is
 * not. */
#define RULES                                                                                      \
	"[retryshim]\nlog = none\n"                                                                \
	"[policy default]\nmax_attempts = 4\nbase = 30ms\nbackoff = constant\njitter = none\n"     \
	"[rule it]\nstatus = 503\nerror = refused, reset\n"                                        \
	"[rule text]\nstatus = 200\nurl = */held\nbody = <Error>\n"                                \
	"[rule none]\nstatus = 404\nbody = <Error>\n"
#define LATER    "Retry-After: 1\r\n"
#define FAILURE  "X-Failure: yes\r\nContent-Type: text/failure\r\n"
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const struct reply failing[] = {
	{ .path = "/ok", .body = "object" },
	{ .path = "/busy", .status = 503, .body = "busy", .times = 2 },
	{ .path = "/busy", .ending = REPLY_RESET, .part = REPLY_START },
	{ .path = "/busy", .body = "busy no more" },
	{ .path = "/later", .status = 503, .headers = LATER, .times = 1 },
	{ .path = "/later", .body = "later" },
	{ .path = "/held", .status = 503, .body = "denied", .times = 2 },
	{ .path = "/held", .body = "held", .framing = REPLY_CHUNKED },
	{ .path = "/slow", .body = "slow", .delay_ms = 5000 },
	{ .path = "/failing", .status = 503, .headers = FAILURE, .body = "failure", .times = 2 },
	{ .path = "/failing", .body = "failing no more" },
	{ .path = "/failing-too",
	  .status = 503,
	  .headers = FAILURE,
	  .body = "failure",
	  .times = 2 },
	{ .path = "/failing-too", .body = "failing no more" },
};

static const struct reply good[] = {
	{ .path = "/ok", .body = "object" },
	{ .path = "/busy", .body = "busy no more" },
	{ .path = "/later", .body = "later", .delay_ms = 1000 },
	{ .path = "/held", .body = "held", .framing = REPLY_CHUNKED },
	{ .path = "/slow", .body = "slow", .delay_ms = 5000 },
	{ .path = "/failing", .body = "failing no more" },
	{ .path = "/failing-too", .body = "failing no more" },
};

/* A program that runs, and the server that it asks. */
struct begun {
	struct server *server;
	struct child *child;
};

static struct begun begin_case(enum run_under under, const char *name, const char *style)
{
	struct server *server = under == RUN_SHIM ? server_start(failing, COUNT(failing))
						  : server_start(good, COUNT(good));
	const char *const argv[] = { helper_path("multi-case"), name, server_url(server, ""), style,
				     NULL };

	return (struct begun){
		server, child_start(&(struct program){
				.argv = argv, .under = under, .rules = rules_file(RULES) })
	};
}

static struct run finish_case(const struct begun *begun)
{
	struct run run = child_finish(begun->child);

	server_stop(begun->server);
	return run;
}

static struct run run_case(enum run_under under, const char *name, const char *style)
{
	const struct begun begun = begin_case(under, name, style);

	return finish_case(&begun);
}

/* All at once: they mostly wait. */
static void compare(const char *name)
{
	static const char *const styles[] = { "0", "1", "2" };
	struct begun bare[COUNT(styles)], shim[COUNT(styles)];

	for (size_t i = 0; i < COUNT(styles); i++) {
		bare[i] = begin_case(RUN_BARE, name, styles[i]);
		shim[i] = begin_case(RUN_SHIM, name, styles[i]);
	}
	for (size_t i = 0; i < COUNT(styles); i++) {
		struct run wanted = finish_case(&bare[i]), run = finish_case(&shim[i]);

		assert_exit(wanted, 0);
		assert_exit(run, 0);
		assert_contains(run.out, "as promised\n");
		assert_output(run, wanted.out);
		run_free(&wanted);
		run_free(&run);
	}
}

static void messages_live_as_long_as_their_handles(void **state)
{
	(void)state;
	compare("messages");
}

static void messages_go_with_their_handles(void **state)
{
	(void)state;
	compare("unread");
}

static void callbacks_cannot_use_the_multi_handle(void **state)
{
	(void)state;
	compare("recursive");
}

static void another_thread_ends_the_programs_wait(void **state)
{
	struct run run = run_case(RUN_SHIM, "wakeup", "1");

	(void)state;
	assert_output(run, "add 0\nwoken\nrunning 1\n"
			   "message 1, result 0, of this transfer: 1, body: later\nas promised\n");
	run_free(&run);
}

static void the_program_is_asked_and_may_abort(void **state)
{
	static const char *const styles[] = { "0", "1", "2" };

	(void)state;
	for (size_t i = 0; i < COUNT(styles); i++) {
		struct run run = run_case(RUN_SHIM, "aborted", styles[i]);

		assert_output(run, "message 1, result 42, of this transfer: 1, body: \n"
				   "asked often\nended soon\nrunning 0\n"
				   "message 1, result 0, of this transfer: 1, body: object\n"
				   "as promised\n");
		run_free(&run);
	}
}

static void a_pause_while_the_rest_is_handed_out(void **state)
{
	(void)state;
	compare("paused");
}

static void a_pause_while_an_attempt_waits(void **state)
{
	(void)state;
	compare("early");
}

/* What a pushed stream brings would be taken for the answer that it came with. */
static void where_servers_may_push_nothing_is_retried(void **state)
{
	struct run run = run_case(RUN_SHIM, "pushes", "1");

	(void)state;
	assert_output(run, "add 0\nmessage 1, result 0, of this transfer: 1, body: busy\n"
			   "add 0\nmessage 1, result 0, of this transfer: 1, body: busy no more\n"
			   "add 0\nmessage 1, result 0, of this transfer: 1, body: denied\n"
			   "easy 22\n"
			   "add 0\nmessage 1, result 0, of this transfer: 1, body: object\n"
			   "status 200\n"
			   "as promised\n");
	run_free(&run);
}

/* Also where the shim would have had something else to tell by then. */
static void a_timer_callback_that_fails_ends_all(void **state)
{
	static const char wanted[] = "add 0\nperform 11, running 1\n"
				     "message 1, result 42, of this transfer: 1, body: \n"
				     "as promised\n";
	struct run bare = run_case(RUN_BARE, "refused", "1");
	struct run run = run_case(RUN_SHIM, "refused", "1");

	(void)state;
	assert_output(bare, wanted);
	assert_output(run, wanted);
	run_free(&bare);
	run_free(&run);
}

static void a_timer_callback_that_fails_ends_what_waits(void **state)
{
	struct run run = run_case(RUN_SHIM, "refused-later", "1");

	(void)state;
	assert_output(run, "add 0\nperform 11, running 1\n"
			   "message 1, result 42, of this transfer: 1, body: \n"
			   "add 0\nmessage 1, result 0, of this transfer: 1, body: object\n"
			   "as promised\n");
	run_free(&run);
}

static void no_timer_stands_after_the_last_transfer(void **state)
{
	(void)state;
	compare("timer-left");
}

static void a_busy_loop_goes_on_while_a_transfer_waits(void **state)
{
	(void)state;
	compare("busy");
}

static void of_a_dropped_response_nothing_is_told(void **state)
{
	(void)state;
	compare("told");
}

static void handles_go_in_every_state(void **state)
{
	(void)state;
	compare("states");
}

static void threads_with_a_multi_handle_each(void **state)
{
	(void)state;
	compare("threads");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(messages_live_as_long_as_their_handles),
		cmocka_unit_test(messages_go_with_their_handles),
		cmocka_unit_test(callbacks_cannot_use_the_multi_handle),
		cmocka_unit_test(another_thread_ends_the_programs_wait),
		cmocka_unit_test(the_program_is_asked_and_may_abort),
		cmocka_unit_test(a_pause_while_the_rest_is_handed_out),
		cmocka_unit_test(a_pause_while_an_attempt_waits),
		cmocka_unit_test(where_servers_may_push_nothing_is_retried),
		cmocka_unit_test(a_timer_callback_that_fails_ends_all),
		cmocka_unit_test(a_timer_callback_that_fails_ends_what_waits),
		cmocka_unit_test(no_timer_stands_after_the_last_transfer),
		cmocka_unit_test(a_busy_loop_goes_on_while_a_transfer_waits),
		cmocka_unit_test(of_a_dropped_response_nothing_is_told),
		cmocka_unit_test(handles_go_in_every_state),
		cmocka_unit_test(threads_with_a_multi_handle_each),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
