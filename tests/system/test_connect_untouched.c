/*
 * Blocking connect() under the shim: what stays as it is, the program's own descriptors and signals
 * among it.
 */
#include "connecting.h"
#include "harness.h"
#include "server.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char everything[] = INFO QUICK
	"max_attempts = 3\n[rule it]\ncall = connect\nerror = any, EINPROGRESS, EALREADY, "
	"EISCONN, EINTR, EFAULT, EINVAL, EBADF, ENOTSOCK\n";

/* ---- what is not retried ---- */

static void check_untouched(struct run run, const char *output)
{
	assert_output(run, output);
	assert_string_equal(run.err, "");
	run_free(&run);
}

/* Also where it has failed before it returns. */
static void nonblocking_returns_at_once(void **state)
{
	struct run run;

	(void)state;
	needs_no_emulator();
	run = connecting_run(connecting_hour, "nonblocking", temp_path("nobody.sock"));
	assert_output(run, "EINPROGRESS\nEINPROGRESS\n");
	assert_int_equal(count_lines(run.err, "event="), 1);
	assert_contains(run.err, "event=retry rule=it call=connect target=unix:");
	run_free(&run);
}

/* What the kernel has read is read as it is: no filter knows of the system call that it would take
 * to be careful. */
static void a_sandbox_is_obeyed(void **state)
{
	struct run run;

	(void)state;
	needs_no_emulator();
	run = connecting_run(connecting_few, "sandboxed", temp_path("nobody.sock"));
	assert_output(run, "ECONNREFUSED\nEINPROGRESS\n");
	assert_int_equal(count_lines(run.err, "event=exhausted"), 1);
	run_free(&run);
}

static void datagrams_are_left_alone(void **state)
{
	(void)state;
	check_untouched(connecting_run(everything, "datagram", temp_path("nobody.sock")),
			"ENOENT\n");
}

static void a_connected_socket_is_left_alone(void **state)
{
	static const struct reply script[] = { { .status = 200 } };
	struct server *server = server_start(script, 1);
	struct child *child = connecting_start(everything, "connect-twice", server);

	(void)state;
	check_untouched(child_finish(child), "connected\nEISCONN\n");
	server_stop(server);
}

static void a_send_timeout_is_no_failure(void **state)
{
	(void)state;
	check_untouched(connecting_run(everything, "send-timeout", NULL), "EINPROGRESS\n");
}

static void bad_arguments_get_the_kernels_answer(void **state)
{
	(void)state;
	check_untouched(connecting_run(everything, "bad-arguments", NULL),
			"EFAULT\nEINVAL\nEBADF\nENOTSOCK\n");
}

/* Whatever has to be known of an address before the kernel has seen it. */
static void bad_pointers_get_the_kernels_answer(void **state)
{
	static const char *const rules[] = { everything, INFO QUICK "rate_limit = adaptive" RULE,
					     INFO QUICK "connect_timeout = 1s" RULE,
					     INFO "[fault it]\ncall = connect\nport = 1\n"
						  "error = refused\n",
					     INFO "[fault it]\ncall = connect\nport = 2\n"
						  "delay = 1h\n" };
	static const char answer[] = "EFAULT\nEFAULT\nEFAULT\nEFAULT\nEFAULT\nEFAULT\n"
				     "EFAULT\nEFAULT\nEFAULT\n";

	(void)state;
	needs_no_emulator();
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		struct run run = run_words(RUN_BARE, NULL, command_path(), "run", "-r",
					   rules_file(rules[i]), "--", helper_path("connect-case"),
					   "bad-pointers", i == 4 ? "2" : "1");

		assert_exit(run, 0);
		assert_output(run, answer);
		run_free(&run);
	}
}

