/*
 * Counters that all programs under the shim share, and `retryshim stats`.
 */
#include "harness.h"
#include "server.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define POLICY                                                                                     \
	"[policy default]\nmax_attempts = 3\nbase = 10ms\njitter = none\n"                         \
	"[rule busy]\nstatus = 503\n[rule refused]\nerror = refused\nquota = small\n"              \
	"[quota small]\ncapacity = 30\n"

static const char *counters_path(void)
{
	static int count;
	char name[32];

	(void)snprintf(name, sizeof(name), "counters-%d", count++);
	return temp_path(name);
}

static const char *rules_to(const char *path)
{
	char text[1024];

	(void)snprintf(text, sizeof(text), "[retryshim]\nlog_level = info\nstats = %s\n" POLICY,
		       path);
	return rules_file(text);
}

static struct run stats(const char *option, const char *path)
{
	if (!option)
		return run_words(RUN_BARE, NULL, command_path(), "stats", path);
	return run_words(RUN_BARE, NULL, command_path(), "stats", option, path);
}

static void curl(const char *rules, const char *url)
{
	struct run run = run_words(RUN_SHIM, rules, "curl", "-sS", url);

	run_free(&run);
}

/* One of each: a call that went well, one that recovered, one that did not. */
static void count_some(const char *rules)
{
	static const struct reply script[] = {
		{ .path = "/once", .status = 503, .times = 1 },
		{ .path = "/once", .body = "ok\n" },
		{ .path = "/well", .body = "ok\n" },
		{ .path = "/never", .status = 503 },
	};
	struct server *server = server_start(script, 4), *dead = server_start_refusing();

	curl(rules, server_url(server, "/well"));
	curl(rules, server_url(server, "/once"));
	curl(rules, server_url(server, "/never"));
	curl(rules, server_url(dead, "/")); /* 30 tokens are two retries */
	server_stop(server);
	server_stop(dead);
}

static void json(void **state)
{
	const char *path = counters_path();
	struct run run;

	(void)state;
	count_some(rules_to(path));
	run = stats("--json", path);
	assert_exit(run, 0);
	assert_contains(run.out, "{\"call\":\"curl\",\"rule\":null,\"calls\":1,\"retries\":0,"
				 "\"recovered\":0,\"exhausted\":0,\"quota_refused\":0,"
				 "\"wait_ms\":0}");
	assert_contains(run.out, "{\"call\":\"curl\",\"rule\":\"busy\",\"calls\":2,\"retries\":3,"
				 "\"recovered\":1,\"exhausted\":1,\"quota_refused\":0,"
				 "\"wait_ms\":40}");
	assert_contains(run.out, "{\"call\":\"curl\",\"rule\":\"refused\",\"calls\":1,"
				 "\"retries\":2,\"recovered\":0,\"exhausted\":1,"
				 "\"quota_refused\":0,\"wait_ms\":30}");
	run_free(&run);
}

static void table(void **state)
{
	const char *path = counters_path();
	struct run run;

	(void)state;
	count_some(rules_to(path));
	run = stats(NULL, path);
	assert_exit(run, 0);
	assert_int_equal(count_lines(run.out, "curl"), 3);
	assert_contains(run.out, "CALL     RULE         CALLS    RETRIES  RECOVERED  EXHAUSTED");
	assert_contains(run.out, "curl     busy             2          3          1          1"
				 "          0  40 ms\n");
	run_free(&run);
}

