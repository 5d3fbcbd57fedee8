/*
 * Commands of rules for non-blocking connects: they run beside the program's loop, which goes on
 * all the while.
 */
#include "harness.h"
#include "looping.h"
#include "server.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool wait_for_file(const char *path)
{
	char *bytes = NULL;
	size_t len = 0;

	for (int i = 0; i < 1000 && len == 0; i++) {
		free(bytes);
		bytes = read_file(path, &len);
		if (!bytes || len == 0)
			usleep(5000);
	}
	free(bytes);
	return len > 0;
}

/* A service that is started by its first client. */
static void a_recover_command_runs_beside_the_loop(void **state)
{
	struct server *server[WAYS];
	struct child *child[WAYS];
	char name[32], command[512];

	(void)state;
	for (size_t i = 0; i < WAYS; i++) {
		const char *began;

		(void)snprintf(name, sizeof(name), "began-%zu", i);
		began = temp_path(name);
		(void)snprintf(command, sizeof(command),
			       "recover = sh -c 'echo $RETRYSHIM_ERROR $RETRYSHIM_ATTEMPT >%s; "
			       "sleep 0.6'",
			       began);
		server[i] = server_start_refusing();
		child[i] = looped_start(
			&(struct looped){
				looped_ways[i],
				looped_rules("", looped_rule("class = recoverable", command)),
				.under = RUN_SHIM },
			server[i]);
		assert_true(wait_for_file(began));
		server_open(server[i]);
	}
	for (size_t i = 0; i < WAYS; i++) {
		struct run run = child_finish(child[i]);

		assert_contains(run.err, "event=recover rule=it call=connect target=127.0.0.1:");
		assert_contains(run.err, "attempt=1 of=4 cause=ECONNREFUSED");
		assert_contains(run.err, "result=ok run_ms=");
		assert_contains(run.err, "event=recovered rule=it call=connect");
		assert_true(run.elapsed_ns > 6 * SECOND / 10);
		looped_check_same(run, looped_run_bare(looped_ways[i], server[i]));
		server_stop(server[i]);
	}
}

static void a_followup_command_runs_beside_the_loop(void **state)
{
	static const char command[] = "followup = sh -c 'sleep 0.5; echo looked into "
				      "$RETRYSHIM_ERROR; sleep 0.05; exit 3'";
	struct server *server = server_start_refusing();

	(void)state;
	for (size_t i = 0; i < WAYS; i++) {
		char name[32];
		const char *path;
		struct run run;
		char *report;

		(void)snprintf(name, sizeof(name), "followup-%zu", i);
		path = temp_path(name);
		run = looped_run(
			&(struct looped){ looped_ways[i],
					  looped_rules(looped_report(path),
						       looped_rule("class = followup", command)),
					  .under = RUN_SHIM },
			server);
		assert_true(run.elapsed_ns > SECOND / 2);
		assert_int_equal(count_lines(run.err, "event="), 1);
		assert_contains(run.err, "event=followup rule=it call=connect");
		assert_contains(run.err, "error=\"exit status 3\"");
		looped_check_same(run, looped_run_bare(looped_ways[i], server));
		report = looped_report_of(path);
		assert_int_equal(count_lines(report, "{"), 1);
		assert_contains(report, "\"reason\":\"followup\","
					"\"output\":\"looked into ECONNREFUSED\\n\"}");
		free(report);
	}
	server_stop(server);
}

static void a_failed_recovery_is_final(void **state)
{
	struct server *server = server_start_refusing();
	const char *path = temp_path("unmended");
	struct run run =
		looped_run(&(struct looped){ "level",
					     looped_rules(looped_report(path),
							  looped_rule("class = recoverable",
								      "recover = false")),
					     .under = RUN_SHIM },
			   server);
	char *report = looped_report_of(path);

	(void)state;
	assert_contains(run.err, "result=failed error=\"exit status 1\"");
	looped_check_same(run, looped_run_bare("level", server));
	assert_contains(report, "\"reason\":\"recovery\"");
	assert_contains(report, "\"attempts\":[{\"outcome\":\"ECONNREFUSED\",\"wait_ms\":0}]");
	free(report);
	server_stop(server);
}

static bool is_there(const char *pid_file)
{
	char *digits = looped_report_of(pid_file);
	pid_t pid = (pid_t)strtol(digits, NULL, 10);

	free(digits);
	return kill(pid, 0) == 0 || errno != ESRCH;
}

