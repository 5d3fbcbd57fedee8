/*
 * What a process pays for the shim, and what it does when the shim cannot do its work.
 */
#include "harness.h"
#include "server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define QUICK "[policy default]\nbase = 2ms\njitter = none\n[rule it]\nerror = refused\n"

/* A library that needs libc and does nothing: since glibc 2.34 libdl is one. */
#define EMPTY_LIBRARY "LD_PRELOAD=libdl.so.2"

static const char *refused_port(void)
{
	return "1"; /* tcpmux: nobody listens there */
}

static struct run connect_with(const char *rules, const char *options, const char *const *env)
{
	const char *const argv[] = { helper_path("connect-once"), "127.0.0.1", refused_port(),
				     NULL };

	return run_program(&(struct program){
		.argv = argv,
		.under = RUN_SHIM,
		.rules = rules,
		.options = options,
		.env = env,
	});
}

/* ---- rules that cannot be used ---- */

static void check_refused(struct run run, const char *fault)
{
	assert_exit(run, 1);
	assert_output(run, "connect: Connection refused\n");
	assert_int_equal(count_lines(run.err, "retryshim:"), 1);
	assert_contains(run.err, "retryshim: event=rules action=refused file=");
	assert_contains(run.err, fault);
	run_free(&run);
}

static void bad_rules_are_told_once(void **state)
{
	const char *rules = rules_file("[policy default]\nmax_attempts = 0\nbase = 1\n" QUICK);

	(void)state;
	check_refused(connect_with(rules, NULL, NULL), "line=2 error=");
	check_refused(connect_with(NULL, "no_such_key=1", NULL), "file=RETRYSHIM_OPTIONS error=");
	check_refused(connect_with(temp_path("missing.ini"), NULL, NULL), "missing.ini error=");
}

static void two_calls_one_line(void **state)
{
	const char *rules = rules_file("[rule it]\n");
	const char *const argv[] = { helper_path("connect-case"), "bad-arguments", refused_port(),
				     NULL };
	struct run run =
		run_program(&(struct program){ .argv = argv, .under = RUN_SHIM, .rules = rules });

	(void)state;
	assert_exit(run, 0);
	assert_int_equal(count_lines(run.err, "retryshim:"), 1);
	run_free(&run);
}

static void a_refusal_goes_where_the_options_say(void **state)
{
	const char *log = temp_path("refusal");
	char options[300], *text;
	struct run run = connect_with(rules_file("[rule it]\n"), "log=none", NULL);
	size_t len;

	(void)state;
	assert_exit(run, 1);
	assert_string_equal(run.err, "");
	run_free(&run);
	(void)snprintf(options, sizeof(options), "log=%s;log_format=json", log);
	run = connect_with(rules_file("[rule it]\n"), options, NULL);
	assert_string_equal(run.err, "");
	run_free(&run);
	text = read_file(log, &len);
	assert_non_null(text);
	assert_contains(text, "{\"event\":\"rules\",\"action\":\"refused\",");
	free(text);
	unlink(log);
}

static void a_value_too_long_is_no_rule(void **state)
{
	static char paths[10000];

	(void)state;
	memset(paths, 'a', sizeof(paths) - 1);
	check_refused(connect_with(paths, NULL, NULL), "file=RETRYSHIM_RULES error=");
}

/* The linker then leaves no trace of where its list of libraries is. */
static void symbols_bound_at_start(void **state)
{
	const char *const env[] = { "LD_BIND_NOW=1", NULL };
	struct run run = connect_with(rules_file(QUICK), NULL, env);

	(void)state;
	assert_exit(run, 1);
	assert_output(run, "connect: Connection refused\n");
	assert_contains(run.err, "event=exhausted rule=it ");
	run_free(&run);
}

static void disabled(void **state)
{
	static const char *const env[] = { "RETRYSHIM_DISABLE=1", NULL };
	struct run run = connect_with(rules_file(QUICK), "log_level=debug", env);

	(void)state;
	assert_exit(run, 1);
	assert_string_equal(run.err, "");
	run_free(&run);
	run = connect_with(rules_file(QUICK), "log_level=debug;mode=off", NULL);
	assert_exit(run, 1);
	assert_lacks(run.err, "event=retry");
	run_free(&run);
}

