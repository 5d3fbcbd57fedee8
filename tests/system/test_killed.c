/*
 * Commands that are killed at any instant while they share a budget, counters, a log and a report:
 * what they leave is valid, adds up, and is locked by nobody. $RS_SEED repeats a run, as far as
 * timing allows; $RS_KILL_SECONDS is how long it lasts.
 */
#include "harness.h"
#include "random_plan.h"
#include "retry/ledger.h"
#include "server.h"

#include <ctype.h>
#include <dirent.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define AT_ONCE  6
#define MOST     2000 /* commands in all */
#define COST     14
#define RETRIES  300 /* that the bucket pays for */
#define CAPACITY (RETRIES * COST)

/* Every fourth command asks for what is gone, which runs a command that says much. */
#define RULES                                                                                      \
	"[retryshim]\nlog = %s/log\nlog_format = json\nlog_level = info\n"                         \
	"report = %s/report\nstats = %s/stats\n"                                                   \
	"[policy default]\nmax_attempts = 4\nbackoff = constant\nbase = 2ms\njitter = none\n"      \
	"quota = shared\n[quota shared]\nscope = host\ncapacity = %d\n"                            \
	"[rule busy]\nstatus = 503\n"                                                              \
	"[rule gone]\nclass = followup\nstatus = 410\nfollowup = seq 100 700\n"

static const struct reply script[] = {
	{ .path = "/busy", .status = 503, .body = "busy" },
	{ .path = "/gone", .status = 410, .body = "gone" },
};

struct scene {
	struct server *server;
	const char *dir, *rules;
	char runtime[300];
	uint64_t state;
	int begun, killed;
	int64_t lasts_ns; /* a command that is not killed */
};

static struct child *start(struct scene *scene)
{
	char header[32];
	bool gone = scene->begun % 4 == 3;
	const char *const env[] = { scene->runtime, NULL };
	const char *const argv[] = {
		"curl", "-sS", "-H", header, server_url(scene->server, gone ? "/gone" : "/busy"),
		NULL
	};
	struct program program = {
		.argv = argv, .under = RUN_SHIM, .rules = scene->rules, .env = env
	};

	(void)snprintf(header, sizeof(header), "X-Number: %d", scene->begun++);
	return child_start(&program);
}

static void end(struct child *child)
{
	struct run run = child_finish(child);

	assert_false(run.timed_out);
	assert_true(run.signal == SIGKILL || (run.status == 0 && run.out_len == 4));
	run_free(&run);
}

/* Some at once; all but two of them are killed, each a random time after its beginning. */
static void some(struct scene *scene)
{
	struct child *children[AT_ONCE];
	int64_t began_ns = now_ns();

	for (int i = 0; i < AT_ONCE; i++)
		children[i] = start(scene);
	for (int i = 2; i < AT_ONCE; i++) {
		int64_t at_ns = (int64_t)(plan_random(&scene->state) % (uint64_t)scene->lasts_ns);
		int64_t left_ns = at_ns / (AT_ONCE - 2);
		const struct timespec pause = { .tv_nsec = left_ns % 1000000000 };

		(void)nanosleep(&pause, NULL);
		scene->killed += kill(child_pid(children[i]), SIGKILL) == 0;
	}
	for (int i = 0; i < AT_ONCE; i++)
		end(children[i]);
	scene->lasts_ns = (scene->lasts_ns * 7 + (now_ns() - began_ns)) / 8;
}

/* ---- what is left ---- */

static void check_lines(const char *path)
{
	static const char text[] = "import json, sys\n"
				   "text = open(sys.argv[1]).read()\n"
				   "assert text.endswith('\\n')\n"
				   "for line in text.splitlines(): json.loads(line)\n";
	struct run run = run_words(RUN_BARE, NULL, "python3", "-c", text, path);

	assert_string_equal(run.err, "");
	run_free(&run);
	run = run_words(RUN_BARE, NULL, "flock", "-n", "-x", path, "true");
	assert_exit(run, 0);
	run_free(&run);
}

/* Requests for /busy beyond the first one of each command. */
static int retries_seen(struct server *server)
{
	static bool seen[MOST + AT_ONCE + 1];
	size_t count;
	const struct request *const *requests = server_requests(server, &count);
	int retries = 0;

	for (size_t i = 0; i < count; i++) {
		char value[16];
		long number;

		if (strcmp(requests[i]->target, "/busy") != 0)
			continue;
		assert_int_equal(request_header(requests[i], "X-Number", value, sizeof(value)), 1);
		number = strtol(value, NULL, 10);
		retries += seen[number];
		seen[number] = true;
	}
	return retries;
}