static bool is_gone_soon(const char *pid_file)
{
	for (int i = 0; i < 400 && is_there(pid_file); i++)
		usleep(5000);
	return !is_there(pid_file);
}

static const char *long_command(const char *pid_file)
{
	static char command[512];

	(void)snprintf(command, sizeof(command), "recover = sh -c 'echo $$ >%s; exec sleep 30'",
		       pid_file);
	return looped_rule("class = recoverable", command);
}

static void hook_timeout_ends_a_command(void **state)
{
	struct server *server = server_start_refusing();
	const char *pid_file = temp_path("timeout-pid");
	struct run run = looped_run(
		&(struct looped){ "edge",
				  looped_rules("hook_timeout = 300ms", long_command(pid_file)),
				  .under = RUN_SHIM },
		server);

	(void)state;
	assert_contains(run.err, "error=\"ran into hook_timeout\"");
	assert_true(run.elapsed_ns > 3 * SECOND / 10 && run.elapsed_ns < 5 * SECOND);
	looped_check_same(run, looped_run_bare("edge", server));
	assert_true(is_gone_soon(pid_file));
	server_stop(server);
}

/* It closes the socket: the command is ended while the program goes on. */
static void a_command_ends_with_its_connect(void **state)
{
	struct server *server = server_start_refusing();
	const char *pid_file = temp_path("given-up-pid");
	const char *path = temp_path("given-up");
	char settings[256];
	struct child *child;
	struct run run;
	char *report;

	(void)state;
	(void)snprintf(settings, sizeof(settings), "report = %s", path);
	child = looped_start(&(struct looped){ "give-up",
					       looped_rules(settings, long_command(pid_file)),
					       .under = RUN_SHIM },
			     server);
	assert_true(child_wait_output(child, "reason=cancelled"));
	assert_true(is_gone_soon(pid_file));
	kill(child_pid(child), SIGTERM);
	run = child_finish(child);
	assert_int_equal(run.signal, SIGTERM);
	assert_output(run, "EINPROGRESS 0 given up\n");
	assert_int_equal(count_lines(run.err, "event="), 1);
	report = looped_report_of(path);
	assert_contains(report, "\"reason\":\"cancelled\"");
	free(report);
	run_free(&run);
	server_stop(server);
}

static void one_command_serves_all_that_fail_together(void **state)
{
	struct server *server = server_start_refusing();
	const char *runs = temp_path("runs");
	char command[512], port[8];
	const char *const argv[] = { helper_path("pending-case"), "many", port, NULL };
	struct child *child;
	struct run run;
	char *lines;
	size_t len;

	(void)state;
	(void)snprintf(port, sizeof(port), "%u", server_port(server));
	(void)snprintf(command, sizeof(command), "recover = sh -c 'echo run >>%s; sleep 0.5'",
		       runs);
	child = child_start(&(struct program){
		.argv = argv,
		.under = RUN_SHIM,
		.rules = looped_rules("", looped_rule("class = recoverable", command)),
	});
	assert_true(wait_for_file(runs));
	server_open(server);
	run = child_finish(child);
	assert_output(run, "0 wrong\n");
	lines = read_file(runs, &len);
	assert_string_equal(lines, "run\n");
	assert_int_equal(count_lines(run.err, "event=recovered"), 700);
	free(lines);
	run_free(&run);
	server_stop(server);
}

static void who_asks_is_answered_after_the_command(void **state)
{
	struct server *server = server_start_refusing();
	const char *began = temp_path("asked");
	char command[512];
	struct child *child;
	struct run run;

	(void)state;
	(void)snprintf(command, sizeof(command), "recover = sh -c 'echo >%s; sleep 0.3'", began);
	child = looped_start(
		&(struct looped){ "ask",
				  looped_rules("", looped_rule("class = recoverable", command)),
				  .under = RUN_SHIM },
		server);
	assert_true(wait_for_file(began));
	server_open(server);
	run = child_finish(child);
	assert_output(run, "EINPROGRESS 0 connected\n");
	run_free(&run);
	server_stop(server);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_recover_command_runs_beside_the_loop),
		cmocka_unit_test(a_followup_command_runs_beside_the_loop),
		cmocka_unit_test(a_failed_recovery_is_final),
		cmocka_unit_test(hook_timeout_ends_a_command),
		cmocka_unit_test(a_command_ends_with_its_connect),
		cmocka_unit_test(one_command_serves_all_that_fail_together),
		cmocka_unit_test(who_asks_is_answered_after_the_command),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
