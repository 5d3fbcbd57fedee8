/*
 * retryshim run: of which programs it says that they cannot be wrapped.
 */
#include "run_command.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Debian's ldconfig is linked statically. */
#define STATIC_PROGRAM "/sbin/ldconfig"
#define NOBODY         65534

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
	const char *path;
	struct run run;

	(void)state;
	bytes[18] ^= 0x55; /* e_machine */
	path = write_program("foreign", bytes, len);
	check_warns(path, "architecture");
	/* It is not read by the shell, as execvp() would have it. */
	run = RETRYSHIM("run", path);
	assert_exit(run, 126);
	assert_contains(run.err, "foreign: Exec format error\n");
	run_free(&run);
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
