/*
 * Limits on an attempt, new connections, and what the program's error text says.
 */
#include "harness.h"
#include "server.h"

#include <stdio.h>
#include <string.h>

#define OBJECT "the object\n"
#define MS     1000000

static void attempt_timeout_ends_an_attempt(void **state)
{
	const struct reply script[] = { { .ending = REPLY_SILENT, .part = REPLY_START },
					{ .body = OBJECT } };
	const char *rules = rules_file("[policy default]\nattempt_timeout = 200ms\nbase = 1ms\n"
				       "[rule it]\nerror = timeout\n");
	struct server *server = server_start(script, 2);
	struct run run = run_words(RUN_SHIM, rules, "curl", "-sS", server_url(server, "/o"));

	(void)state;
	assert_exit(run, 0);
	assert_output(run, OBJECT);
	assert_true(run.elapsed_ns > 200LL * MS && run.elapsed_ns < 3000LL * MS);
	run_free(&run);
	server_stop(server);
}

/* The program's own limit stands, be it shorter or longer. */
static void a_limit_of_the_program_wins(void **state)
{
	const struct reply script[] = { { .delay_ms = 600, .body = OBJECT } };
	const char *rules = rules_file("[policy default]\nattempt_timeout = 200ms\nbase = 1ms\n"
				       "[rule it]\nerror = timeout\n");
	struct server *server = server_start(script, 1);
	struct run run =
		run_words(RUN_SHIM, rules, "curl", "-sS", "-m", "10", server_url(server, "/o"));

	(void)state;
	assert_exit(run, 0);
	assert_output(run, OBJECT);
	assert_int_equal(server_request_count(server), 1);
	run_free(&run);
	server_stop(server);
}

/* What was put in force for an attempt is gone after the call: the same handle, next URL. */
static const char two_transfers[] =
	"import io, pycurl, sys\n"
	"c = pycurl.Curl()\n"
	"for url in sys.argv[1:]:\n"
	"    out = io.BytesIO()\n"
	"    c.setopt(c.URL, url); c.setopt(c.WRITEDATA, out); c.perform()\n"
	"    print(c.getinfo(c.NUM_CONNECTS), out.getvalue().decode(), end='')\n";

static void limits_are_lifted_after_the_call(void **state)
{
	const struct reply script[] = {
		{ .path = "/o", .ending = REPLY_SILENT, .part = REPLY_START },
		{ .path = "/o", .body = OBJECT },
		{ .path = "/slow", .delay_ms = 500, .body = OBJECT },
	};
	const char *rules = rules_file("[policy default]\nattempt_timeout = 200ms\nbase = 1ms\n"
				       "fresh_connection = yes\n"
				       "[rule it]\nerror = timeout\nurl = */o\n");
	struct server *server = server_start(script, 3);
	struct run run = run_words(RUN_SHIM, rules, "/usr/bin/python3", "-c", two_transfers,
				   server_url(server, "/o"), server_url(server, "/slow"));

	(void)state;
	assert_exit(run, 0);
	assert_output(run, "1 " OBJECT "0 " OBJECT);
	run_free(&run);
	server_stop(server);
}

static void retry_on_a_connection(const char *fresh, int connections)
{
	const struct reply script[] = { { .status = 503, .body = "busy" }, { .body = OBJECT } };
	char text[128];
	struct server *server = server_start(script, 2);
	struct run run;

	snprintf(text, sizeof(text), "[policy default]\nbase = 1ms\nfresh_connection = %s\n%s",
		 fresh, "[rule it]\nstatus = 503\n");
	run = run_words(RUN_SHIM, rules_file(text), "curl", "-sS", server_url(server, "/o"));
	assert_output(run, OBJECT);
	assert_int_equal(server_connection_count(server), connections);
	run_free(&run);
	server_stop(server);
}

static void fresh_connection(void **state)
{
	(void)state;
	retry_on_a_connection("no", 1);
	retry_on_a_connection("yes", 2);
}

static void annotate(void **state)
{
	struct server *server = server_start_refusing();
	const char *rules = rules_file("[retryshim]\nannotate = yes\nlog = none\n"
				       "[policy default]\nmax_attempts = 3\nbase = 1ms\n"
				       "[rule down]\nerror = refused\n");
	struct run run = run_words(RUN_SHIM, rules, "curl", "-sS", server_url(server, "/o"));
	struct run bare = run_words(RUN_BARE, NULL, "curl", "-sS", server_url(server, "/o"));

	(void)state;
	assert_exit(run, 7);
	assert_contains(run.err, " (3 attempts in 0.");
	assert_contains(run.err, " s, rule down)");
	assert_contains(bare.err, "Failed to connect");
	assert_contains(run.err, "Failed to connect");
	run_free(&bare);
	run_free(&run);
	server_stop(server);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(attempt_timeout_ends_an_attempt),
		cmocka_unit_test(a_limit_of_the_program_wins),
		cmocka_unit_test(limits_are_lifted_after_the_call),
		cmocka_unit_test(fresh_connection),
		cmocka_unit_test(annotate),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