/* promtool's own judgement, and a value. */
static void prometheus(void **state)
{
	const char *path = counters_path();
	struct run run, promtool;

	(void)state;
	count_some(rules_to(path));
	run = stats("--prometheus", path);
	assert_exit(run, 0);
	assert_contains(run.out, "# TYPE retryshim_calls_total counter\n");
	assert_contains(run.out, "\nretryshim_calls_total{call=\"curl\",rule=\"\"} 1\n");
	assert_contains(run.out, "\nretryshim_retries_total{call=\"curl\",rule=\"busy\"} 3\n");
	assert_contains(run.out, "\nretryshim_recovered_total{call=\"curl\",rule=\"busy\"} 1\n");
	assert_contains(run.out, "\nretryshim_exhausted_total{call=\"curl\",rule=\"refused\"} 1\n");
	assert_contains(run.out,
			"\nretryshim_quota_refused_total{call=\"curl\",rule=\"busy\"} 0\n");
	assert_contains(run.out, "\nretryshim_wait_seconds_total{call=\"curl\",rule=\"busy\"} "
				 "0.040000000\n");
	if (access("/usr/bin/promtool", X_OK) != 0)
		skip();
	promtool = run_program(&(struct program){
		.argv = (const char *const[]){ "promtool", "check", "metrics", NULL },
		.input = run.out,
		.input_len = run.out_len,
	});
	assert_exit(promtool, 0);
	assert_string_equal(promtool.err, "");
	run_free(&promtool);
	run_free(&run);
}

/* A call that its quota refused. */
static void refused_by_quota(void **state)
{
	const char *path = counters_path(), *rules = rules_to(path);
	struct server *dead = server_start_refusing();
	char url[64];
	struct run run;

	(void)state;
	(void)snprintf(url, sizeof(url), "http://127.0.0.1:%u/[1-2]", server_port(dead));
	curl(rules, url);
	run = stats("--json", path);
	assert_contains(run.out, "\"calls\":2,\"retries\":2,\"recovered\":0,\"exhausted\":2,"
				 "\"quota_refused\":1");
	run_free(&run);
	server_stop(dead);
}

/* connect() counts too: a success once the rules are read, at the latest when the program ends;
 * a forked child that ends does not tell its parent's. */
static void connects(void **state)
{
	static const struct reply script[] = { { .status = 200 } };
	const char *path = counters_path();
	struct server *server = server_start(script, 1), *dead = server_start_refusing();
	char text[400];
	const char *const argv[] = { "bash", "-c", text, NULL };
	struct run run;

	(void)state;
	(void)snprintf(text, sizeof(text),
		       ": 3<>/dev/tcp/127.0.0.1/%u; : 3<>/dev/tcp/127.0.0.1/%u; "
		       ": 3<>/dev/tcp/127.0.0.1/%u; (: 3<>/dev/tcp/127.0.0.1/%u); exit 0",
		       server_port(dead), server_port(server), server_port(server),
		       server_port(server));
	run = run_program(
		&(struct program){ .argv = argv, .under = RUN_SHIM, .rules = rules_to(path) });
	assert_exit(run, 0);
	run_free(&run);
	run = stats("--json", path);
	assert_contains(run.out, "{\"call\":\"connect\",\"rule\":null,\"calls\":3,");
	assert_contains(run.out, "{\"call\":\"connect\",\"rule\":\"refused\",\"calls\":1,"
				 "\"retries\":2,");
	run_free(&run);
	server_stop(server);
	server_stop(dead);
}

/* A long-lived program that only succeeds tells so while it runs. */
static void told_while_running(void **state)
{
	static const struct reply script[] = { { .body = "ok\n" } };
	struct server *server = server_start(script, 1);
	const char *path = counters_path();
	char url[64];
	const char *const argv[] = { "curl", "-sS", "--rate", "10/s", url, NULL };
	struct program program = { .argv = argv, .under = RUN_SHIM, .rules = rules_to(path) };
	struct child *child;
	struct run run = { 0 };
	bool told = false;

	(void)state;
	(void)snprintf(url, sizeof(url), "http://127.0.0.1:%u/[1-1000]", server_port(server));
	child = child_start(&program);
	for (int i = 0; i < 100 && !told; i++) {
		run_free(&run);
		(void)server_wait_requests(server, server_request_count(server) + 1, 1000);
		run = stats("--json", path);
		told = strstr(run.out, "\"rule\":null,\"calls\":") != NULL;
	}
	assert_true(told);
	run_free(&run);
	(void)kill(child_pid(child), SIGKILL);
	run = child_finish(child);
	run_free(&run);
	server_stop(server);
}

