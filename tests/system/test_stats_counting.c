/*
 * What is counted in the file that all programs under the shim share, and what may be in the way.
 */
#include "counting.h"
#include "server.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* A call that its quota refused. */
static void refused_by_quota(void **state)
{
	const char *path = counters_path(), *rules = counting_rules(path);
	struct server *dead = server_start_refusing();
	char url[64];
	struct run run;

	(void)state;
	(void)snprintf(url, sizeof(url), "http://127.0.0.1:%u/[1-2]", server_port(dead));
	counting_curl(rules, url);
	run = counting_stats("--json", path);
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
	run = run_program(&(struct program){
		.argv = argv, .under = RUN_SHIM, .rules = counting_rules(path) });
	assert_exit(run, 0);
	run_free(&run);
	run = counting_stats("--json", path);
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
	struct program program = { .argv = argv, .under = RUN_SHIM, .rules = counting_rules(path) };
	struct child *child;
	struct run run = { 0 };
	bool told = false;

	(void)state;
	(void)snprintf(url, sizeof(url), "http://127.0.0.1:%u/[1-1000]", server_port(server));
	child = child_start(&program);
	for (int i = 0; i < 100 && !told; i++) {
		run_free(&run);
		(void)server_wait_requests(server, server_request_count(server) + 1, 1000);
		run = counting_stats("--json", path);
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
	const char *path = counters_path(), *rules = counting_rules(path);
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
	run = counting_stats("--json", path);
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
		run_words(RUN_SHIM, counting_rules(path), "curl", "-sS", server_url(server, "/"));

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
	counting_some(counting_rules(wild));
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
	program.rules = counting_rules(path);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refused_by_quota),   cmocka_unit_test(connects),
		cmocka_unit_test(told_while_running), cmocka_unit_test(parallel_and_killed),
		cmocka_unit_test(unusable_files),     cmocka_unit_test(full_disk),
	};

	return cmocka_run_group_tests_name("stats_counting", tests, NULL, NULL);
}
