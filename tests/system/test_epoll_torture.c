/*
 * What an event loop sees of many connects that are retried under it is what it would see of a
 * kernel where they were only slow: event for event, socket for socket.
 */
#include "harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char rules[] = "[policy default]\nbase = 10ms\nbackoff = constant\njitter = none\n"
			    "quota = none\nmax_attempts = 5000\n"
			    "[rule it]\ncall = connect\nerror = refused\n";

static struct child *start(enum run_under under, const char *seed, const char *threads)
{
	const char *const argv[] = { helper_path("epoll-torture"),
				     under == RUN_SHIM ? "late" : "slow", seed, threads, NULL };

	return child_start(&(struct program){
		.argv = argv,
		.under = under,
		.rules = rules_file(rules),
	});
}

/* It does not know epoll_pwait2(), and is too slow for outputs to be compared: what it is for is to
 * see every access to memory. */
static void check_under_valgrind(const char *threads)
{
	const char *const argv[] = { "valgrind",
				     "-q",
				     "--error-exitcode=9",
				     "--fair-sched=yes",
				     helper_path("epoll-torture"),
				     "late",
				     "1",
				     threads,
				     "2",
				     NULL };
	struct run run = run_program(&(struct program){
		.argv = argv,
		.under = RUN_SHIM,
		.rules = rules_file(rules),
		.timeout_ms = 60000,
	});

	assert_exit(run, 0);
	run_free(&run);
}

static void check(const char *threads)
{
	static const char *const seeds[] = { "1", "20" };
	struct child *slow[2], *late[2];

	if (getenv("RS_VALGRIND")) {
		check_under_valgrind(threads);
		return;
	}
	for (int i = 0; i < 2; i++) {
		slow[i] = start(RUN_BARE, seeds[i], threads);
		late[i] = start(RUN_SHIM, seeds[i], threads);
	}
	for (int i = 0; i < 2; i++) {
		struct run wanted = child_finish(slow[i]), run = child_finish(late[i]);

		assert_exit(wanted, 0);
		assert_exit(run, 0);
		assert_contains(wanted.out, "event4 error0");
		assert_output(run, wanted.out);
		run_free(&wanted);
		run_free(&run);
	}
}

static void one_thread_waits(void **state)
{
	(void)state;
	check("1");
}

static void three_threads_wait(void **state)
{
	(void)state;
	check("3");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_thread_waits),
		cmocka_unit_test(three_threads_wait),
	};

	/* The programs have a sanitizer's runtime in them. If it came before the library it would
	 * stand between them and our hooks, and not see what keeps our threads apart. */
	(void)unsetenv("RS_PRELOAD_FIRST");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