/* Forty at once, ten of them killed: what the others did is counted, and the file is whole. */
static void parallel_and_killed(void **state)
{
	enum { COMMANDS = 40, KILLED = 10 };
	static const struct reply script[] = { { .status = 503 } };
	struct server *server = server_start(script, 1);
	const char *path = counters_path(), *rules = rules_to(path);
	const char *const argv[] = { "curl", "-sS", server_url(server, "/"), NULL };
	struct program program = { .argv = argv, .under = RUN_SHIM, .rules = rules };
	struct child *children[COMMANDS];
	struct run run;
	char *found;
	int calls;

	(void)state;
	for (int i = 0; i < COMMANDS; i++) {
		children[i] = child_start(&program);
		if (i % 4 == 3)
			(void)kill(child_pid(children[i - 3]), SIGKILL);
	}
	for (int i = 0; i < COMMANDS; i++) {
		run = child_finish(children[i]);
		run_free(&run);
	}
	run = stats("--json", path);
	assert_exit(run, 0);
	found = strstr(run.out, "\"rule\":\"busy\",\"calls\":");
	assert_non_null(found);
	calls = (int)strtol(found + strlen("\"rule\":\"busy\",\"calls\":"), NULL, 10);
	assert_in_range(calls, COMMANDS - KILLED, COMMANDS);
	run_free(&run);
	server_stop(server);
}

/* ---- what may be in the way ---- */

static void check_not_counted(const char *path, const char *cause)
{
	static const struct reply script[] = { { .status = 503 } };
	struct server *server = server_start(script, 1);
	struct run run =
		run_words(RUN_SHIM, rules_to(path), "curl", "-sS", server_url(server, "/"));

	assert_exit(run, 0);
	assert_int_equal(count_lines(run.err, "event=rules action=not_counted"), 1);
	assert_contains(run.err, cause);
	assert_int_equal(count_lines(run.err, "event=retry"), 2);
	assert_int_equal(server_request_count(server), 3);
	run_free(&run);
	server_stop(server);
}

static void unusable_files(void **state)
{
	const char *notes = temp_file("notes", "keep me\n", 8);
	const char *wild = counters_path();
	char *text;
	size_t len;

	(void)state;
	check_not_counted("/nonexistent/counters", "error=\"no such directory\"");
	check_not_counted("/dev/null", "error=\"");
	check_not_counted(notes, "error=\"is a file of another kind or version\"");
	text = read_file(notes, &len);
	assert_bytes(text, len, "keep me\n", 8);
	free(text);
	count_some(rules_to(wild));
	assert_int_equal(chmod(wild, 0666), 0);
	check_not_counted(wild, "error=\"others may write to it or use it\"");
}

static void full_disk(void **state)
{
	static const struct reply script[] = { { .status = 503 } };
	struct server *server = server_start(script, 1);
	const char *dir = counters_path();
	char path[300];
	const char *const argv[] = {
		"unshare",
		"--mount",
		"sh",
		"-c",
		"mount -t tmpfs -o size=64k none \"$0\" && exec curl -sS \"$1\"",
		dir,
		server_url(server, "/"),
		NULL
	};
	struct program program = { .argv = argv, .under = RUN_SHIM };
	struct run run;

	(void)state;
	assert_int_equal(mkdir(dir, 0700), 0);
	(void)snprintf(path, sizeof(path), "%s/counters", dir);
	program.rules = rules_to(path);
	run = run_program(&program);
	if (run.status != 0) {
		server_stop(server);
		skip(); /* not allowed to mount */
	}
	assert_int_equal(count_lines(run.err, "event=rules action=not_counted"), 1);
	assert_contains(run.err, "error=\"no space left\"");
	assert_int_equal(count_lines(run.err, "event=retry"), 2);
	run_free(&run);
	server_stop(server);
}

