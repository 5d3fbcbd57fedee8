/*
 * Buckets of tokens that processes share: a hundred short-lived commands are one client.
 */
#include "harness.h"
#include "server.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define COMMANDS 100
#define KILLED   30
#define CAPACITY 5600
#define COST     14
#define RETRIES  (CAPACITY / COST) /* that the bucket pays for */

#define QUICK                                                                                      \
	"[retryshim]\nlog_level = info\n"                                                          \
	"[policy default]\nmax_attempts = 10\nbackoff = constant\nbase = 1ms\njitter = none\nquota = q\n"
#define RULE "\n[rule it]\nstatus = 5xx\nerror = refused\n"

/* A runtime directory of its own: no bucket is left from another test. */
static const char *runtime_dir(void)
{
	static char setting[256];
	static int count;
	char name[32];
	const char *path;

	(void)snprintf(name, sizeof(name), "runtime-%d", count++);
	path = temp_path(name);
	assert_int_equal(mkdir(path, 0700), 0);
	(void)snprintf(setting, sizeof(setting), "XDG_RUNTIME_DIR=%s", path);
	return setting;
}

static const char *rules_with(const char *scope, int capacity)
{
	char text[512];

	(void)snprintf(text, sizeof(text), QUICK "[quota q]\ncapacity = %d\nscope = %s\n" RULE,
		       capacity, scope);
	return rules_file(text);
}

static struct child *start_curl(const char *rules, const char *dir, const char *url, int number)
{
	char header[32];
	const char *const env[] = { dir, NULL };
	const char *const argv[] = { "curl", "-sS", "-H", header, url, NULL };
	struct program program = { .argv = argv, .under = RUN_SHIM, .rules = rules, .env = env };

	(void)snprintf(header, sizeof(header), "X-Number: %d", number);
	return child_start(&program);
}

static struct run curl(const char *rules, const char *dir, const char *url)
{
	return child_finish(start_curl(rules, dir, url, 0));
}

struct tally {
	int firsts;  /* commands whose first attempt arrived */
	int retries; /* attempts beyond those */
};

static struct tally tally(struct server *server)
{
	size_t count;
	const struct request *const *requests = server_requests(server, &count);
	bool seen[COMMANDS] = { false };
	struct tally result = { 0, 0 };

	for (size_t i = 0; i < count; i++) {
		char value[16];
		int number;

		assert_int_equal(request_header(requests[i], "X-Number", value, sizeof(value)), 1);
		number = (int)strtol(value, NULL, 10);
		assert_in_range(number, 0, COMMANDS - 1);
		result.firsts += !seen[number];
		result.retries += seen[number];
		seen[number] = true;
	}
	return result;
}

static struct server *broken_server(void)
{
	static const struct reply script[] = { { .status = 503, .body = "broken\n" } };

	return server_start(script, 1);
}

/* All at once; `killed` of them do not come to their end. */
static struct tally storm(const char *scope, int killed)
{
	struct server *server = broken_server();
	const char *rules = rules_with(scope, CAPACITY), *dir = runtime_dir();
	struct child *children[COMMANDS];
	struct tally result;

	for (int i = 0; i < COMMANDS; i++) {
		children[i] = start_curl(rules, dir, server_url(server, "/"), i);
		/* One that has begun a little ago: it may be anywhere in its work. */
		if (i >= 10 && i % 3 == 0 && killed-- > 0)
			(void)kill(child_pid(children[i - 10]), SIGKILL);
	}
	for (int i = 0; i < COMMANDS; i++) {
		struct run run = child_finish(children[i]);

		assert_true(run.signal == SIGKILL || run.status == 0);
		run_free(&run);
	}
	result = tally(server);
	server_stop(server);
	return result;
}

/* Total attempts within 5 % of what the bucket's arithmetic says. */
static void check_budget(struct tally result)
{
	int attempts = result.firsts + result.retries, wanted = result.firsts + RETRIES;

	if (attempts > wanted || attempts < wanted - wanted / 20)
		fail_msg("%d first attempts and %d retries, where the bucket pays for %d",
			 result.firsts, result.retries, RETRIES);
}

static void a_hundred_commands_are_one_client(void **state)
{
	struct tally result = storm("host", 0);

	(void)state;
	assert_int_equal(result.firsts, COMMANDS);
	assert_int_equal(result.retries, RETRIES);
	/* Without sharing each has a bucket of its own. */
	result = storm("process", 0);
	assert_int_equal(result.retries, 9 * COMMANDS);
}

static void some_are_killed(void **state)
{
	(void)state;
	check_budget(storm("host", KILLED));
}

static void each_target_has_its_own(void **state)
{
	struct server *one = broken_server(), *two = broken_server();
	const char *rules = rules_with("host+target", 3 * COST), *dir = runtime_dir();

	(void)state;
	for (int i = 0; i < 4; i++) {
		struct run run = curl(rules, dir, server_url(i % 2 ? one : two, "/"));

		run_free(&run);
	}
	/* Two calls to each: three retries, and then no more. */
	assert_int_equal(server_request_count(one), 2 + 3);
	assert_int_equal(server_request_count(two), 2 + 3);
	server_stop(one);
	server_stop(two);
}

