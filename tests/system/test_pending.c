/*
 * Non-blocking connects under the shim: to the program, a retried one looks like a slow one.
 */
#include "harness.h"
#include "server.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define INFO  "[retryshim]\nlog_level = info\n"
#define QUICK "[policy default]\nbase = 2ms\nbackoff = constant\njitter = none\nquota = none\n"
#define RULE  "\n[rule it]\ncall = connect\nerror = refused\n"

static const char patient[] = INFO QUICK "max_attempts = 5000" RULE;
static const char patient_program[] =
	INFO QUICK "max_attempts = 5000" RULE "program = pending-case\n";
static const char few[] = INFO QUICK "max_attempts = 3" RULE;
static const char hour[] =
	INFO "[policy default]\nbase = 1h\ncap = none\njitter = none\nmax_elapsed = none" RULE;
static const char slow[] = INFO "[policy default]\nbase = 200ms\njitter = none" RULE;
static const char steady[] = INFO
	"[policy default]\nbase = 100ms\nbackoff = constant\njitter = none\nmax_attempts = 4" RULE;
static const char nothing[] = INFO QUICK "[rule it]\ncall = connect\nerror = ENOENT\n";
static const char once[] = INFO QUICK "max_attempts = 1" RULE;
static const char permanent[] = INFO QUICK RULE "class = permanent\n";
static const char observed[] = INFO "mode = observe\n" QUICK "max_attempts = 3" RULE;
static const char elsewhere[] = INFO QUICK "[rule it]\ncall = connect\nport = 2\nerror = refused\n";

static struct child *start_in(const char *const *env, enum run_under under, const char *rules,
			      const char *name, const struct server *server)
{
	char port[8];
	const char *const argv[] = { helper_path("pending-case"), name, port, NULL };
	struct program program = {
		.argv = argv, .under = under, .rules = rules ? rules_file(rules) : NULL, .env = env
	};

	(void)snprintf(port, sizeof(port), "%u", server_port(server));
	return child_start(&program);
}

static struct child *start(enum run_under under, const char *rules, const char *name,
			   const struct server *server)
{
	return start_in(NULL, under, rules, name, server);
}

static struct run finish(struct child *child, struct server *server)
{
	struct run run = child_finish(child);

	server_stop(server);
	assert_exit(run, 0);
	return run;
}

/* Bare, against a port that is open already. */
static struct run run_open(const char *name)
{
	static const struct reply script[] = { { .status = 200 } };
	struct server *server = server_start(script, 1);

	return finish(start(RUN_BARE, NULL, name, server), server);
}

static struct run run_closed(enum run_under under, const char *rules, const char *name)
{
	struct server *server = server_start_refusing();

	return finish(start(under, rules, name, server), server);
}

/* Under the shim, against one that opens once it has been seen closed. */
static struct run run_late_by(const char *rules, const char *name)
{
	struct server *server = server_start_refusing();
	struct child *child = start(RUN_SHIM, rules, name, server);

	assert_true(child_wait_output(child, "attempt=3 "));
	server_open(server);
	return finish(child, server);
}

static struct run run_late(const char *name)
{
	return run_late_by(patient, name);
}

static const char *const waits[] = {
	"poll",         "poll-for-all",   "ppoll",        "poll-chk",
	"ppoll-chk",    "select",         "pselect",      "level",
	"edge",         "one-shot",       "epoll-pwait",  "epoll-pwait2",
	"changed",      "threads",        "ask-error",    "told-by-connect",
	"forked",       "forked-at-once", "bound",        "told-by-read",
	"told-by-recv", "told-by-write",  "told-by-send", "poll-among",
	"select-large", "options",        "defaults",     "number-twice",
	"in-a-set",     "in-a-poll",      "in-a-select",
};
#define WAITS (sizeof(waits) / sizeof(waits[0]))
#define TIMES 12

static void check_same(const char *name, struct run wrapped, struct run bare)
{
	if (strcmp(wrapped.out, bare.out) != 0)
		print_error("%s\n", name);
	assert_output(wrapped, bare.out);
	run_free(&bare);
	run_free(&wrapped);
}

static void success_looks_like_a_first_one(void **state)
{
	(void)state;
	for (size_t i = 0; i < WAITS; i++) {
		struct run wrapped = run_late(waits[i]);

		assert_int_equal(count_lines(wrapped.err, "event=recovered"), 1);
		check_same(waits[i], wrapped, run_open(waits[i]));
	}
}

/* To /proc a process is its first thread. */
static void the_first_thread_may_have_ended(void **state)
{
	(void)state;
	check_same("left-alone", run_late_by(patient_program, "left-alone"),
		   run_open("left-alone"));
}

