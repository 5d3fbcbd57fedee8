/*
 * Name look-ups under the shim. What they end with is scripted by a library below it.
 */
#include "looking_up.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define QUICK "[policy default]\nbase = 2ms\njitter = none\nquota = none\n"
#define RULE  "[rule it]\ncall = resolve\nerror = EAI_AGAIN\n"

static const char three[] = QUICK "max_attempts = 3\n" RULE;
static const char hour[] = "[policy default]\nbase = 1h\ncap = none\njitter = none\n"
			   "max_elapsed = none\n" RULE;
static const char everything[] = QUICK "max_attempts = 3\n[rule it]\nerror = any, EAI_NONAME, "
				       "EAI_SYSTEM, EAI_FAIL, EAI_AGAIN\n";

static void check(const char *function, const char *lookups, const char *output, int retries)
{
	struct run run = look_up(rules_file(three), lookups, function, "1");

	assert_output(run, output);
	assert_int_equal(count_lines(run.err, "event=retry"), retries);
	run_free(&run);
}

static void found_after_retries(void **state)
{
	struct run run = look_up(rules_file(three), "EAI_AGAIN:2", "getaddrinfo", "1");

	(void)state;
	assert_output(run, "found\n");
	assert_contains(run.err, "event=retry rule=it call=resolve target=service.test:80 "
				 "attempt=1 of=3 cause=EAI_AGAIN wait_ms=2\n");
	assert_contains(run.err, "event=recovered rule=it call=resolve target=service.test:80 "
				 "attempts=3 elapsed_ms=");
	run_free(&run);
}

static void given_up_with_the_real_error(void **state)
{
	struct run run = look_up(rules_file(three), "EAI_AGAIN:9", "getaddrinfo", "1");

	(void)state;
	assert_output(run, "Temporary failure in name resolution\n");
	assert_contains(run.err, "attempt=3 of=3 cause=EAI_AGAIN reason=attempts");
	run_free(&run);
}

static void every_function(void **state)
{
	(void)state;
	check("gethostbyname", "EAI_AGAIN:2", "found\n", 2);
	check("gethostbyname2", "EAI_AGAIN:2", "found\n", 2);
	check("gethostbyname2_r", "EAI_AGAIN:2", "found\n", 2);
	check("gethostbyname", "EAI_AGAIN:9", "Host name lookup failure\n", 2);
	check("gethostbyname2_r", "EAI_AGAIN:9", "Host name lookup failure\n", 2);
}

/* A buffer that is too small is the program's to grow: no wait comes before its answer. */
static void a_small_buffer_is_no_failure(void **state)
{
	struct run run = look_up(rules_file(everything), "EAI_AGAIN:2", "gethostbyname_r", "1");

	(void)state;
	assert_output(run, "ERANGE\nfound\n");
	assert_int_equal(count_lines(run.err, "event=retry"), 2);
	run_free(&run);
}

/* As after a look-up that has succeeded at once. */
static void a_success_tells_of_no_error(void **state)
{
	(void)state;
	check("kept", "EAI_AGAIN:0", "found 43 42 44\n", 0);
	check("kept", "EAI_AGAIN:2", "found 43 42 44\n", 2);
}

static void other_errors_are_left_alone(void **state)
{
	(void)state;
	check("getaddrinfo", "EAI_NONAME:1", "Name or service not known\n", 0);
	check("gethostbyname", "EAI_NONAME:1", "Unknown host\n", 0);
	check("gethostbyname", "EAI_FAIL:1", "Unknown server error\n", 0);
	check("getaddrinfo", "EAI_SYSTEM:1", "EAI_SYSTEM ECONNREFUSED\n", 0);
}

static void the_errno_behind_it_counts(void **state)
{
	static const char rules[] = QUICK "[rule it]\nerror = refused\n";
	struct run run = look_up(rules_file(rules), "EAI_SYSTEM:1", "getaddrinfo", "1");

	(void)state;
	assert_output(run, "found\n");
	assert_contains(run.err, "cause=EAI_SYSTEM/ECONNREFUSED");
	run_free(&run);
}