static void rules_of_the_user(void **state)
{
	char setting[512];
	const char *const env[] = { setting, NULL };
	struct run run;

	(void)state;
	(void)snprintf(setting, sizeof(setting), "XDG_CONFIG_HOME=%s", temp_dir());
	(void)temp_file("retryshim.ini", QUICK, strlen(QUICK));
	run = connect_with(NULL, "log_level=info", env);
	assert_int_equal(count_lines(run.err, "event=retry rule=it"), 3);
	run_free(&run);
	unlink(temp_path("retryshim.ini"));
}

/* It makes no way for other rules: the program runs as if the library were not there. */
static void rules_of_the_user_that_lead_nowhere(void **state)
{
	char setting[512];
	const char *const env[] = { setting, NULL };
	struct run run;

	(void)state;
	(void)snprintf(setting, sizeof(setting), "XDG_CONFIG_HOME=%s", temp_dir());
	assert_int_equal(symlink("/nonexistent/rules.ini", temp_path("retryshim.ini")), 0);
	run = connect_with(NULL, "log_level=info", env);
	assert_int_equal(count_lines(run.err, "event="), 1);
	assert_contains(run.err, "event=rules action=refused file=");
	assert_contains(run.err, "/retryshim.ini error=\"No such file or directory\" faults=1\n");
	run_free(&run);
	unlink(temp_path("retryshim.ini"));
}

/* One line, however many there are. */
static void thousands_of_faults(void **state)
{
	enum { FAULTS = 5000 };
	struct run run = connect_with(rules_file_with_faults(FAULTS), "log_level=info", NULL);

	(void)state;
	assert_int_equal(count_lines(run.err, "event="), 1);
	assert_contains(run.err, " line=2 error=\"unknown key 'x' in [retryshim]\" faults=5000\n");
	run_free(&run);
}

/* Directories that can be none leave everything else as it is. */
static void directories_too_long(void **state)
{
	static char config[6000] = "XDG_CONFIG_HOME=/", runtime[6000] = "XDG_RUNTIME_DIR=/";
	const char *const env[] = { config, runtime, NULL };
	struct run run;

	(void)state;
	memset(config + strlen(config), 'x', sizeof(config) - strlen(config) - 1);
	memset(runtime + strlen(runtime), 'x', sizeof(runtime) - strlen(runtime) - 1);
	run = connect_with(rules_file(QUICK), "log_level=info", env);
	assert_int_equal(count_lines(run.err, "event=retry rule=it"), 3);
	assert_lacks(run.err, "event=rules");
	run_free(&run);
}

static void program_matcher_sees_the_executable(void **state)
{
	static const char rules[] = "[policy default]\nbase = 2ms\n"
				    "[rule other]\nprogram = curl\nerror = refused\n"
				    "[rule mine]\nprogram = connect-*\nerror = refused\n";
	struct run run = connect_with(rules_file(rules), "log_level=info", NULL);

	(void)state;
	assert_int_equal(count_lines(run.err, "event=retry rule=mine"), 3);
	run_free(&run);
}

static void a_seed_repeats_the_waits(void **state)
{
	static const char rules[] = "[policy default]\nbase = 20ms\n[rule it]\nerror = refused\n";
	struct run one = connect_with(rules_file(rules), "log_level=info;seed=7", NULL);
	struct run two = connect_with(rules_file(rules), "log_level=info;seed=7", NULL);

	(void)state;
	assert_int_equal(count_lines(one.err, "event=retry"), 3);
	*strstr(one.err, "elapsed_ms") = '\0';
	*strstr(two.err, "elapsed_ms") = '\0';
	assert_string_equal(one.err, two.err);
	run_free(&one);
	run_free(&two);
}

/* What a process and its forked children draw is not the same: they would come back in step. */
static void forked_children_do_not_wait_in_step(void **state)
{
	static const char rules[] = "[retryshim]\nmode = observe\nlog_level = info\n"
				    "[policy default]\nbase = 20s\n[rule it]\nerror = refused\n";
	static const char script[] = ": 3<>/dev/tcp/127.0.0.1/1\n"
				     "for i in 1 2 3; do (: 3<>/dev/tcp/127.0.0.1/1); done";
	struct run run = run_words(RUN_SHIM, rules_file(rules), "bash", "-c", script);
	long waits[4] = { 0 };
	const char *at = run.err;

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		at = strstr(at, " wait_ms=");
		assert_non_null(at);
		at += strlen(" wait_ms=");
		waits[i] = strtol(at, NULL, 10);
	}
	assert_true(waits[1] != waits[2] || waits[2] != waits[3]);
	run_free(&run);
}

/* ---- what it costs ---- */