/* Once the case waits to make an attempt another thread takes the descriptor from it. */
static void reused_case(const char *rules, const char *event, const char *name, const char *output)
{
	static const char *const early[] = { "RETRYSHIM_EARLY=1", "RETRYSHIM_FAULTS=", NULL };
	struct server *server = server_start_refusing();
	const char *const argv[] = { helper_path("connect-case"), name, connecting_port(server),
				     NULL };
	struct program program = connecting_under(rules, argv);
	struct child *child;
	struct run run;

	program.env = early;
	child = child_start(&program);
	assert_true(child_wait_output(child, event));
	server_open(server);
	kill(child_pid(child), SIGUSR1);
	run = child_finish(child);
	server_stop(server);
	assert_exit(run, 0);
	assert_output(run, output);
	run_free(&run);
}

/* A fault delays it, or its target's pace; and the descriptor is another socket's by then, which
 * the kernel says by SO_COOKIE. */
static void one_that_is_reused_before_the_attempt_is_left_alone(void **state)
{
	(void)state;
	needs_no_emulator();
	reused_case(INFO "[fault slow]\ncall = connect\ndelay = 1s\n", "event=fault", "reused",
		    "EBADF\nENOTCONN\n");
	reused_case(INFO QUICK "max_attempts = 1\nrate_limit = adaptive\n" RULE, "event=paced",
		    "reused-second", "ECONNREFUSED\nEBADF\nENOTCONN\n");
}

static void other_calls_rules_do_not_count(void **state)
{
	static const char rules[] = INFO QUICK "[rule it]\ncall = curl\nerror = refused\n";

	(void)state;
	check_untouched(connecting_run(rules, "keeps-errno", NULL), "");
}

/* ---- the log and the program's own descriptors ---- */

static void no_line_goes_to_a_foreign_stderr(void **state)
{
	const char *path = temp_path("database");
	struct run run = connecting_run(connecting_few, "foreign-stderr", path);
	size_t len;
	char *text = read_file(path, &len);

	(void)state;
	check_untouched(run, "ECONNREFUSED\n");
	assert_non_null(text);
	assert_string_equal(text, "");
	free(text);
}

static void a_closed_stderr_is_no_log(void **state)
{
	(void)state;
	check_untouched(connecting_run(connecting_few, "closed-stderr", NULL), "ECONNREFUSED\n");
}

static void a_deaf_stderr_raises_no_signal(void **state)
{
	(void)state;
	needs_no_emulator();
	check_untouched(connecting_run(connecting_few, "deaf-stderr", NULL),
			"ECONNREFUSED\nno signal\n");
}

static void log_file_in_json(void **state)
{
	const char *path = temp_path("events.json");
	char rules[512];
	struct run run;
	size_t len;
	char *text;

	(void)state;
	(void)snprintf(rules, sizeof(rules), "%slog = %s\nlog_format = json\n%s" RULE, INFO, path,
		       QUICK "max_attempts = 2");
	run = connecting_run(rules, "pipe-survivor", NULL);
	check_untouched(run, "ECONNREFUSED\nno signal\n");
	text = read_file(path, &len);
	assert_non_null(text);
	assert_int_equal(count_lines(text, "{\"event\":\"retry\",\"rule\":\"it\""), 1);
	assert_contains(text, "\"attempt\":2,\"of\":2,\"cause\":\"ECONNREFUSED\","
			      "\"reason\":\"attempts\",\"elapsed_ms\":");
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nonblocking_returns_at_once),
		cmocka_unit_test(a_sandbox_is_obeyed),
		cmocka_unit_test(datagrams_are_left_alone),
		cmocka_unit_test(a_connected_socket_is_left_alone),
		cmocka_unit_test(a_send_timeout_is_no_failure),
		cmocka_unit_test(bad_arguments_get_the_kernels_answer),
		cmocka_unit_test(bad_pointers_get_the_kernels_answer),
		cmocka_unit_test(one_that_is_reused_before_the_attempt_is_left_alone),
		cmocka_unit_test(other_calls_rules_do_not_count),
		cmocka_unit_test(no_line_goes_to_a_foreign_stderr),
		cmocka_unit_test(a_closed_stderr_is_no_log),
		cmocka_unit_test(a_deaf_stderr_raises_no_signal),
		cmocka_unit_test(log_file_in_json),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