#define PRELOAD 512

/* Below the library under test. */
static void with_plugin(char preload[PRELOAD], const char *plugin)
{
	(void)snprintf(preload, PRELOAD, "LD_PRELOAD=%s:%s", library_path(), helper_path(plugin));
}

/* One of two threads has been told of a failure and does not get round to it, while the other one
 * retries. Whoever is told of the success: somebody has to be. */
static void a_slow_thread_loses_nothing(void **state)
{
	char preload[PRELOAD];
	const char *const env[] = { preload, NULL };
	struct server *servers[TIMES];
	struct child *children[TIMES];

	(void)state;
	with_plugin(preload, "plugin-tardy.so");
	for (int i = 0; i < TIMES; i++) {
		servers[i] = server_start_refusing();
		children[i] = start_in(env, RUN_SHIM, patient, "threads", servers[i]);
	}
	for (int i = 0; i < TIMES; i++) {
		struct run run;

		assert_true(child_wait_output(children[i], "attempt=3 "));
		server_open(servers[i]);
		run = finish(children[i], servers[i]);
		assert_output(run, "1 told, 0 more\nconnected, SO_ERROR 0, then 0, sent 1\n");
		run_free(&run);
	}
}

/* Signals that the program ignores end none of its waits, though they were held back. */
static void what_is_ignored_goes_by_unnoticed(void **state)
{
	static const char *const names[] = { "poll", "select", "level" };
	char preload[PRELOAD];
	const char *const env[] = { preload, NULL };

	(void)state;
	with_plugin(preload, "plugin-signals.so");
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct server *server = server_start_refusing();
		struct child *child = start_in(env, RUN_SHIM, patient, names[i], server);

		assert_true(child_wait_output(child, "attempt=3 "));
		server_open(server);
		check_same(names[i], finish(child, server), run_open(names[i]));
	}
}

static void failure_looks_like_a_first_one(void **state)
{
	(void)state;
	for (size_t i = 0; i < WAITS; i++) {
		struct run wrapped = run_closed(RUN_SHIM, few, waits[i]);

		assert_int_equal(count_lines(wrapped.err, "event=retry"), 2);
		assert_int_equal(count_lines(wrapped.err, "reason=attempts"), 1);
		check_same(waits[i], wrapped, run_closed(RUN_BARE, NULL, waits[i]));
	}
}

/* What was done meanwhile is not to be seen there, either. */
static void errno_stays_what_it_was(void **state)
{
	(void)state;
	check_same("errno", run_closed(RUN_SHIM, few, "errno"),
		   run_closed(RUN_BARE, NULL, "errno"));
}

/* Whoever makes the next attempt, it is the other one's too. */
static void two_processes_that_wait_connect_once(void **state)
{
	(void)state;
	for (int i = 0; i < TIMES; i++)
		check_same("forked-both", run_late("forked-both"), run_open("forked-both"));
}

/* Why, the kernel tells one of them, as ever. */
static void two_processes_that_wait_see_it_fail(void **state)
{
	(void)state;
	for (int i = 0; i < TIMES; i++) {
		struct run run = run_closed(RUN_SHIM, few, "forked-both");

		assert_int_equal(count_lines(run.out, "not connected"), 2);
		assert_contains(run.out, "SO_ERROR ECONNREFUSED");
		run_free(&run);
	}
}

static void what_no_rule_names_is_left_alone(void **state)
{
	(void)state;
	for (size_t i = 0; i < WAITS; i++) {
		struct run bare = run_closed(RUN_BARE, NULL, waits[i]);
		struct run wrapped = run_closed(RUN_SHIM, nothing, waits[i]);

		assert_string_equal(wrapped.err, "");
		assert_output(wrapped, bare.out);
		run_free(&wrapped);
		check_same(waits[i], run_closed(RUN_SHIM, elsewhere, waits[i]), bare);
	}
}

/* … and so, but for the log, is what one names that is not tried again. */
static void what_is_not_retried_is_told_once(void **state)
{
	static const char *const rules[] = { once, permanent, observed };

	(void)state;
	for (size_t i = 0; i < WAITS; i++) {
		struct run bare = run_closed(RUN_BARE, NULL, waits[i]);

		for (size_t j = 0; j < sizeof(rules) / sizeof(rules[0]); j++) {
			struct run wrapped = run_closed(RUN_SHIM, rules[j], waits[i]);

			assert_int_equal(count_lines(wrapped.err, "event="), 1);
			assert_output(wrapped, bare.out);
			run_free(&wrapped);
		}
		run_free(&bare);
	}
}

