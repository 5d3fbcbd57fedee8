/*
 * retryshim run: what it starts, what it refuses, and what it says.
 */
#include "run_command.h"

#include <stdio.h>
#include <string.h>

static void check_fails(struct run run, int status, const char *says)
{
	assert_exit(run, status);
	assert_contains(run.err, says);
	assert_string_equal(run.out, "");
	run_free(&run);
}

/* ---- statuses ---- */

static void the_programs_own_status(void **state)
{
	struct run run = RETRYSHIM("run", "sh", "-c", "exit 7");

	(void)state;
	assert_exit(run, 7);
	assert_string_equal(run.err, "");
	run_free(&run);
}

static void own_failures(void **state)
{
	const char *data = temp_file("data", "x", 1);

	(void)state;
	check_fails(RETRYSHIM("run", "no-such-program"), 127, "no-such-program");
	check_fails(RETRYSHIM("run", data), 126, "Permission denied");
	check_fails(RETRYSHIM("run"), 125, "PROGRAM is missing");
	check_fails(RETRYSHIM("run", "-x", "true"), 125, "unknown option '-x'");
	check_fails(RETRYSHIM("run", "--no-inhert", "true"), 125, "did you mean '--no-inherit'?");
	check_fails(RETRYSHIM("run", "-r"), 125, "-r RULES");
	check_fails(RETRYSHIM("run", "-r", "a:b", "true"), 125, "':'");
	check_fails(RETRYSHIM("run", "-o", "base", "true"), 125, "KEY=VALUE");
	check_fails(RETRYSHIM("run", "-f", "reset", "true"), 125, "KEY=VALUE");
}

static void bad_rules_start_nothing(void **state)
{
	const char *rules = rules_file("[rule it]\nerror = refusd\n[polcy x]\n");
	struct run run = RETRYSHIM("run", "-r", rules, "echo", "started");

	(void)state;
	assert_exit(run, 125);
	assert_string_equal(run.out, "");
	assert_contains(run.err, rules);
	assert_contains(run.err, ":2: error: ");
	assert_contains(run.err, ":3: error: ");
	run_free(&run);
	check_fails(RETRYSHIM("run", "-o", "max_attempts=0", "true"), 125, "RETRYSHIM_OPTIONS");
	check_fails(RETRYSHIM("run", "-r", temp_path("none.ini"), "true"), 125, "none.ini");
}

static void other_verbs(void **state)
{
	struct run run = RETRYSHIM("--version");

	(void)state;
	assert_exit(run, 0);
	assert_contains(run.out, "retryshim ");
	run_free(&run);
	check_fails(RETRYSHIM("rnu"), 2, "did you mean 'run'?");
	check_fails(RETRYSHIM("stats"), 2, "name a file");
	check_fails(command((const char *const[]){ command_path(), NULL }, NULL), 2,
		    "a verb is missing");
}

/* ---- what the program gets ---- */

static const char refused[] = "connect: Connection refused\n";

static void options_and_rules_arrive(void **state)
{
	const char *rules = rules_file(GOOD);
	struct run run = RETRYSHIM("run", "-v", "-o", "max_attempts=3", "-r", rules, "--",
				   helper_path("connect-once"), "127.0.0.1", "1");

	(void)state;
	assert_exit(run, 1);
	assert_output(run, refused);
	assert_int_equal(count_lines(run.err, "event=retry rule=it"), 2);
	run_free(&run);
	run = RETRYSHIM("run", "-v", "-q", "-r", rules, helper_path("connect-once"), "127.0.0.1",
			"1");
	assert_output(run, refused);
	assert_string_equal(run.err, "");
	run_free(&run);
}

static void a_programs_options_are_its_own(void **state)
{
	struct run run = RETRYSHIM("run", "echo", "-v", "--print-env", "--");

	(void)state;
	assert_exit(run, 0);
	assert_output(run, "-v --print-env --\n");
	run_free(&run);
}

