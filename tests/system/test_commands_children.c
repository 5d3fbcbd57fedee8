/*
 * The processes of recover and followup: what they are given, that nobody notices them, and how
 * they end.
 */
#include "recovering.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NAMES "RULE CALL METHOD URL HOST PORT STATUS ERROR ATTEMPT PROGRAM"

/* The promised variables and no others of ours, the body, no preload, a clean slate of signals. */
static void what_a_command_is_given(void **state)
{
	struct server *server = recovering_serve(1);
	const char *told = temp_path("told");
	char text[2048], url[256];
	struct run run;
	char *given;
	size_t len;

	(void)state;
	(void)snprintf(
		text, sizeof(text),
		"#!/bin/sh\n{ echo \"stdin=$(cat)\"\n"
		"for n in " NAMES "; do eval echo $n=\\$RETRYSHIM_$n; done\n"
		"env | grep -c ^RETRYSHIM_\necho preload=$LD_PRELOAD kept=$KEPT\n"
		"[ \"$RETRYSHIM_ELAPSED_MS\" -ge 0 ] && kill -0 $RETRYSHIM_PID && echo alive\n"
		"ls /proc/self/fd | wc -l\ngrep SigBlk /proc/self/status\n"
		"grep SigIgn /proc/self/status\n} >%s\n",
		told);
	(void)snprintf(url, sizeof(url), "http://me:secret@127.0.0.1:%d/o?secret=1",
		       server_port(server));
	run = run_program(&(struct program){
		.argv = (const char *const[]){ "curl", "-sS", url, NULL },
		.under = RUN_SHIM,
		.rules = recovering_rules("", recovering_rule(recovering_script("tell", text))),
		.env = (const char *const[]){ "KEPT=yes", NULL },
	});
	assert_exit(run, 0);
	given = read_file(told, &len);
	(void)snprintf(text, sizeof(text),
		       "stdin=" DENIED "\nRULE=token\nCALL=curl\nMETHOD=GET\n"
		       "URL=http://127.0.0.1:%d/o\nHOST=127.0.0.1\nPORT=%d\nSTATUS=401\nERROR=\n"
		       "ATTEMPT=1\nPROGRAM=curl\n12\npreload= kept=yes\nalive\n4\n"
		       "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n",
		       server_port(server), server_port(server));
	assert_string_equal(given, text);
	assert_lacks(given, "secret");
	free(given);
	run_free(&run);
	server_stop(server);
}

/* In a bare root there may be no /dev/null. */
static void without_devices(void **state)
{
	struct server *server = recovering_serve(1);
	const char *rules = recovering_rules(
		"",
		recovering_rule(recovering_script("read", "#!/bin/sh\n[ \"$(cat)\" = '" DENIED
							  "' ] && echo set-header X-New: 1\n")));
	struct run run = run_words(RUN_SHIM, rules, "unshare", "-rm", "sh", "-c",
				   "mount -t tmpfs none /dev || exit 99; exec curl -sS \"$0\"",
				   server_url(server, "/o"));
	bool is_allowed = run.status != 99 && strncmp(run.err, "unshare:", 8) != 0;

	(void)state;
	if (is_allowed)
		assert_output(run, "the object\n");
	run_free(&run);
	server_stop(server);
	if (!is_allowed)
		skip();
}

/* Nothing of the shim's stays in a program that has loaded it besides another library. */
static void other_preloads_stay(void **state)
{
	struct server *server = recovering_serve(1);
	const char *told = temp_path("preload");
	char text[512], preload[512];
	struct run run;
	char *given;
	size_t len;

	(void)state;
	(void)snprintf(text, sizeof(text), "#!/bin/sh\necho \"$LD_PRELOAD\" >%s\n", told);
	(void)snprintf(preload, sizeof(preload), "LD_PRELOAD=libm.so.6:%s:libdl.so.2",
		       library_path());
	run = run_program(&(struct program){
		.argv = (const char *const[]){ "curl", "-sS", server_url(server, "/o"), NULL },
		.rules = recovering_rules("",
					  recovering_rule(recovering_script("preload-tell", text))),
		.env = (const char *const[]){ preload, NULL },
	});
	assert_exit(run, 0);
	assert_output(run, "the object\n");
	given = read_file(told, &len);
	assert_string_equal(given, "libm.so.6:libdl.so.2\n");
	free(given);
	run_free(&run);
	server_stop(server);
}

/* The program has children of its own kind only: none. */
static void no_child_is_to_be_seen(void **state)
{
	struct server *server = recovering_serve(1);
	const char *children = helper_path("children");
	struct run run =
		run_words(RUN_SHIM, recovering_rules("", recovering_rule("true")), children,
			  server_url(server, "/token"), server_url(server, "/o"));

	(void)state;
	assert_output(run, "result 0 signals 0 wait ECHILD descriptors +0\n");
	assert_int_equal(server_request_count(server), 3);
	run_free(&run);
	server_stop(server);
}

/* What a command has left in the background would be a child of who takes in orphans. It goes on.
 */