static void digits_are_not_looked_up(void **state)
{
	struct run run = look_up(rules_file(everything), "EAI_NONAME:1", "numeric", "1");

	(void)state;
	assert_output(run, "Name or service not known\n");
	assert_string_equal(run.err, "");
	run_free(&run);
	run = look_up(rules_file(everything), "EAI_NONAME:1", "digits", "1");
	assert_output(run, "Name or service not known\n");
	assert_string_equal(run.err, "");
	run_free(&run);
}

static struct run after_a_signal(const char *function)
{
	struct child *child = start_look_up(rules_file(hour), "EAI_AGAIN:9", function, "1");
	struct run run;

	assert_true(child_wait_output(child, "event=retry"));
	kill(child_pid(child), SIGUSR1);
	run = child_finish(child);
	assert_exit(run, 0);
	return run;
}

static void a_handled_signal_ends_the_wait(void **state)
{
	struct run run = after_a_signal("interrupted");

	(void)state;
	assert_output(run, "Temporary failure in name resolution\n");
	assert_contains(run.err, "reason=cancelled");
	run_free(&run);
}

static void a_waiting_thread_can_be_cancelled(void **state)
{
	struct run run = after_a_signal("cancelled");

	(void)state;
	assert_output(run, "cancelled\n");
	run_free(&run);
}

/* Debian's libcurl looks names up in a thread of its own. Retries are those of the transfer. */
static void curl_is_not_retried_twice(void **state)
{
	static const char rules[] =
		QUICK "max_attempts = 3\n[rule it]\nerror = dns, EAI_AGAIN, refused\n";
	const char *const argv[] = { "curl", "-sS", "http://service.test:1/", NULL };
	struct program program = looking_up(rules_file(rules), "EAI_AGAIN:99", argv);
	struct run run = run_program(&program);

	(void)state;
	assert_exit(run, 6);
	assert_int_equal(count_lines(run.err, "call=curl"), 3);
	assert_int_equal(count_lines(run.err, "call=resolve"), 0);
	run_free(&run);
}

static void a_timed_out_transfer_is_not_kept_alive(void **state)
{
	const char *const argv[] = { "curl", "-sS", "-m", "1", "http://service.test:1/", NULL };
	struct program program = looking_up(rules_file(hour), "EAI_AGAIN:99", argv);
	struct run run = run_program(&program);

	(void)state;
	assert_exit(run, 6);
	assert_int_equal(count_lines(run.err, "event="), 0);
	assert_true(run.elapsed_ns < 5000000000);
	run_free(&run);
}

/* As shipped: a server that cannot answer right now is asked again, a name that is none is not. */
static void the_built_in_rules(void **state)
{
	struct run run = look_up(NULL, "EAI_AGAIN:1", "getaddrinfo", "1");

	(void)state;
	assert_output(run, "found\n");
	run_free(&run);
	run = look_up(NULL, "EAI_NONAME:1", "getaddrinfo", "1");
	assert_output(run, "Name or service not known\n");
	run_free(&run);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(found_after_retries),
		cmocka_unit_test(given_up_with_the_real_error),
		cmocka_unit_test(every_function),
		cmocka_unit_test(a_small_buffer_is_no_failure),
		cmocka_unit_test(a_success_tells_of_no_error),
		cmocka_unit_test(other_errors_are_left_alone),
		cmocka_unit_test(the_errno_behind_it_counts),
		cmocka_unit_test(digits_are_not_looked_up),
		cmocka_unit_test(a_handled_signal_ends_the_wait),
		cmocka_unit_test(a_waiting_thread_can_be_cancelled),
		cmocka_unit_test(curl_is_not_retried_twice),
		cmocka_unit_test(a_timed_out_transfer_is_not_kept_alive),
		cmocka_unit_test(the_built_in_rules),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