static void rules_are_found_from_elsewhere(void **state)
{
	const char *rules = rules_file(GOOD);
	char script[512];
	struct run run;

	(void)state;
	(void)temp_file("more.ini", "[policy more]\nbase = 1s\n", 24);
	(void)snprintf(script, sizeof(script),
		       "command=$(realpath %s) && cd %s && "
		       "$command run --print-env -r %s -r ./more.ini | grep RULES",
		       command_path(), temp_dir(), rules);
	run = command((const char *const[]){ "sh", "-c", script, NULL }, NULL);
	assert_exit(run, 0);
	(void)snprintf(script, sizeof(script), "RETRYSHIM_RULES=%s:%s/./more.ini\n", rules,
		       temp_dir());
	assert_output(run, script);
	run_free(&run);
}

/* Those of the environment, too: they are checked from here. */
static void rules_of_the_environment_are_found_from_elsewhere(void **state)
{
	const char *rules = rules_file(GOOD);
	char script[600];
	struct run run;

	(void)state;
	(void)temp_file("more.ini", "[policy more]\nbase = 1s\n", 24);
	(void)snprintf(script, sizeof(script),
		       "command=$(realpath %s) && cd %s && "
		       "RETRYSHIM_RULES=more.ini:%s $command run "
		       "sh -c 'cd / && echo $RETRYSHIM_RULES' && "
		       "RETRYSHIM_RULES= $command run --print-env | grep -c RULES",
		       command_path(), temp_dir(), rules);
	run = command((const char *const[]){ "sh", "-c", script, NULL }, NULL);
	(void)snprintf(script, sizeof(script), "%s/more.ini:%s\n0\n", temp_dir(), rules);
	assert_output(run, script);
	run_free(&run);
}

/* They are meant as from here, wherever the program goes. */
static void paths_of_options_are_made_absolute(void **state)
{
	char script[600], wanted[300];
	struct run run;

	(void)state;
	(void)snprintf(
		script, sizeof(script),
		"command=$(realpath %s) && cd %s && for option in log=l.log report=./off 'stats = s' "
		"log=none log=/x stats=no; do $command run --print-env -o \"$option\" | "
		"sed -n s/^RETRYSHIM_OPTIONS=//p; done; $command run -o log=stder true 2>&1 | "
		"grep -o 'did you mean.*'",
		command_path(), temp_dir());
	run = command((const char *const[]){ "sh", "-c", script, NULL }, NULL);
	(void)snprintf(wanted, sizeof(wanted),
		       "log=%s/l.log\nreport=%s/./off\nstats=%s/s\nlog=none\nlog=/x\nstats=no\n"
		       "did you mean 'stderr'?)\n",
		       temp_dir(), temp_dir(), temp_dir());
	assert_output(run, wanted);
	run_free(&run);
}

/* A word that some other key takes is no file's name, and does not become one. */
static void words_are_no_paths(void **state)
{
	(void)state;
	check_fails(RETRYSHIM("run", "-o", "log=no", "true"), 125,
		    "RETRYSHIM_OPTIONS: error: 'log': 'no' is no word that may stand here "
		    "(stderr, syslog, none); write './no' for a file of that name\n");
	check_fails(RETRYSHIM("run", "-o", "stats=none", "true"), 125, "write './none'");
	check_fails(RETRYSHIM("run", "-o", "report=off", "true"), 125, "write './off'");
}

static void print_env_is_quoted_for_a_shell(void **state)
{
	static const char *const env[] = { "RETRYSHIM_OPTIONS=log_level=info;base=1s", NULL };
	char script[512];
	struct run run;

	(void)state;
	(void)snprintf(script, sizeof(script),
		       "eval \"$(%s run --print-env -o base=2s -o \"log=/tmp/it's here\")\"; "
		       "printf %%s \"$RETRYSHIM_OPTIONS\"",
		       command_path());
	run = command((const char *const[]){ "sh", "-c", script, NULL }, env);
	assert_exit(run, 0);
	assert_output(run, "log_level=info;base=2s;log=/tmp/it's here");
	run_free(&run);
}

