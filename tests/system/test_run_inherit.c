/*
 * retryshim run --no-inherit: what is the program, and what its children find.
 */
#include "run_command.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define SHOW "echo \"[$LD_PRELOAD] $(env | grep -c ^RETRYSHIM_) ${LD_PRELOAD+set}\""

static void children_do_not_inherit(void **state)
{
	static const char child[] = "sh -c '" SHOW "'; true";
	static const char *const env[] = { "LD_PRELOAD=libdl.so.2", NULL };
	const char *const argv[] = { "sh",           "-c",  "$0 run -v --no-inherit sh -c \"$1\"",
				     command_path(), child, NULL };
	struct run run = command(argv, env);

	(void)state;
	assert_exit(run, 0);
	assert_output(run, "[libdl.so.2] 0 set\n");
	run_free(&run);
	run = command(argv, NULL);
	assert_output(run, "[] 0 \n");
	run_free(&run);
}

/* How often connects were retried in what the words start, under --no-inherit. */
static int retries_of(const char *const *words)
{
	const char *argv[16] = {
		command_path(), "run", "-v", "--no-inherit", "-r", rules_file(GOOD)
	};
	struct run run;
	int retries;

	for (int i = 0; words[i]; i++)
		argv[6 + i] = words[i];
	run = command(argv, NULL);
	retries = count_lines(run.err, "event=retry rule=it");
	run_free(&run);
	return retries;
}

#define RETRIES_OF(...) retries_of((const char *const[]){ __VA_ARGS__, NULL })

static void the_program_itself_is_wrapped_without_inheritance(void **state)
{
	const char *once = helper_path("connect-once");

	(void)state;
	assert_int_equal(RETRIES_OF(once, "127.0.0.1", "1"), 3);
	assert_int_equal(RETRIES_OF("sh", "-c", "\"$@\"; true", "sh", once, "127.0.0.1", "1"), 0);
}

/* A worker is the program still. */
static void forked_workers_stay_wrapped(void **state)
{
	(void)state;
	assert_int_equal(RETRIES_OF("bash", "-c", "(: 3<>/dev/tcp/127.0.0.1/1); true"), 3);
}

/* It is the process that is the program, whatever it becomes: env(1) of a script's first line, a
 * container's entry point. */
static void the_program_stays_wrapped_through_exec(void **state)
{
	const char *once = helper_path("connect-once");
	const char *entry = script_file("entry", "#!/usr/bin/env sh\nexec \"$@\"\n");

	(void)state;
	assert_int_equal(RETRIES_OF(entry, once, "127.0.0.1", "1"), 3);
	assert_int_equal(RETRIES_OF(entry, entry, "env", once, "127.0.0.1", "1"), 3);
	assert_int_equal(
		RETRIES_OF("sh", "-c", "\"$@\"; exec \"$@\"", "sh", once, "127.0.0.1", "1"), 3);
}

static const char *static_starter(void)
{
	static const char source[] =
		"#include <sys/wait.h>\n#include <unistd.h>\n"
		"int main(int argc, char **argv) {\n"
		"  if (argc > 1 && fork() == 0) return execv(argv[1], argv + 1);\n"
		"  wait(0);\n  return execv(argv[1], argv + 1);\n}\n";
	const char *path = temp_path("starter");
	const char *const argv[] = { "cc", "-static", "-x", "c", "-o", path, "-", NULL };
	struct run run = run_program(&(struct program){ .argv = argv, .input = source });

	assert_exit(run, 0);
	run_free(&run);
	return path;
}

/* Its child is none of ours, and what it becomes is the program again. */
static void a_static_program_in_between(void **state)
{
	(void)state;
	assert_int_equal(
		RETRIES_OF(static_starter(), helper_path("connect-once"), "127.0.0.1", "1"), 3);
}

static void run_within_run(void **state)
{
	const char *const argv[] = { command_path(),
				     "run",
				     "--no-inherit",
				     command_path(),
				     "run",
				     "sh",
				     "-c",
				     "sh -c 'echo $LD_PRELOAD'; true",
				     NULL };
	struct run run = command(argv, NULL);

	(void)state;
	assert_exit(run, 0);
	assert_contains(run.out, "/libretryshim.so\n");
	run_free(&run);
}

/* Whoever prints the environment does not know what process is going to be the program. */
static void a_printed_environment_is_left_by_the_first(void **state)
{
	char script[512];
	struct run run;

	(void)state;
	(void)snprintf(script, sizeof(script),
		       "env $(%s run --print-env --no-inherit -o log_level=info -r %s) "
		       "sh -c '%s; %s 127.0.0.1 1'",
		       command_path(), rules_file(GOOD), "echo \"[$LD_PRELOAD]\"",
		       helper_path("connect-once"));
	run = command((const char *const[]){ "sh", "-c", script, NULL }, NULL);
	assert_contains(run.out, "[]\n");
	assert_lacks(run.err, "event=retry");
	run_free(&run);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(children_do_not_inherit),
		cmocka_unit_test(the_program_itself_is_wrapped_without_inheritance),
		cmocka_unit_test(forked_workers_stay_wrapped),
		cmocka_unit_test(the_program_stays_wrapped_through_exec),
		cmocka_unit_test(a_static_program_in_between),
		cmocka_unit_test(run_within_run),
		cmocka_unit_test(a_printed_environment_is_left_by_the_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
