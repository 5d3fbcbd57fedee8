/*
 * Thousands of transfers against a server that fails at random: what a program gets is right, or
 * it is a failure; and what the server has received whole is what the program had to send.
 *
 * RS_SEED repeats a run, as far as the timing of threads allows.
 */
#include "harness.h"
#include "random_plan.h"
#include "random_server.h"
#include "server.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define FAULT_PERCENT 40

#define RULES                                                                                      \
	"[retryshim]\nlog = none\nspool_limit = 100KiB\n"                                          \
	"[policy default]\nmax_attempts = 6\nbase = 1ms\njitter = none\nquota = none\n"            \
	"[rule broken]\nerror = timeout, reset, partial, CURLE_GOT_NOTHING, CURLE_RECV_ERROR, "    \
	"CURLE_SEND_ERROR\nmethod = any\n"                                                         \
	"[rule status]\nstatus = 429, 503\nmethod = any\n"                                         \
	"[rule body]\nstatus = 500\nbody = busy\nmethod = any\n"                                   \
	"[rule hold]\nstatus = 2xx\nbody = no such text\nurl = *h\nmethod = any\n"

/* Every request body that arrived whole. */
static size_t check_received(struct server *server, const struct chaos *chaos)
{
	size_t count, checked = 0;
	const struct request *const *requests = server_requests(server, &count);

	for (size_t i = 0; i < count; i++) {
		int right = chaos_check(chaos, requests[i]);

		assert_int_not_equal(right, -1);
		checked += right == 1;
	}
	return checked;
}

static uint64_t choose_seed(void)
{
	const char *given = getenv("RS_SEED");

	return given ? strtoull(given, NULL, 10) : (uint64_t)time(NULL);
}

static const char *environment(const char *name, const char *otherwise)
{
	const char *value = getenv(name);

	return value ? value : otherwise;
}

static unsigned long number_after(const char *text, const char *word)
{
	const char *at = strstr(text, word);

	assert_non_null(at);
	return strtoul(at + strlen(word), NULL, 10);
}

static void nothing_is_ever_wrong(void **state)
{
	char *bytes = noise(PLAN_NOISE, PLAN_SEED), seed[24];
	struct chaos chaos = { .seed = choose_seed(),
			       .noise = bytes,
			       .fault_percent = FAULT_PERCENT };
	struct server *server = server_start_with(
		&(struct server_options){ .decide = chaos_decide, .decide_arg = &chaos }, NULL, 0);
	const char *count = environment("RS_TRANSFERS", "2400");
	struct run run;
	unsigned long good, failed;
	size_t uploads;

	(void)state;
	(void)snprintf(seed, sizeof(seed), "%llu", (unsigned long long)chaos.seed);
	run = run_program(&(struct program){
		.argv = (const char *const[]){ helper_path("random-client"), server_url(server, ""),
					       seed, count, "6", NULL },
		.under = RUN_SHIM,
		.rules = rules_file(RULES),
		.timeout_ms = 150000 });
	print_message("seed %s: %s", seed, run.out);
	assert_exit(run, 0);
	good = number_after(run.out, "good ");
	failed = number_after(run.out, "failed ");
	uploads = check_received(server, &chaos);
	print_message("%llu requests, %llu faults, %zu bodies received whole\n", chaos.requests,
		      chaos.faults, uploads);
	assert_int_equal(good + failed, strtoul(count, NULL, 10));
	assert_true(good > failed * 5);
	assert_true(uploads > good / 10);
	assert_true(chaos.faults * 100 > chaos.requests * 30);
	run_free(&run);
	server_stop(server);
	free(bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_ever_wrong),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
