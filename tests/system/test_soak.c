/*
 * A busy program's long life under the shim (main_soak.c): nothing it gets is ever wrong, and it
 * holds late what it held early. $RS_SOAK_SECONDS is how long it lasts (make soak SECONDS=3600),
 * $RS_SEED repeats it as far as the timing of threads allows.
 */
#include "harness.h"
#include "random_plan.h"
#include "random_server.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define FAULT_PERCENT  20
#define SLOW_PERMILLE  30
#define SECONDS_SHORT  "10"
#define SECONDS_LOOSER 60 /* after the time is over calls come to their end */

#define RULES                                                                                      \
	"[retryshim]\nlog = %s\nlog_level = warn\nlog_format = json\nreport = %s\nstats = %s\n"    \
	"spool_limit = 100KiB\nreload = 100ms\nannotate = yes\n"                                   \
	"[policy default]\nmax_attempts = 5\nbase = 1ms\ncap = 20ms\nquota = shared\n"             \
	"attempt_timeout = 2s\n"                                                                   \
	"[quota shared]\nscope = host\ncapacity = 100000\nrefund = 14\n"                           \
	"[rule broken]\ncall = curl\nerror = timeout, reset, partial, refused, "                   \
	"CURLE_GOT_NOTHING, CURLE_RECV_ERROR, CURLE_SEND_ERROR\nmethod = any\n"                    \
	"[rule status]\nstatus = 429, 503\nmethod = any\n"                                         \
	"[rule body]\nstatus = 500\nbody = busy\nmethod = any\n"                                   \
	"[rule hold]\nstatus = 2xx\nbody = no such text\nurl = *h\nmethod = any\n"                 \
	"[rule token]\nclass = recoverable\nstatus = 418\nmethod = any\n"                          \
	"recover = echo set-header X-Token: t\n"                                                   \
	"[rule refused]\ncall = connect\nerror = refused\nmax_attempts = 20\nbase = 4ms\n"         \
	"[rule names]\ncall = resolve\nerror = EAI_AGAIN\n"                                        \
	"[fault refusals]\ncall = connect\nerror = ECONNREFUSED\nprobability = 0.05\n"             \
	"[fault resets]\ncall = curl\nerror = CURLE_RECV_ERROR\nprobability = 0.03\n"              \
	"[fault answers]\ncall = curl\nstatus = 503\nprobability = 0.03\n"                         \
	"[fault delays]\ncall = curl\ndelay = 1ms-20ms\nprobability = 0.03\n"                      \
	"[fault cuts]\ncall = curl\ncut = 30000B\nprobability = 0.03\n"

static const char *setting(const char *name, const char *otherwise)
{
	const char *value = getenv(name);

	return value && *value ? value : otherwise;
}

static atomic_ullong bodies, wrong_bodies;

static void arrived(const struct request *request, void *arg)
{
	int right = chaos_check(arg, request);

	atomic_fetch_add(&bodies, right != 0);
	atomic_fetch_add(&wrong_bodies, right < 0);
}

static const char *write_rules(const char *log, const char *report, const char *stats)
{
	char text[4096];

	(void)snprintf(text, sizeof(text), RULES, log, report, stats);
	return rules_file(text);
}

static unsigned long number_after(const char *text, const char *word)
{
	const char *at = strstr(text, word);

	assert_non_null(at);
	return strtoul(at + strlen(word), NULL, 10);
}

/* Whole lines of JSON, or nothing at all. */
static void check_lines(const char *path)
{
	static const char script[] = "import json, sys\n"
				     "for line in open(sys.argv[1]): json.loads(line)\n";
	struct run run;

	if (access(path, F_OK) != 0)
		return;
	run = run_words(RUN_BARE, NULL, "python3", "-c", script, path);
	assert_string_equal(run.err, "");
	assert_exit(run, 0);
	run_free(&run);
}

/* The sum of a counter over all rules. */
static unsigned long total(const char *stats, const char *counter)
{
	struct run run = run_words(RUN_BARE, NULL, command_path(), "stats", "--json", stats);
	unsigned long sum = 0;
	char word[32];

	assert_exit(run, 0);
	(void)snprintf(word, sizeof(word), "\"%s\":", counter);
	for (const char *at = run.out; (at = strstr(at, word)) != NULL; at++)
		sum += strtoul(at + strlen(word), NULL, 10);
	run_free(&run);
	return sum;
}

static void nothing_leaks_and_nothing_is_wrong(void **state)
{
	const char *seconds = setting("RS_SOAK_SECONDS", SECONDS_SHORT);
	const char *log = temp_path("log"), *report = temp_path("report");
	const char *stats = temp_path("stats"), *rules = write_rules(log, report, stats);
	char *bytes = noise(PLAN_NOISE, PLAN_SEED), seed[24], output[64], runtime[300], below[1200];
	struct chaos chaos = { .noise = bytes,
			       .fault_percent = FAULT_PERCENT,
			       .slow_permille = SLOW_PERMILLE };
	const struct server_options options = { .decide = chaos_decide,
						.decide_arg = &chaos,
						.arrived = arrived,
						.arrived_arg = &chaos };
	struct server *server;
	struct run run;

	(void)state;
	chaos.seed = strtoull(setting("RS_SEED", "0"), NULL, 10);
	if (chaos.seed == 0)
		chaos.seed = (uint64_t)time(NULL);
	server = server_start_with(&options, NULL, 0);
	assert_int_equal(mkdir(temp_path("runtime"), 0700), 0);
	(void)snprintf(seed, sizeof(seed), "%llu", (unsigned long long)chaos.seed);
	(void)snprintf(output, sizeof(output), "/proc/%d/fd/1", (int)getpid());
	(void)snprintf(runtime, sizeof(runtime), "XDG_RUNTIME_DIR=%s", temp_path("runtime"));
	(void)snprintf(below, sizeof(below), "LD_PRELOAD=%s:%s:%s", setting("RS_PRELOAD_FIRST", ""),
		       library_path(), helper_path("plugin-lookups.so"));
	print_message("RS_SEED=%s\n", seed);
	(void)fflush(stdout);
	run = run_program(&(struct program){
		.argv = (const char *const[]){ helper_path("soak"), server_url(server, ""), seed,
					       seconds, output, rules, NULL },
		.under = RUN_SHIM,
		.rules = rules,
		.env = (const char *const[]){ below, runtime, "LOOKUPS=EAI_AGAIN:2/7",
					      "MALLOC_ARENA_MAX=2", NULL },
		.timeout_ms = (int)((strtod(seconds, NULL) + SECONDS_LOOSER) * 1000) });
	(void)lseek(STDOUT_FILENO, 0, SEEK_END); /* where that is a file, the program wrote to it */
	print_message("%s%s", run.err, run.out);
	print_message("retries %lu recovered %lu exhausted %lu; requests %llu, faults %llu, "
		      "continued %llu; bodies received %llu, wrong %llu\n",
		      total(stats, "retries"), total(stats, "recovered"), total(stats, "exhausted"),
		      chaos.requests, chaos.faults, chaos.continued, bodies, wrong_bodies);
	assert_exit(run, 0);
	assert_int_equal(wrong_bodies, 0);
	assert_true(number_after(run.out, "transfers good ") >
		    number_after(run.out, "failed ") * 5);
	check_lines(log);
	check_lines(report);
	run_free(&run);
	server_stop(server);
	free(bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_leaks_and_nothing_is_wrong),
	};

	return cmocka_run_group_tests_name("soak", tests, NULL, NULL);
}
