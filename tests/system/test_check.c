/*
 * retryshim check: whether rules are right, as the shim and its command would read them; and what
 * every verb does when its output cannot be written.
 */
#include "harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define GOOD  "[policy default]\nbase = 2ms\n[rule it]\ncall = connect\nerror = refused\n"
#define WRONG "[rule it]\nerror = refusd\nbase = 5\n[polcy x]\n"

static struct run command(const char *const *argv, const char *const *env)
{
	return run_program(&(struct program){ .argv = argv, .env = env });
}

#define CHECK(...)                                                                                 \
	command((const char *const[]){ command_path(), "check", __VA_ARGS__, NULL }, NULL)

static void says(struct run run, int status, const char *out, const char *err)
{
	assert_exit(run, status);
	assert_output(run, out);
	if (*err)
		assert_contains(run.err, err);
	else
		assert_string_equal(run.err, "");
	run_free(&run);
}

static void right_rules(void **state)
{
	const char *good = rules_file(GOOD);
	const char *more = rules_file("[policy more]\nbase = 1s\n[rule more]\nstatus = 503\n");

	(void)state;
	says(CHECK(good), 0, "ok: 1 rules, 1 policies\n", "");
	says(CHECK("--", good, more), 0, "ok: 2 rules, 2 policies\n", "");
	/* A policy of one file, a rule of another, whichever comes first. */
	says(CHECK(rules_file("[rule b]\nstatus = 500\npolicy = more\n"), more), 0,
	     "ok: 2 rules, 2 policies\n", "");
}

static void a_line_for_every_fault(void **state)
{
	const char *wrong = rules_file(WRONG);
	struct run run = CHECK(wrong);
	char line[300];

	(void)state;
	assert_exit(run, 1);
	assert_output(run, "");
	assert_int_equal(count_lines(run.err, ": error: "), 3);
	for (int i = 2; i <= 4; i++) {
		(void)snprintf(line, sizeof(line), "%s:%d: error: ", wrong, i);
		assert_int_equal(count_lines(run.err, line), 1);
	}
	run_free(&run);
}

static void thousands_of_faults(void **state)
{
	enum { FAULTS = 5000 };
	struct run run = CHECK(rules_file_with_faults(FAULTS));

	(void)state;
	assert_exit(run, 1);
	assert_int_equal(count_lines(run.err, ": error: unknown key 'x'"), FAULTS);
	assert_int_equal(count_lines(run.err, ".ini:5001: error: "), 1);
	run_free(&run);
}

static void warnings_are_no_errors(void **state)
{
	const char *rules = rules_file("[rule a]\nstatus = 5xx\n[rule b]\nstatus = 503\n");

	(void)state;
	says(CHECK(rules), 0, "ok: 2 rules, 1 policies\n",
	     ":3: warning: rule 'b' can never be reached");
}

/* Without a name: what a program would get, options and faults of the environment included. */
static void the_rules_in_force(void **state)
{
	char rules[300];
	const char *env[] = { rules, NULL, NULL };
	const char *const argv[] = { command_path(), "check", NULL };
	struct run run;

	(void)state;
	run = command(argv, NULL); /* those that are built in */
	assert_exit(run, 0);
	assert_contains(run.out, "ok: ");
	run_free(&run);
	(void)snprintf(rules, sizeof(rules), "RETRYSHIM_RULES=%s", rules_file(GOOD));
	says(command(argv, env), 0, "ok: 1 rules, 1 policies\n", "");
	env[1] = "RETRYSHIM_OPTIONS=max_attempts=0";
	says(command(argv, env), 1, "", "RETRYSHIM_OPTIONS: error: 'max_attempts': 0 is ambiguous");
	env[1] = "RETRYSHIM_FAULTS=status=x";
	says(command(argv, env), 1, "", "RETRYSHIM_FAULTS: error: 'status'");
}

/* Not as if there were none: somebody meant it to count. */
static void a_link_that_leads_nowhere(void **state)
{
	const char *home = temp_dir();
	char variable[300], file[300], says_so[400];
	const char *const env[] = { variable, NULL };
	const char *const argv[] = { command_path(), "check", NULL };

	(void)state;
	(void)snprintf(variable, sizeof(variable), "XDG_CONFIG_HOME=%s", home);
	(void)snprintf(file, sizeof(file), "%s/retryshim.ini", home);
	(void)unlink(file);
	assert_int_equal(symlink("nowhere.ini", file), 0);
	(void)snprintf(says_so, sizeof(says_so), "%s: error: No such file or directory\n", file);
	says(command(argv, env), 1, "", says_so);
	unlink(file);
}

/* There can be no rules in it. */
static void a_home_too_long(void **state)
{
	static char home[6000] = "XDG_CONFIG_HOME=/";
	const char *const env[] = { home, NULL };
	const char *const argv[] = { command_path(), "check", NULL };

	(void)state;
	memset(home + strlen(home), 'x', sizeof(home) - strlen(home) - 1);
	says(command(argv, env), 0, "ok: 8 rules, 5 policies\n", "");
}

static void wrong_use(void **state)
{
	struct run run;

	(void)state;
	says(CHECK("-x"), 2, "", "unknown option '-x'");
	says(CHECK(""), 2, "", "a file's name is expected");
	run = CHECK("--help");
	assert_exit(run, 0);
	assert_contains(run.out, "usage: retryshim check [RULES...]\n");
	run_free(&run);
	says(CHECK("a:b"), 2, "", "':' separates files");
	says(CHECK("/nonexistent/x.ini"), 1, "",
	     "/nonexistent/x.ini: error: No such file or directory");
	says(CHECK("/"), 1, "", "/: error: is a directory, not a rules file");
}

/* Whoever reads what a verb prints must not take half of it, or nothing, for the answer. */
static void a_full_disk(void **state)
{
	static const struct {
		const char *words;
		int status;
	} verbs[] = {
		{ "check", 1 },
		{ "check --", 1 },
		{ "plan", 1 },
		{ "plan --help", 1 },
		{ "plan -n 9000 --json", 1 },
		{ "explain --call curl --status 503", 1 },
		{ "explain --help", 1 },
		{ "doctor curl", 2 },
		{ "doctor --json curl", 2 },
		{ "doctor --help", 2 },
		{ "check --help", 1 },
		{ "stats --help", 1 },
		{ "run --print-env true", 125 },
		{ "run --help", 125 },
		{ "--help", 2 },
		{ "--version", 2 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		char script[200];
		struct run run;

		(void)snprintf(script, sizeof(script), "exec \"$0\" %s >/dev/full", verbs[i].words);
		run = command((const char *const[]){ "sh", "-c", script, command_path(), NULL },
			      NULL);
		if (run.status != verbs[i].status)
			fail_msg("%s: %d", verbs[i].words, run.status);
		assert_int_equal(count_lines(run.err, "cannot write: "), 1);
		assert_contains(run.err, "retryshim: ");
		run_free(&run);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(right_rules),         cmocka_unit_test(a_line_for_every_fault),
		cmocka_unit_test(thousands_of_faults), cmocka_unit_test(warnings_are_no_errors),
		cmocka_unit_test(the_rules_in_force),  cmocka_unit_test(a_link_that_leads_nowhere),
		cmocka_unit_test(a_home_too_long),     cmocka_unit_test(wrong_use),
		cmocka_unit_test(a_full_disk),
	};

	return cmocka_run_group_tests_name("check", tests, NULL, NULL);
}
