/*
 * Under secure execution whoever starts the program sets its environment, and nothing of it may be
 * believed. The linker preloads no library there that a user could name: a program that is linked
 * with the library shows what the library itself does.
 */
#include "harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define NOBODY   "65534"
#define ONE_MORE "[rule mine]\nerror = refused\nmax_attempts = 2\nbase = 1ms\n"
/* What the library says at the end of a call that was retried by the rules that hold without any.
 */
#define EXHAUSTED "event=exhausted rule=connect "

static const char *program;

/* The library and connect-once, linked with it, where another user can reach them: the tree may lie
 * in somebody's home. */
static int link_the_program(void **state)
{
	const char *library = temp_path("libretryshim.so");
	const char *object = helper_path("../obj/tests/system/main_connect_once.o");
	char search[512], *data;
	size_t len;
	struct run run;

	(void)state;
	data = read_file(library_path(), &len);
	assert_non_null(data);
	temp_file("libretryshim.so", data, len);
	free(data);
	assert_int_equal(chmod(library, 0755), 0);
	assert_int_equal(chmod(temp_dir(), 0711), 0);
	(void)snprintf(search, sizeof(search), "-Wl,-rpath,%s", temp_dir());
	program = temp_path("linked-connect");
	run = run_words(RUN_BARE, NULL, "cc", "-o", program, object, "-Wl,--no-as-needed", library,
			search);
	assert_exit(run, 0);
	run_free(&run);
	return 0;
}

/* Started by a user that is not the program's owner; set-user-ID or, to compare, not. */
static struct run start(mode_t mode, const char *const *env)
{
	const char *const argv[] = { "setpriv",
				     "--reuid",
				     NOBODY,
				     "--clear-groups",
				     program,
				     "127.0.0.1",
				     "1" /* nobody listens */,
				     NULL };

	assert_int_equal(chmod(program, mode), 0);
	return run_program(&(struct program){ .argv = argv, .env = env });
}

static void can_be_tried(void)
{
	struct statvfs fs;

	assert_int_equal(statvfs(temp_dir(), &fs), 0);
	if (geteuid() != 0 || (fs.f_flag & ST_NOSUID) || access("/etc/retryshim.ini", F_OK) == 0)
		skip(); /* not root; set-user-ID has no effect; other rules hold on this machine */
	if (getenv("RS_COUNTING"))
		skip(); /* a library that counts its lines complains where it cannot write them down
			 */
}

#define REFUSED "connect: Connection refused\n"

struct outcome {
	const char *out; /* NULL: REFUSED */
	const char *err; /* a part of it; NULL: nothing is written */
};

/* The variable has its effect on the ordinary program, and none on the set-user-ID one. */
static void check(const char *variable, struct outcome ordinary)
{
	const char *const env[] = { variable, NULL };
	struct run run = start(0755, env);

	assert_exit(run, 1);
	assert_output(run, ordinary.out ? ordinary.out : REFUSED);
	if (ordinary.err)
		assert_contains(run.err, ordinary.err);
	else
		assert_string_equal(run.err, "");
	run_free(&run);

	run = start(04755, env);
	assert_exit(run, 1);
	assert_output(run, REFUSED);
	assert_int_equal(count_lines(run.err, "retryshim:"), 1);
	assert_contains(run.err, EXHAUSTED);
	run_free(&run);
}

/* rules_file() is readable for its owner alone. */
static const char *readable(const char *rules)
{
	const char *path = rules_file(rules);

	assert_int_equal(chmod(path, 0644), 0);
	return path;
}

static void rules_are_not_the_callers(void **state)
{
	char variable[1024];

	(void)state;
	can_be_tried();
	(void)snprintf(variable, sizeof(variable), "RETRYSHIM_RULES=%s", readable(ONE_MORE));
	check(variable, (struct outcome){ .err = "event=exhausted rule=mine " });
}

static void options_are_not_the_callers(void **state)
{
	(void)state;
	can_be_tried();
	check("RETRYSHIM_OPTIONS=mode=off", (struct outcome){ 0 });
}

static void nor_is_the_switch(void **state)
{
	(void)state;
	can_be_tried();
	check("RETRYSHIM_DISABLE=1", (struct outcome){ 0 });
}

static void nor_are_faults(void **state)
{
	(void)state;
	can_be_tried();
	check("RETRYSHIM_FAULTS=error=ETIMEDOUT,call=connect",
	      (struct outcome){ .out = "connect: Connection timed out\n" });
}

static void nor_is_the_directory_of_the_rules(void **state)
{
	char variable[1024];
	const char *rules = temp_file("retryshim.ini", ONE_MORE, strlen(ONE_MORE));

	(void)state;
	can_be_tried();
	assert_int_equal(chmod(rules, 0644), 0);
	(void)snprintf(variable, sizeof(variable), "XDG_CONFIG_HOME=%s", temp_dir());
	check(variable, (struct outcome){ .err = "event=exhausted rule=mine " });
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rules_are_not_the_callers),
		cmocka_unit_test(options_are_not_the_callers),
		cmocka_unit_test(nor_is_the_switch),
		cmocka_unit_test(nor_are_faults),
		cmocka_unit_test(nor_is_the_directory_of_the_rules),
	};

	return cmocka_run_group_tests(tests, link_the_program, NULL);
}