/* Which is answered after the retries, be it in time or not. */
static void a_second_connect_waits(void **state)
{
	struct run run = run_late("ask-connect");

	(void)state;
	assert_int_equal(count_lines(run.out, "connected, SO_ERROR 0, then 0, sent 1"), 1);
	run_free(&run);
	run = run_closed(RUN_SHIM, few, "ask-connect");
	assert_contains(run.out, "-1 ECONNREFUSED\nnot connected, SO_ERROR 0,");
	run_free(&run);
}

/* To who is told so by connect() the next one is an attempt again, also where a fault was the error
 * and the kernel knows of none. */
static void a_third_connect_begins_anew(void **state)
{
	static const char fault[] = "[fault it]\ncall = connect\nerror = ECONNREFUSED\n";
	static const char *const rules[] = { few, observed, fault };

	(void)state;
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
		check_same("tried-anew", run_closed(RUN_SHIM, rules[i], "tried-anew"),
			   run_closed(RUN_BARE, NULL, "tried-anew"));
}

static void many_at_once(void **state)
{
	struct run run = run_late("many");

	(void)state;
	assert_output(run, "0 wrong\n");
	assert_int_equal(count_lines(run.err, "event=recovered"), 700);
	run_free(&run);
}

static void timeouts_are_the_programs(void **state)
{
	struct run run = run_closed(RUN_SHIM, patient, "timeouts");

	(void)state;
	assert_output(run, "poll 0 in time\nppoll 0 in time\nselect 0 in time\n"
			   "epoll_wait 0 in time\nepoll_pwait2 0 in time\nat once 0 0\n");
	assert_true(count_lines(run.err, "event=retry") > 100);
	run_free(&run);
}

static void invalid_timeouts_are_refused(void **state)
{
	(void)state;
	check_same("invalid-timeouts", run_closed(RUN_SHIM, patient, "invalid-timeouts"),
		   run_closed(RUN_BARE, NULL, "invalid-timeouts"));
}

/* Also between two attempts. */
static void bad_pointers_get_the_kernels_answer(void **state)
{
	(void)state;
	check_same("bad-pointers", run_closed(RUN_SHIM, slow, "bad-pointers"),
		   run_closed(RUN_BARE, NULL, "bad-pointers"));
}

static void a_reused_descriptor_is_left_alone(void **state)
{
	struct run run = run_closed(RUN_SHIM, patient, "reused");

	(void)state;
	assert_output(run, "0\n1: 0x1\ny\n");
	run_free(&run);
}

/* Which it may be without the library's knowing. */
static void one_that_was_reused_unseen_is_reported(void **state)
{
	struct run run = run_closed(RUN_SHIM, patient, "reused-unseen");

	(void)state;
	assert_output(run, "1: 1\n1: 0x1\n");
	run_free(&run);
}

/* … and then be one that connects, like any other. */
static void one_that_was_reused_at_once_is_retried(void **state)
{
	char preload[PRELOAD];
	const char *const env[] = { preload, NULL };
	struct server *server = server_start_refusing();
	struct run run;

	(void)state;
	with_plugin(preload, "plugin-reuses.so");
	run = finish(start_in(env, RUN_SHIM, steady, "reused-at-once", server), server);
	assert_int_equal(count_lines(run.err, "event=retry"), 1 + 3);
	assert_int_equal(count_lines(run.err, "event=exhausted"), 1);
	run_free(&run);
}

static void the_program_may_give_up(void **state)
{
	(void)state;
	check_same("given-up", run_closed(RUN_SHIM, patient, "given-up"),
		   run_closed(RUN_BARE, NULL, "given-up"));
}

/* One that ends programs for system calls that are not their own. */
static void a_sandbox_is_obeyed(void **state)
{
	static const struct reply script[] = { { .status = 200 }, { .status = 200 } };
	struct server *server;
	struct run run;

	(void)state;
	needs_no_emulator();
	server = server_start(script, 2);
	run = finish(start(RUN_SHIM, patient, "sandboxed", server), server);
	assert_output(run, "1: 0x4\nconnected, SO_ERROR 0, then 0, sent 1\n"
			   "1: 0x4\nconnected, SO_ERROR 0, then 0, sent 1\n");
	run_free(&run);
}

/* For which nobody can be made to wait longer. */
static void who_is_sent_signals_is_told_at_once(void **state)
{
	struct run run = run_closed(RUN_SHIM, hour, "signalled");

	(void)state;
	assert_string_equal(run.err, "");
	check_same("signalled", run, run_closed(RUN_BARE, NULL, "signalled"));
}