static int counted(const char *path, const char *rule, const char *counter)
{
	struct run run = run_words(RUN_BARE, NULL, command_path(), "stats", "--json", path);
	char word[64];
	const char *at;
	int value;

	assert_exit(run, 0);
	(void)snprintf(word, sizeof(word), "\"rule\":\"%s\"", rule);
	at = strstr(run.out, word);
	assert_non_null(at);
	(void)snprintf(word, sizeof(word), "\"%s\":", counter);
	at = strstr(at, word);
	assert_non_null(at);
	value = (int)strtol(at + strlen(word), NULL, 10);
	run_free(&run);
	return value;
}

/* What all buckets together lack. */
static long spent(const char *path)
{
	size_t len = 0;
	char *bytes = read_file(path, &len);
	struct rs_ledger *ledger = (void *)bytes;
	long sum = 0;

	assert_int_equal(len, sizeof(*ledger));
	for (size_t i = 0; i < RS_LEDGER_SLOTS; i++)
		sum += (long)(atomic_load(&ledger->slots[i].used) >> 32);
	free(bytes);
	return sum;
}

/* Each step is taken after the one before it, and may be the last. */
static void check_sums(struct scene *scene)
{
	char stats[300], budget[320];
	int seen = retries_seen(scene->server), told;
	long paid;

	(void)snprintf(stats, sizeof(stats), "%s/stats", scene->dir);
	(void)snprintf(budget, sizeof(budget), "%s/retryshim/budget", scene->dir);
	told = counted(stats, "busy", "retries");
	paid = spent(budget);
	print_message("%d commands, %d killed; %d retries seen, %d counted, %ld tokens spent\n",
		      scene->begun, scene->killed, seen, told, paid);
	assert_true(seen <= told);
	assert_true(told * COST <= paid);
	assert_true(paid <= CAPACITY);
	assert_int_equal(paid % COST, 0);
	assert_true(seen + scene->killed >= (int)(paid / COST));
	assert_true(counted(stats, "busy", "exhausted") <= scene->begun);
}

/* Helpers of commands do not outlive, for long, a program that is killed. */
static int helpers(const char *rules)
{
	DIR *dir = opendir("/proc");
	const struct dirent *entry;
	int count = 0;

	assert_non_null(dir);
	while ((entry = readdir(dir)) != NULL) {
		char path[64];
		size_t len = 0;
		char *text;

		if (!isdigit((unsigned char)entry->d_name[0]))
			continue;
		(void)snprintf(path, sizeof(path), "/proc/%.20s/environ", entry->d_name);
		text = read_file(path, &len);
		count += text && memmem(text, len, rules, strlen(rules)) != NULL;
		free(text);
	}
	(void)closedir(dir);
	return count;
}

static void check_nobody_is_left(const struct scene *scene)
{
	int64_t until_ns = now_ns() + INT64_C(10000000000);

	while (helpers(scene->rules) > 0 && now_ns() < until_ns)
		(void)poll(NULL, 0, 20);
	assert_int_equal(helpers(scene->rules), 0);
}

static void check_next_one_works(struct scene *scene)
{
	scene->begun -= scene->begun % 4; /* it asks for what is busy */
	end(start(scene));
}

static const char *setting(const char *name, const char *otherwise)
{
	const char *value = getenv(name);

	return value ? value : otherwise;
}

static void prepare(struct scene *scene)
{
	char text[2048];

	scene->server = server_start(script, 2);
	scene->dir = temp_path("shared");
	assert_int_equal(mkdir(scene->dir, 0700), 0);
	(void)snprintf(text, sizeof(text), RULES, scene->dir, scene->dir, scene->dir, CAPACITY);
	scene->rules = rules_file(text);
	(void)snprintf(scene->runtime, sizeof(scene->runtime), "XDG_RUNTIME_DIR=%s", scene->dir);
	scene->lasts_ns = 50000000;
	scene->state = strtoull(setting("RS_SEED", "0"), NULL, 10);
	if (scene->state == 0)
		scene->state = (uint64_t)time(NULL);
	print_message("RS_SEED=%llu\n", (unsigned long long)scene->state);
}

static void killed_at_random(void **state)
{
	struct scene scene = { .begun = 0 };
	int64_t until_ns;
	char path[300];

	(void)state;
	prepare(&scene);
	until_ns = now_ns() + strtoll(setting("RS_KILL_SECONDS", "6"), NULL, 10) * 1000000000;
	while (now_ns() < until_ns && scene.begun < MOST)
		some(&scene);
	check_nobody_is_left(&scene);
	check_sums(&scene);
	check_next_one_works(&scene);
	(void)snprintf(path, sizeof(path), "%s/log", scene.dir);
	check_lines(path);
	(void)snprintf(path, sizeof(path), "%s/report", scene.dir);
	check_lines(path);
	server_stop(scene.server);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(killed_at_random),
	};

	return cmocka_run_group_tests_name("killed", tests, NULL, NULL);
}