static void what_goes_on_in_the_background_is_no_child(void **state)
{
	struct server *server = recovering_serve(1);
	const char *ended = temp_path("background-ended");
	char text[512], *written = NULL;
	struct run run;
	size_t len = 0;

	(void)state;
	(void)snprintf(text, sizeof(text), "#!/bin/sh\n{ sleep 0.3; echo went on >%s; } &\n",
		       ended);
	run = run_words(
		RUN_SHIM,
		recovering_rules("", recovering_rule(recovering_script("background", text))),
		helper_path("children"), server_url(server, "/token"), server_url(server, "/o"),
		"subreaper");
	assert_output(run, "result 0 signals 0 wait ECHILD descriptors +0\n");
	for (int i = 0; i < 500 && len == 0; i++) {
		free(written);
		(void)usleep(10000);
		written = read_file(ended, &len);
	}
	assert_string_equal(written, "went on\n");
	free(written);
	run_free(&run);
	server_stop(server);
}

/* A container's first process takes in orphans, too. */
static void as_process_1(void **state)
{
	struct server *server = recovering_serve(1);
	const char *rules = recovering_rules(
		"", recovering_rule(recovering_script("behind", "#!/bin/sh\nsleep 60 &\n")));
	struct run run = run_words(RUN_SHIM, rules, "unshare", "-rpf", helper_path("children"),
				   server_url(server, "/token"), server_url(server, "/o"));
	bool is_allowed = strncmp(run.err, "unshare:", 8) != 0;

	(void)state;
	if (is_allowed)
		assert_output(run, "result 0 signals 0 wait ECHILD descriptors +0\n");
	run_free(&run);
	server_stop(server);
	if (!is_allowed)
		skip();
}

/* A shell that waits for its jobs sees its jobs alone. */
static void a_shell_sees_its_own_jobs(void **state)
{
	struct server *server = recovering_serve(1);
	char line[512];
	struct run run;

	(void)state;
	(void)snprintf(line, sizeof(line),
		       "trap 'echo child' CHLD; curl -sS %s & wait $!; echo $?; wait; jobs",
		       server_url(server, "/o"));
	run = run_words(RUN_SHIM, recovering_rules("", recovering_rule("true")), "bash", "-c",
			line);
	assert_exit(run, 0);
	assert_int_equal(count_lines(run.out, "child"), 1);
	assert_contains(run.out, "the object\n");
	run_free(&run);
	server_stop(server);
}

/* All that the command has started in its group ends with it. */
static void a_timeout_ends_the_whole_group(void **state)
{
	struct server *server = recovering_serve(9);
	const char *pids = temp_path("pids");
	char text[512];
	struct run run;
	pid_t first, second;
	char *written, *rest;
	size_t len;

	(void)state;
	(void)snprintf(
		text, sizeof(text),
		"#!/bin/sh\ntrap '' TERM\nsleep 60 & echo $$ $! >%s\nwhile :; do wait; done\n",
		pids);
	run = run_words(RUN_SHIM,
			recovering_rules("hook_timeout = 300ms\nlog = none",
					 recovering_rule(recovering_script("group", text))),
			"curl", "-sS", server_url(server, "/o"));
	assert_exit(run, 0);
	assert_output(run, DENIED);
	assert_true(run.elapsed_ns < INT64_C(3000000000));
	written = read_file(pids, &len);
	first = (pid_t)strtol(written, &rest, 10);
	second = (pid_t)strtol(rest, NULL, 10);
	assert_true(first > 0 && second > 0);
	assert_int_equal(kill(first, 0), -1);
	free(written);
	assert_int_equal(kill(second, 0), -1);
	run_free(&run);
	server_stop(server);
}

/* Interrupted in the middle of a command, the program ends at once, and the command with it. */
static void the_program_can_be_killed_meanwhile(void **state)
{
	struct server *server = recovering_serve(9);
	const char *pid_file = temp_path("pid");
	char text[256];
	const struct program program = {
		.argv = (const char *const[]){ "curl", "-sS", server_url(server, "/o"), NULL },
		.under = RUN_SHIM,
		.rules = recovering_rules("", recovering_rule(recovering_script("long", text))),
	};
	struct child *child;
	struct run run;
	char *pid = NULL;
	size_t len = 0;

	(void)state;
	(void)snprintf(text, sizeof(text), "#!/bin/sh\necho $$ >%s\nexec sleep 60\n", pid_file);
	(void)recovering_script("long", text);
	child = child_start(&program);
	for (int i = 0; i < 500 && len == 0; i++) {
		free(pid);
		(void)usleep(10000);
		pid = read_file(pid_file, &len);
	}
	assert_true(len > 0);
	assert_int_equal(kill(child_pid(child), SIGINT), 0);
	run = child_finish(child);
	assert_int_equal(run.signal, SIGINT);
	assert_true(run.elapsed_ns < INT64_C(6000000000));
	for (int i = 0; i < 200 && kill((pid_t)strtol(pid, NULL, 10), 0) == 0; i++)
		(void)usleep(10000);
	assert_int_equal(kill((pid_t)strtol(pid, NULL, 10), 0), -1);
	free(pid);
	run_free(&run);
	server_stop(server);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_a_command_is_given),
		cmocka_unit_test(without_devices),
		cmocka_unit_test(other_preloads_stay),
		cmocka_unit_test(no_child_is_to_be_seen),
		cmocka_unit_test(what_goes_on_in_the_background_is_no_child),
		cmocka_unit_test(as_process_1),
		cmocka_unit_test(a_shell_sees_its_own_jobs),
		cmocka_unit_test(a_timeout_ends_the_whole_group),
		cmocka_unit_test(the_program_can_be_killed_meanwhile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