/* With an errno of its own attempts, and not of one that cannot be made any more. */
static void the_program_may_shut_it_down(void **state)
{
	struct run run = run_closed(RUN_SHIM, slow, "shut-down");

	(void)state;
	assert_contains(run.err, "attempt=1 of=4 cause=ECONNREFUSED reason=cancelled ");
	check_same("shut-down", run, run_closed(RUN_BARE, NULL, "shut-down"));
}

/* The case has done what must not end the connect; then the port opens. */
static void kept_in(const char *const *env, const char *name, const char *output)
{
	struct server *server = server_start_refusing();
	struct child *child = start_in(env, RUN_SHIM, patient, name, server);
	struct run run;

	assert_true(child_wait_output(child, "kept\n"));
	server_open(server);
	run = finish(child, server);
	assert_output(run, output);
	assert_int_equal(count_lines(run.err, "event=recovered"), 1);
	run_free(&run);
}

static void kept(const char *name, const char *output)
{
	kept_in(NULL, name, output);
}

#define CONNECTED "1: 0x4\nconnected, SO_ERROR 0, then 0, sent 1\n"

static void a_child_that_closes_it_ends_nothing(void **state)
{
	(void)state;
	kept("vfork-closes", CONNECTED);
	kept("vfork-replaces", CONNECTED);
	kept("fork-closes", "0, " CONNECTED);
}

static void a_dup_that_fails_ends_nothing(void **state)
{
	(void)state;
	kept("dup-fails", "-1 EBADF, -1 EINVAL, -1 EINVAL, itself\n" CONNECTED);
}

static void a_set_that_cannot_be_read(const char *rules, const char *name)
{
	struct run run = run_closed(RUN_SHIM, rules, name);

	assert_output(run, "1: 0x1c, not connected, SO_ERROR ECONNREFUSED, then 0, sent -1\n");
	assert_int_equal(count_lines(run.err, "reason=cancelled"), 1);
	run_free(&run);
}

/* It cannot be kept quiet, so the program is told, and does not wait when it asks … */
static void an_event_loop_never_waits_for_an_answer(void **state)
{
	(void)state;
	a_set_that_cannot_be_read(hour, "unread");
}

/* … and is not left without an answer where the set was quiet already. */
static void a_quiet_set_is_woken_again(void **state)
{
	(void)state;
	a_set_that_cannot_be_read(slow, "unread-later");
}

/* What is hidden is one descriptor's, and not its namesake's. */
static void two_may_have_the_same_data(void **state)
{
	struct run run = run_closed(RUN_SHIM, hour, "namesakes");

	(void)state;
	assert_output(run, "0, 1: 0x11, 1: 0x11, 1: 0x11\n0, 1: 0x11, 0: 0, 0: 0\n");
	run_free(&run);
}

/* Of sets that the program has no more it need not be known that they held it. */
static void sets_may_follow_one_another(void **state)
{
	struct run run = run_closed(RUN_SHIM, steady, "set-by-set");

	(void)state;
	assert_contains(run.err, "attempt=4 of=4 cause=ECONNREFUSED reason=attempts ");
	check_same("set-by-set", run, run_closed(RUN_BARE, NULL, "set-by-set"));
}

/* Its first attempt fails at once. */
static struct run run_nowhere(const char *name)
{
	const char *few_times = rules_file("[policy default]\nmax_attempts = 3\nbase = 10ms\n"
					   "[rule it]\ncall = connect\nerror = ENOENT\n");

	return run_words(RUN_SHIM, few_times, helper_path("pending-case"), name, "1");
}

/* It waits for its next attempt then, of which an edge-triggered set says nothing. */
static void a_set_may_have_reported_before(void **state)
{
	struct run run = run_nowhere("reported-before");

	(void)state;
	assert_contains(run.out, "1: not connected, SO_ERROR ENOENT");
	assert_contains(run.err, "attempt=3 of=3 cause=ENOENT reason=attempts ");
	run_free(&run);
}

/* One that has not been added to a set is not found there, not even for a moment. */
static void a_set_is_only_looked_at(void **state)
{
	struct run run = run_nowhere("elsewhere");

	(void)state;
	assert_output(run, "found 0 times\n");
	run_free(&run);
}

/* To read the set for every attempt of each would be 600 times 20 KiB. */
static void a_set_is_read_for_all_at_once(void **state)
{
	struct run run = run_closed(RUN_SHIM, few, "many-in-a-set");
	unsigned long read_kib;

	(void)state;
	assert_int_equal(count_lines(run.err, "event=retry"), 600);
	assert_int_equal(count_lines(run.out, "300 told, "), 1);
	read_kib = strtoul(run.out + strlen("300 told, "), NULL, 10);
	assert_in_range(read_kib, 0, 3000);
	run_free(&run);
}