/* A success at the first attempt gives back, whichever process makes it. */
static void other_processes_refund(void **state)
{
	static const struct reply works[] = { { .body = "ok\n" } };
	struct server *broken = broken_server(), *good = server_start(works, 1);
	const char *rules = rules_with("host", 2 * COST + 3), *dir = runtime_dir();
	struct run run = curl(rules, dir, server_url(broken, "/"));

	(void)state;
	assert_contains(run.err, "reason=quota");
	assert_contains(run.err, "quota=3\n");
	run_free(&run);
	for (int i = 0; i < 12; i++) {
		run = curl(rules, dir, server_url(good, "/"));
		assert_output(run, "ok\n");
		run_free(&run);
	}
	run = curl(rules, dir, server_url(broken, "/"));
	assert_contains(run.err, "quota=1\n");
	run_free(&run);
	server_stop(broken);
	server_stop(good);
}

/* Then every process is on its own, and says so once. */
static void check_not_shared(const struct run *run, const char *cause)
{
	assert_int_equal(count_lines(run->err, "event=rules action=not_shared"), 1);
	assert_contains(run->err, cause);
	assert_int_equal(count_lines(run->err, "event=retry"), 9);
	assert_int_equal(count_lines(run->err, "event=exhausted"), 1);
}

static void no_runtime_directory(void **state)
{
	struct server *server = broken_server();
	struct run run = curl(rules_with("host", CAPACITY), "XDG_RUNTIME_DIR=/nonexistent",
			      server_url(server, "/"));

	(void)state;
	check_not_shared(&run, "error=\"no such directory\"");
	assert_output(run, "broken\n");
	run_free(&run);
	server_stop(server);
}

static void full_runtime_directory(void **state)
{
	struct server *server = broken_server();
	const char *dir = runtime_dir(), *path = strchr(dir, '=') + 1;
	const char *const env[] = { dir, NULL };
	const char *const argv[] = {
		"unshare",
		"--mount",
		"sh",
		"-c",
		"mount -t tmpfs -o size=8k none \"$0\" && exec curl -sS \"$1\"",
		path,
		server_url(server, "/"),
		NULL
	};
	struct program program = {
		.argv = argv, .under = RUN_SHIM, .rules = rules_with("host", CAPACITY), .env = env
	};
	struct run run;

	(void)state;
	run = child_finish(child_start(&program));
	if (run.status != 0) {
		server_stop(server);
		skip(); /* not allowed to mount */
	}
	check_not_shared(&run, "error=\"no space left\"");
	run_free(&run);
	server_stop(server);
}

/* What others could have put there is not used. */
static void foreign_file(void **state)
{
	struct server *server = broken_server();
	const char *dir = runtime_dir(), *path = strchr(dir, '=') + 1;
	char name[300];
	struct run run;

	(void)state;
	(void)snprintf(name, sizeof(name), "%s/retryshim", path);
	assert_int_equal(mkdir(name, 0700), 0);
	(void)snprintf(name, sizeof(name), "%s/retryshim/budget", path);
	assert_int_equal(symlink("/etc/passwd", name), 0);
	run = curl(rules_with("host", CAPACITY), dir, server_url(server, "/"));
	check_not_shared(&run, "error=\"is a symbolic link\"");
	run_free(&run);
	server_stop(server);
}

/* Mapped, and the descriptor gone. */
static void no_descriptor_stays_open(void **state)
{
	struct server *server = server_start_refusing();
	const char *dir = runtime_dir();
	const char *const env[] = { dir, NULL };
	char script[256];
	const char *const argv[] = { "bash", "-c", script, NULL };
	struct program program = {
		.argv = argv, .under = RUN_SHIM, .rules = rules_with("host", CAPACITY), .env = env
	};
	struct run run;

	(void)state;
	(void)snprintf(script, sizeof(script),
		       ": 3<>/dev/tcp/127.0.0.1/%u; grep -c retryshim/budget "
		       "/proc/$$/maps; for fd in /proc/$$/fd/*; do readlink $fd; done",
		       server_port(server));
	run = child_finish(child_start(&program));
	assert_contains(run.err, "event=retry");
	assert_int_equal(run.out[0], '1');
	assert_lacks(run.out, "/budget\n");
	run_free(&run);
	server_stop(server);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_hundred_commands_are_one_client),
		cmocka_unit_test(some_are_killed),
		cmocka_unit_test(each_target_has_its_own),
		cmocka_unit_test(other_processes_refund),
		cmocka_unit_test(no_runtime_directory),
		cmocka_unit_test(full_runtime_directory),
		cmocka_unit_test(foreign_file),
		cmocka_unit_test(no_descriptor_stays_open),
	};

	return cmocka_run_group_tests_name("budget", tests, NULL, NULL);
}
