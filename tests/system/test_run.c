/*
 * retryshim run: what it starts, what it refuses, and what it says.
 */
#include "harness.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define GOOD "[policy default]\nbase = 2ms\n[rule it]\ncall = connect\nerror = refused\n"

/* Debian's ldconfig is linked statically. */
#define STATIC_PROGRAM "/sbin/ldconfig"
#define NOBODY         65534

static struct run command(const char *const *argv, const char *const *env)
{
	return run_program(&(struct program){ .argv = argv, .env = env });
}

#define RETRYSHIM(...) command((const char *const[]){ command_path(), __VA_ARGS__, NULL }, NULL)

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

/* They are meant as from here, wherever the program goes. */
static void paths_of_options_are_made_absolute(void **state)
{
	char script[600], wanted[300];
	struct run run;

	(void)state;
	(void)snprintf(
		script, sizeof(script),
		"command=$(realpath %s) && cd %s && for option in log=l.log report=./r 'stats = s' "
		"log=none log=/x stats=no; do $command run --print-env -o \"$option\" | "
		"sed -n s/^RETRYSHIM_OPTIONS=//p; done; $command run -o log=stder true 2>&1 | "
		"grep -o 'did you mean.*'",
		command_path(), temp_dir());
	run = command((const char *const[]){ "sh", "-c", script, NULL }, NULL);
	(void)snprintf(wanted, sizeof(wanted),
		       "log=%s/l.log\nreport=%s/./r\nstats=%s/s\nlog=none\nlog=/x\nstats=no\n"
		       "did you mean 'stderr'?)\n",
		       temp_dir(), temp_dir(), temp_dir());
	assert_output(run, wanted);
	run_free(&run);
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

/* ---- --no-inherit ---- */

#define SHOW "echo \"[$LD_PRELOAD] $(env | grep -c ^RETRYSHIM_) ${LD_PRELOAD+set}\""

static void children_do_not_inherit(void **state)
{
	static const char *const env[] = { "LD_PRELOAD=libdl.so.2", NULL };
	const char *const argv[] = { "sh",
				     "-c",
				     "$0 run -v --no-inherit sh -c \"$1\"",
				     command_path(),
				     "sh -c '" SHOW "'; true",
				     NULL };
	struct run run = command(argv, env);

	(void)state;
	assert_exit(run, 0);
	assert_output(run, "[libdl.so.2] 0 set\n");
	run_free(&run);
	run = command(argv, NULL);
	assert_output(run, "[] 0 \n");
	run_free(&run);
}

static const char *script_file(const char *name, const char *first_line)
{
	const char *path = temp_file(name, first_line, strlen(first_line));

	assert_int_equal(chmod(path, 0755), 0);
	return path;
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

/* ---- programs that cannot be wrapped ---- */

static void check_warns(const char *program, const char *why)
{
	struct run run = RETRYSHIM("run", program, "--version");

	assert_int_equal(count_lines(run.err, "retryshim: warning: "), 1);
	assert_contains(run.err, why);
	run_free(&run);
}

static void a_static_program(void **state)
{
	struct run run = RETRYSHIM("run", STATIC_PROGRAM, "--version");

	(void)state;
	assert_exit(run, 0);
	assert_contains(run.out, "ldconfig");
	assert_int_equal(count_lines(run.err, "retryshim: warning: "), 1);
	assert_contains(run.err, "statically linked");
	run_free(&run);
}

static void a_script_is_judged_by_its_interpreter(void **state)
{
	(void)state;
	check_warns(script_file("direct", "#! " STATIC_PROGRAM " --version\n"), "static");
	check_warns(script_file("by-env", "#!/usr/bin/env -S A=b " STATIC_PROGRAM " --version\n"),
		    "static");
}

static char *copy_of_true(size_t *len)
{
	char *bytes = read_file("/bin/true", len);

	assert_non_null(bytes);
	return bytes;
}

static const char *write_program(const char *name, const char *bytes, size_t len)
{
	const char *path = temp_file(name, bytes, len);

	assert_int_equal(chmod(path, 0755), 0);
	return path;
}

static void another_architecture(void **state)
{
	size_t len;
	char *bytes = copy_of_true(&len);

	(void)state;
	bytes[18] ^= 0x55; /* e_machine */
	check_warns(write_program("foreign", bytes, len), "architecture");
	free(bytes);
}

static void another_libc(void **state)
{
	static const char ours[] = "/lib64/ld-linux", theirs[] = "/lib64/ld-musl-";
	size_t len;
	char *bytes = copy_of_true(&len);
	char *linker = memmem(bytes, len, ours, strlen(ours));

	(void)state;
	if (linker) { /* elsewhere it has another name */
		memcpy(linker, theirs, strlen(theirs));
		check_warns(write_program("musl", bytes, len), "musl");
	}
	free(bytes);
}

static void a_set_user_id_program(void **state)
{
	size_t len;
	char *bytes = copy_of_true(&len);
	const char *path = write_program("setuid", bytes, len);

	(void)state;
	free(bytes);
	if (getuid() != 0)
		skip();
	assert_int_equal(chown(path, NOBODY, NOBODY), 0);
	assert_int_equal(chmod(path, 04755), 0);
	check_warns(path, "set-user-ID");
}

static void the_linker_itself_is_wrapped(void **state)
{
	static const char linker[] = "/lib64/ld-linux-x86-64.so.2";
	struct run run;

	(void)state;
	if (access(linker, X_OK) != 0)
		skip();
	run = RETRYSHIM("run", "-v", "-r", rules_file(GOOD), linker, helper_path("connect-once"),
			"127.0.0.1", "1");
	assert_lacks(run.err, "warning");
	assert_int_equal(count_lines(run.err, "event=retry rule=it"), 3);
	run_free(&run);
}

/* A program of another user's, and whoever runs it is to become that one, by `script`, in which $0
 * is the command, $1 the rules, $2 the program, $3 a directory. */
static struct run run_set_user_id(const char *script)
{
	size_t len;
	char *bytes = read_file(helper_path("connect-once"), &len);
	const char *path = write_program("setuid-connect", bytes, len);
	const char *const argv[] = { "sh", "-c",       script, command_path(), rules_file(GOOD),
				     path, temp_dir(), NULL };

	free(bytes);
	assert_int_equal(chown(path, NOBODY, NOBODY), 0);
	assert_int_equal(chmod(path, 04755), 0);
	return command(argv, NULL);
}

static void check_wrapped(struct run run)
{
	assert_lacks(run.err, "warning");
	assert_int_equal(count_lines(run.err, "event=retry rule=it"), 3);
	run_free(&run);
}

static void rights_that_do_not_count(void **state)
{
	static const char elsewhere[] =
		"mkdir $3/other && mount -t tmpfs -o nosuid none $3/other && "
		"cp -p $2 $3/other/it && exec $0 run -v -r $1 $3/other/it 127.0.0.1 1";
	char script[400];
	struct run run;

	(void)state;
	if (getuid() != 0)
		skip();
	check_wrapped(
		run_set_user_id("exec setpriv --no-new-privs $0 run -v -r $1 $2 127.0.0.1 1"));
	run = run_words(RUN_BARE, NULL, "unshare", "-m", "mount", "-t", "tmpfs", "none", "/mnt");
	if (run.status != 0)
		skip(); /* nothing may be mounted here */
	run_free(&run);
	(void)snprintf(script, sizeof(script), "exec unshare -m sh -c '%s' $0 $1 $2 $3", elsewhere);
	check_wrapped(run_set_user_id(script));
}

static void ordinary_programs_are_not_warned_of(void **state)
{
	struct run run = RETRYSHIM("run", script_file("plain", "#!/usr/bin/env sh\nexit 3\n"));

	(void)state;
	assert_exit(run, 3);
	assert_string_equal(run.err, "");
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
		cmocka_unit_test(paths_of_options_are_made_absolute),
		cmocka_unit_test(print_env_is_quoted_for_a_shell),
		cmocka_unit_test(an_existing_preload_is_kept),
		cmocka_unit_test(nothing_is_preloaded_twice),
		cmocka_unit_test(no_other_copy_is_preloaded),
		cmocka_unit_test(children_do_not_inherit),
		cmocka_unit_test(the_program_itself_is_wrapped_without_inheritance),
		cmocka_unit_test(forked_workers_stay_wrapped),
		cmocka_unit_test(the_program_stays_wrapped_through_exec),
		cmocka_unit_test(a_static_program_in_between),
		cmocka_unit_test(run_within_run),
		cmocka_unit_test(a_printed_environment_is_left_by_the_first),
		cmocka_unit_test(a_static_program),
		cmocka_unit_test(a_script_is_judged_by_its_interpreter),
		cmocka_unit_test(another_architecture),
		cmocka_unit_test(another_libc),
		cmocka_unit_test(a_set_user_id_program),
		cmocka_unit_test(the_linker_itself_is_wrapped),
		cmocka_unit_test(rights_that_do_not_count),
		cmocka_unit_test(ordinary_programs_are_not_warned_of),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