static void after_a_signal(const char *name, const char *output)
{
	struct server *server = server_start_refusing();
	struct child *child = start(RUN_SHIM, hour, name, server);
	struct run run;

	assert_true(child_wait_output(child, "event=retry"));
	kill(child_pid(child), SIGUSR1);
	run = finish(child, server);
	assert_output(run, output);
	run_free(&run);
}

static void a_signal_ends_the_programs_wait(void **state)
{
	(void)state;
	after_a_signal("interrupted", "-1 EINTR\n");
}

static void a_signal_ends_the_wait_for_an_answer(void **state)
{
	(void)state;
	after_a_signal("interrupted-asking",
		       "not connected, SO_ERROR ECONNREFUSED, then 0, sent -1\n");
}

static void a_handler_may_leave_by_siglongjmp(void **state)
{
	(void)state;
	after_a_signal("longjmp-out", "left, mask kept, 1\n0\n");
}

static void a_waiting_thread_can_be_cancelled(void **state)
{
	(void)state;
	after_a_signal("cancelled", "cancelled\n0\n");
}

/* … nor does it hold on to anything when that comes in the middle of an attempt … */
static void one_that_is_cancelled_at_work_leaves_it_to_others(void **state)
{
	char preload[PRELOAD];
	const char *const env[] = { preload, NULL };

	(void)state;
	with_plugin(preload, "plugin-cancels.so");
	kept_in(env, "cancelled-at-work", "cancelled\n" CONNECTED);
}

/* … and its cleanup handlers have its signals. */
static void one_that_was_cancelled_before_has_its_mask(void **state)
{
	struct run run = run_closed(RUN_SHIM, hour, "cancelled-before");

	(void)state;
	assert_int_equal(count_lines(run.out, "mask kept, cancelled"), 5);
	run_free(&run);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(success_looks_like_a_first_one),
		cmocka_unit_test(the_first_thread_may_have_ended),
		cmocka_unit_test(a_slow_thread_loses_nothing),
		cmocka_unit_test(what_is_ignored_goes_by_unnoticed),
		cmocka_unit_test(failure_looks_like_a_first_one),
		cmocka_unit_test(errno_stays_what_it_was),
		cmocka_unit_test(two_processes_that_wait_connect_once),
		cmocka_unit_test(two_processes_that_wait_see_it_fail),
		cmocka_unit_test(what_no_rule_names_is_left_alone),
		cmocka_unit_test(what_is_not_retried_is_told_once),
		cmocka_unit_test(a_second_connect_waits),
		cmocka_unit_test(a_third_connect_begins_anew),
		cmocka_unit_test(many_at_once),
		cmocka_unit_test(timeouts_are_the_programs),
		cmocka_unit_test(invalid_timeouts_are_refused),
		cmocka_unit_test(bad_pointers_get_the_kernels_answer),
		cmocka_unit_test(a_reused_descriptor_is_left_alone),
		cmocka_unit_test(one_that_was_reused_unseen_is_reported),
		cmocka_unit_test(one_that_was_reused_at_once_is_retried),
		cmocka_unit_test(the_program_may_give_up),
		cmocka_unit_test(the_program_may_shut_it_down),
		cmocka_unit_test(a_sandbox_is_obeyed),
		cmocka_unit_test(who_is_sent_signals_is_told_at_once),
		cmocka_unit_test(a_child_that_closes_it_ends_nothing),
		cmocka_unit_test(a_dup_that_fails_ends_nothing),
		cmocka_unit_test(an_event_loop_never_waits_for_an_answer),
		cmocka_unit_test(a_quiet_set_is_woken_again),
		cmocka_unit_test(two_may_have_the_same_data),
		cmocka_unit_test(a_set_may_have_reported_before),
		cmocka_unit_test(sets_may_follow_one_another),
		cmocka_unit_test(a_set_is_only_looked_at),
		cmocka_unit_test(a_set_is_read_for_all_at_once),
		cmocka_unit_test(a_signal_ends_the_programs_wait),
		cmocka_unit_test(a_signal_ends_the_wait_for_an_answer),
		cmocka_unit_test(a_handler_may_leave_by_siglongjmp),
		cmocka_unit_test(a_waiting_thread_can_be_cancelled),
		cmocka_unit_test(one_that_is_cancelled_at_work_leaves_it_to_others),
		cmocka_unit_test(one_that_was_cancelled_before_has_its_mask),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
