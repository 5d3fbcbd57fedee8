/*
 * Non-blocking connects that have connected at their first attempt: they cost no system call, and
 * what becomes of them, or of their descriptors' numbers, later is none of the library's business.
 */
#include "harness.h"
#include "server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char any_error[] = "[retryshim]\nlog_level = info\n"
				"[policy default]\nbase = 2ms\nbackoff = constant\njitter = none\n"
				"quota = none\nmax_attempts = 5000\n"
				"[rule it]\ncall = connect\nerror = any\n";

static struct run run_case(enum run_under under, const char *name)
{
	const char *const argv[] = { helper_path("landed-case"), name, NULL };

	return run_program(
		&(struct program){ .argv = argv, .under = under, .rules = rules_file(any_error) });
}

/* As without the library, and no attempt was made. */
static void check_left_alone(const char *name)
{
	struct run bare = run_case(RUN_BARE, name), wrapped = run_case(RUN_SHIM, name);

	assert_exit(bare, 0);
	assert_exit(wrapped, 0);
	assert_output(wrapped, bare.out);
	assert_lacks(wrapped.err, "event=retry");
	run_free(&bare);
	run_free(&wrapped);
}

static void a_connection_that_is_reset_is_not_made_again(void **state)
{
	(void)state;
	check_left_alone("is-reset");
}

static void a_connection_that_times_out_is_not_made_again(void **state)
{
	(void)state;
	check_left_alone("times-out");
	check_left_alone("times-out-in-poll");
	check_left_alone("times-out-unseen");
}

static void a_number_that_is_an_accepted_socket_s_is_left_alone(void **state)
{
	(void)state;
	check_left_alone("accepted-instead");
}

static void a_number_that_connects_elsewhere_is_left_alone(void **state)
{
	(void)state;
	check_left_alone("refused-instead");
}

static void places_of_the_connected_are_found_again(void **state)
{
	struct server *server = server_start_refusing();
	char port[8];
	const char *const argv[] = { helper_path("landed-case"), "after-many", port, NULL };
	struct child *child;
	struct run run;

	(void)state;
	(void)snprintf(port, sizeof(port), "%u", server_port(server));
	child = child_start(&(struct program){
		.argv = argv, .under = RUN_SHIM, .rules = rules_file(any_error) });
	assert_true(child_wait_output(child, "attempt=3 "));
	server_open(server);
	run = child_finish(child);
	server_stop(server);
	assert_exit(run, 0);
	assert_output(run, "1: 0x4\nSO_ERROR 0\n");
	run_free(&run);
}

/* ---- what it costs ---- */

static int calls(enum run_under under, const char *count, const char *kind)
{
	char preload[4200];
	char *library = realpath(library_path(), NULL);
	const char *path = temp_path("trace");
	const char *argv[] = {
		"strace", "-f", "-o", path, "-E", preload, helper_path("connect-many"),
		count,    kind, NULL
	};
	struct run run;
	size_t len;
	char *text;
	int made;

	(void)snprintf(preload, sizeof(preload), "LD_PRELOAD=%s", under == RUN_SHIM ? library : "");
	free(library);
	run = run_program(&(struct program){ .argv = argv });
	assert_exit(run, 0);
	run_free(&run);
	text = read_file(path, &len);
	made = count_lines(text, "(");
	free(text);
	return made;
}

static int calls_for_fifty(enum run_under under, const char *kind)
{
	return calls(under, "60", kind) - calls(under, "10", kind);
}

static void success_takes_no_system_call(void **state)
{
	static const char *const kinds[] = { "ok", "begun", "asked", "selected", "epolled" };

	(void)state;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		int bare = calls_for_fifty(RUN_BARE, kinds[i]);
		int wrapped = calls_for_fifty(RUN_SHIM, kinds[i]);

		if (wrapped != bare)
			print_error("%s\n", kinds[i]);
		assert_int_equal(wrapped, bare);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_connection_that_is_reset_is_not_made_again),
		cmocka_unit_test(a_connection_that_times_out_is_not_made_again),
		cmocka_unit_test(a_number_that_is_an_accepted_socket_s_is_left_alone),
		cmocka_unit_test(a_number_that_connects_elsewhere_is_left_alone),
		cmocka_unit_test(places_of_the_connected_are_found_again),
		cmocka_unit_test(success_takes_no_system_call),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