/* The system calls of a program run with LD_PRELOAD, one a line; the caller frees. */
static char *trace(const char *preload, const char *const *program)
{
	const char *path = temp_path("trace");
	const char *argv[16] = { "strace", "-f", "-o", path, "-E", preload };
	struct run run;
	size_t len;

	for (int i = 0; program[i]; i++)
		argv[6 + i] = program[i];
	run = run_program(&(struct program){ .argv = argv });
	assert_exit(run, 0);
	run_free(&run);
	return read_file(path, &len);
}

static const char *preload_shim(void)
{
	static char setting[4200];
	char *real = realpath(library_path(), NULL);

	(void)snprintf(setting, sizeof(setting), "LD_PRELOAD=%s", real);
	free(real);
	return setting;
}

static int lines(const char *text)
{
	int count = 0;

	while ((text = strchr(text, '\n'))) {
		count++;
		text++;
	}
	return count;
}

static void check_extra_calls(const char *const *program)
{
	char *shim, *empty;

	if (getenv("RS_COUNTING"))
		skip(); /* a library that counts its lines writes them down at the end */
	shim = trace(preload_shim(), program);
	empty = trace(EMPTY_LIBRARY, program);
	assert_contains(shim, "libretryshim.so");
	assert_contains(empty, "libdl.so.2");
	assert_true(lines(shim) <= lines(empty) + 2);
	free(shim);
	free(empty);
}

static void start_costs_two_system_calls(void **state)
{
	static const char *const program[] = { "true", NULL };

	(void)state;
	check_extra_calls(program);
}

static void success_costs_no_system_call(void **state)
{
	static const struct reply script[] = { { .status = 200 } };
	struct server *server = server_start(script, 1);
	char port[8];
	const char *const program[] = { helper_path("connect-once"), "127.0.0.1", port, NULL };

	(void)state;
	(void)snprintf(port, sizeof(port), "%u", server_port(server));
	check_extra_calls(program);
	server_stop(server);
}

/* Each looks at the body of every response. */
static const char *many_rules(void)
{
	char text[4096];
	size_t len = 0;

	for (int i = 0; i < 40; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len,
					"[rule no%d]\nbody = no such text %d\n", i, i);
	return rules_file(text);
}

/* The calls about memory and signals of so many transfers: when a body comes is up to the kernel.
 */
static int calls_of_transfers(const char *url, const char *count, const char *rules)
{
	const char *path = temp_path("trace");
	char setting[4200];
	const char *const argv[] = { "strace",
				     "-f",
				     "-e",
				     "trace=mmap,mprotect,munmap,rt_sigprocmask",
				     "-o",
				     path,
				     "-E",
				     preload_shim(),
				     "-E",
				     setting,
				     helper_path("fetch-many"),
				     url,
				     count,
				     NULL };
	struct run run;
	size_t len;
	char *text;
	int made;

	(void)snprintf(setting, sizeof(setting), "RETRYSHIM_RULES=%s", rules);
	run = run_program(&(struct program){ .argv = argv });
	assert_exit(run, 0);
	run_free(&run);
	text = read_file(path, &len);
	made = lines(text);
	free(text);
	return made;
}

static void judging_costs_no_system_call(void **state)
{
	static const struct reply script[] = { { .status = 200, .body = "all is well" } };
	struct server *server = server_start(script, 1);
	const char *rules = many_rules();
	char url[64];

	(void)state;
	(void)snprintf(url, sizeof(url), "http://127.0.0.1:%u/", server_port(server));
	assert_int_equal(calls_of_transfers(url, "30", rules),
			 calls_of_transfers(url, "10", rules));
	server_stop(server);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bad_rules_are_told_once),
		cmocka_unit_test(two_calls_one_line),
		cmocka_unit_test(a_refusal_goes_where_the_options_say),
		cmocka_unit_test(a_value_too_long_is_no_rule),
		cmocka_unit_test(symbols_bound_at_start),
		cmocka_unit_test(disabled),
		cmocka_unit_test(rules_of_the_user),
		cmocka_unit_test(rules_of_the_user_that_lead_nowhere),
		cmocka_unit_test(thousands_of_faults),
		cmocka_unit_test(directories_too_long),
		cmocka_unit_test(program_matcher_sees_the_executable),
		cmocka_unit_test(a_seed_repeats_the_waits),
		cmocka_unit_test(forked_children_do_not_wait_in_step),
		cmocka_unit_test(start_costs_two_system_calls),
		cmocka_unit_test(success_costs_no_system_call),
		cmocka_unit_test(judging_costs_no_system_call),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
