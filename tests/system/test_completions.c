/*
 * What shells offer after `retryshim`: bash, which is everywhere, and fish where there is one.
 */
#include "harness.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define NAMES "[policy slow]\nbase = 1s\n[rule busy]\nstatus = 503\n"

/* The words are as bash takes a line apart, the last one being completed. */
static const char bash_script[] = ". \"$0\"\n"
				  "compopt() { :; }\n"
				  "COMP_WORDS=(retryshim \"$@\") COMP_CWORD=$#\n"
				  "_retryshim\n"
				  "printf '%s ' \"${COMPREPLY[@]}\"\n";

static struct run bash(const char *rules, const char *const *words)
{
	const char *argv[32] = { "bash", "-c", bash_script, "completions/retryshim.bash" };
	char setting[4200];
	const char *const env[] = { setting, NULL };

	(void)snprintf(setting, sizeof(setting), "RETRYSHIM_RULES=%s", rules ? rules : "/none");
	for (size_t i = 0; words[i]; i++)
		argv[4 + i] = words[i];
	return run_program(&(struct program){ .argv = argv, .env = env });
}

static void check(const char *rules, const char *offers, const char *const *words)
{
	struct run run = bash(rules, words);

	assert_exit(run, 0);
	assert_output(run, offers);
	run_free(&run);
}

#define CHECK(rules, offers, ...) check(rules, offers, (const char *const[]){ __VA_ARGS__, NULL })

#define NOTHING " " /* printf's one turn */

static void keys_and_their_values(void **state)
{
	(void)state;
	CHECK(NULL, "rate= rate_limit= ", "run", "-o", "rate");
	CHECK(NULL, "stats= ", "run", "-o", "st");
	CHECK(NULL, NOTHING, "run", "-o", "mode", "=", "o");
	CHECK(NULL, NOTHING, "run", "-f", "error", "=", "timeout,first", "=", "l");
	CHECK(NULL, "backoff= base= ", "run", "-f", "error", "=", "reset", "-o", "ba");
}

/* Without bash-completion, too: a program's options are not ours. */
static void after_the_program(void **state)
{
	(void)state;
	CHECK(NULL, "--no-inherit ", "run", "--no");
	CHECK(NULL, NOTHING, "run", "-v", "ls", "--no");
	CHECK(NULL, NOTHING, "run", "sort", "-o", "ra");
}

static void every_verb_has_help(void **state)
{
	static const char *const verbs[] = { "run", "check", "plan", "explain", "doctor", "stats" };

	(void)state;
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		CHECK("/none", "--help ", verbs[i], "--hel");
}

static void names_of_the_rules_in_force(void **state)
{
	const char *rules = rules_file(NAMES);

	(void)state;
	CHECK(rules, "slow ", "plan", "s");
	CHECK("/none", "busy ", "plan", "-r", rules, "b");
	CHECK("/none", NOTHING, "plan", "b");
}

static void fish(const char *line, const char *offers, const char *lacks)
{
	static const char script[] = "source completions/retryshim.fish; complete "
				     "--do-complete=$argv[1]";
	struct run run = run_words(RUN_BARE, NULL, "fish", "--no-config", "-c", script, "--", line);

	assert_exit(run, 0);
	assert_string_equal(run.err, "");
	assert_contains(run.out, offers);
	assert_lacks(run.out, lacks);
	run_free(&run);
}

static void in_fish(void **state)
{
	char line[300];

	(void)state;
	if (access("/usr/bin/fish", X_OK) != 0)
		skip();
	fish("retryshim run --", "--no-inherit", "complete:");
	fish("retryshim run -o ra", "rate_limit=", "stats=");
	fish("retryshim run -v env --", "", "--no-inherit");
	(void)snprintf(line, sizeof(line), "retryshim plan -r %s ", rules_file(NAMES));
	fish(line, "busy\n", "--no-inherit");
	fish("retryshim run --he", "--help", "complete:");
	fish("retryshim doctor --he", "--help", "complete:");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_and_their_values),
		cmocka_unit_test(after_the_program),
		cmocka_unit_test(every_verb_has_help),
		cmocka_unit_test(names_of_the_rules_in_force),
		cmocka_unit_test(in_fish),
	};

	return cmocka_run_group_tests_name("completions", tests, NULL, NULL);
}