/* A line each, as the variable has them. */
static void print_env_keeps_faults_apart(void **state)
{
	char script[512];
	struct run run;

	(void)state;
	(void)snprintf(script, sizeof(script),
		       "eval \"$(%s run --print-env -f error=reset -f status=503,first=1)\"; "
		       "printf %%s \"$RETRYSHIM_FAULTS\"",
		       command_path());
	run = command((const char *const[]){ "sh", "-c", script, NULL }, NULL);
	assert_exit(run, 0);
	assert_output(run, "error=reset\nstatus=503,first=1");
	run_free(&run);
}

static void quiet_is_quiet_whichever_comes_first(void **state)
{
	static const char *const orders[][2] = { { "-v", "-q" }, { "-q", "-v" } };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		const char *const argv[] = {
			command_path(),      "run", orders[i][0], orders[i][1], "-f",
			"error=refused",     "-o",  "base=1ms",   "curl",       "-s",
			"http://localhost/", NULL
		};
		struct run run = command(argv, NULL);

		assert_exit(run, 7);
		assert_string_equal(run.err, "");
		run_free(&run);
	}
}

static void an_existing_preload_is_kept(void **state)
{
	static const char *const env[] = { "LD_PRELOAD=libdl.so.2", NULL };
	const char *const argv[] = { command_path(), "run", "sh", "-c", "echo $LD_PRELOAD", NULL };
	struct run run = command(argv, env);

	(void)state;
	assert_exit(run, 0);
	assert_contains(run.out, "/libretryshim.so:libdl.so.2\n");
	run_free(&run);
}

static void nothing_is_preloaded_twice(void **state)
{
	struct run run = RETRYSHIM("run", command_path(), "run", "sh", "-c", "echo $LD_PRELOAD");

	(void)state;
	assert_exit(run, 0);
	assert_lacks(run.out, ":");
	assert_contains(run.out, "/libretryshim.so\n");
	run_free(&run);
}

/* Another copy of the library would multiply the retries. */
static void no_other_copy_is_preloaded(void **state)
{
	char script[512];
	struct run run;

	(void)state;
	(void)snprintf(script, sizeof(script),
		       "cp %s %s/libretryshim.so && LD_PRELOAD=%s/libretryshim.so:libdl.so.2 "
		       "exec %s run sh -c 'echo $LD_PRELOAD'",
		       library_path(), temp_dir(), temp_dir(), command_path());
	run = command((const char *const[]){ "sh", "-c", script, NULL }, NULL);
	assert_exit(run, 0);
	assert_lacks(run.out, temp_dir());
	assert_contains(run.out, "/libretryshim.so:libdl.so.2\n");
	run_free(&run);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_programs_own_status),
		cmocka_unit_test(own_failures),
		cmocka_unit_test(bad_rules_start_nothing),
		cmocka_unit_test(other_verbs),
		cmocka_unit_test(options_and_rules_arrive),
		cmocka_unit_test(a_programs_options_are_its_own),
		cmocka_unit_test(rules_are_found_from_elsewhere),
		cmocka_unit_test(rules_of_the_environment_are_found_from_elsewhere),
		cmocka_unit_test(paths_of_options_are_made_absolute),
		cmocka_unit_test(words_are_no_paths),
		cmocka_unit_test(print_env_is_quoted_for_a_shell),
		cmocka_unit_test(print_env_keeps_faults_apart),
		cmocka_unit_test(quiet_is_quiet_whichever_comes_first),
		cmocka_unit_test(an_existing_preload_is_kept),
		cmocka_unit_test(nothing_is_preloaded_twice),
		cmocka_unit_test(no_other_copy_is_preloaded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