/* ---- the command ---- */

static void the_rules_name_the_file(void **state)
{
	const char *path = counters_path(), *rules = rules_to(path);
	const char *const argv[] = { command_path(), "stats", "--json", NULL };
	struct program program = { .argv = argv, .rules = rules };
	char *start;
	struct run run;

	(void)state;
	count_some(rules);
	run = run_program(&program);
	assert_exit(run, 0);
	if (asprintf(&start, "{\"file\":\"%s\",\"counters\":[", path) < 0)
		fail();
	assert_contains(run.out, start);
	free(start);
	run_free(&run);
	program.rules = NULL;
	run = run_program(&program);
	assert_exit(run, 2);
	assert_contains(run.err, "the rules in force have no stats = PATH");
	run_free(&run);
}

static void wrong_use(void **state)
{
	static const struct {
		const char *option, *file, *says;
		int status;
	} cases[] = {
		{ "--jsn", "x", "did you mean --json?", 2 },
		{ "--json=1", "x", "takes no value", 2 },
		{ "x", "y", "one file at a time", 2 },
		{ "--json", "/nonexistent", "nothing was counted yet", 1 },
		{ "--json", "/etc/passwd", "is not a file of counters", 1 },
		{ "--json", "/dev/zero", "is not a file of counters", 1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct run run = stats(cases[i].option, cases[i].file);

		assert_exit(run, cases[i].status);
		assert_contains(run.err, cases[i].says);
		assert_int_equal(count_lines(run.err, "retryshim: stats: "), 1);
		run_free(&run);
	}
}

/* A file's name may be any bytes; what is printed for programs is UTF-8 all the same. */
static void a_name_of_any_bytes(void **state)
{
	static const char name[] = "a\"b\\\n\001\351\303\251\355\240\200\360\237\230\200";
	const char *path = temp_path(name);
	struct run run;

	(void)state;
	count_some(rules_to(temp_path("plain")));
	assert_int_equal(rename(temp_path("plain"), path), 0);
	run = stats("--json", path);
	assert_exit(run, 0);
	assert_contains(run.out, "/a\\\"b\\\\\\u000a\\u0001\\ufffd\303\251"
				 "\\ufffd\\ufffd\\ufffd\360\237\230\200\",\"counters\":[{");
	run_free(&run);
	assert_int_equal(unlink(path), 0);
}

/* Goes on until it is stopped, and shows what is new. */
static void watching(void **state)
{
	const char *path = counters_path(), *rules = rules_to(path);
	const char *const argv[] = { command_path(), "stats", "--watch", path, NULL };
	struct program program = { .argv = argv };
	struct child *child;
	struct run run;

	(void)state;
	count_some(rules);
	child = child_start(&program);
	assert_true(child_wait_output(child, "busy             2"));
	count_some(rules);
	assert_true(child_wait_output(child, "busy             4"));
	(void)kill(child_pid(child), SIGTERM);
	run = child_finish(child);
	assert_int_equal(run.signal, SIGTERM);
	run_free(&run);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(json),
		cmocka_unit_test(table),
		cmocka_unit_test(prometheus),
		cmocka_unit_test(refused_by_quota),
		cmocka_unit_test(connects),
		cmocka_unit_test(told_while_running),
		cmocka_unit_test(parallel_and_killed),
		cmocka_unit_test(unusable_files),
		cmocka_unit_test(full_disk),
		cmocka_unit_test(the_rules_name_the_file),
		cmocka_unit_test(wrong_use),
		cmocka_unit_test(a_name_of_any_bytes),
		cmocka_unit_test(watching),
	};

	return cmocka_run_group_tests_name("stats", tests, NULL, NULL);
}
