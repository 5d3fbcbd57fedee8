/*
 * Thousands of transfers against a server that fails at random: what a program gets is right, or
 * it is a failure; and what the server has received whole is what the program had to send.
 *
 * RS_SEED repeats a run, as far as the timing of threads allows.
 */
#include "harness.h"
#include "random_plan.h"
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

struct chaos {
	uint64_t seed;
	const char *noise;
	atomic_ullong requests, faults;
};

struct wanted {
	unsigned long long id;
	size_t len, up_len;
	char flags[8];
};

static bool parse(const struct request *request, struct wanted *wanted)
{
	return sscanf(request->target, "/t/%llu/%zu/%zu/%7s", &wanted->id, &wanted->len,
		      &wanted->up_len, wanted->flags) == 4;
}

static bool has_flag(const struct wanted *wanted, char flag)
{
	return strchr(wanted->flags, flag) != NULL;
}

/* An answer that is broken off somewhere. One that lasts until the end of the connection is only
 * known to be broken where it is reset; and libcurl takes headers that end before it has seen a
 * length for such an answer. */
static void break_off(struct reply *reply, const struct wanted *wanted, uint64_t *state)
{
	static const enum reply_part parts[] = { REPLY_START, REPLY_HEADER, REPLY_BODY,
						 REPLY_BODY };

	reply->ending = plan_random(state) % 2 ? REPLY_CUT : REPLY_RESET;
	reply->part = parts[plan_random(state) % 4];
	reply->after = plan_random(state) % (reply->part == REPLY_HEADER ? 100 : 1 + wanted->len);
	if (reply->framing == REPLY_CLOSE || reply->part == REPLY_HEADER)
		reply->ending = REPLY_RESET;
}

/* An answer that says no, with or without waiting for the request's body. */
static void refuse(struct reply *reply, const struct wanted *wanted, uint64_t *state, char *room)
{
	static const int statuses[] = { 429, 500, 503, 503 };

	(void)snprintf(room, DECIDE_ROOM, "busy %llu", wanted->id);
	*reply = (struct reply){ .status = statuses[plan_random(state) % 4],
				 .body = room,
				 .framing = (enum reply_framing)(plan_random(state) % 3),
				 .early = plan_random(state) % 2 == 0 };
}

static void decide(const struct request *request, struct reply *reply, char *room, void *arg)
{
	struct chaos *chaos = arg;
	uint64_t state = plan_state(chaos->seed, atomic_fetch_add(&chaos->requests, 1));
	struct wanted wanted;

	if (!parse(request, &wanted)) {
		reply->status = 404;
		return;
	}
	server_object(request, chaos->noise + plan_offset(wanted.id), wanted.len,
		      has_flag(&wanted, 'e') ? "\"tag\"" : NULL, reply, room);
	reply->gzip = has_flag(&wanted, 'z') && wanted.len > 0;
	if (has_flag(&wanted, 'c'))
		reply->framing = REPLY_CHUNKED;
	if (has_flag(&wanted, 'x'))
		reply->framing = REPLY_CLOSE;
	reply->piece = 1 + plan_random(&state) % 20000;
	if (plan_random(&state) % 100 >= FAULT_PERCENT)
		return;
	atomic_fetch_add(&chaos->faults, 1);
	if (plan_random(&state) % 2)
		refuse(reply, &wanted, &state, room);
	else
		break_off(reply, &wanted, &state);
}

/* Every request body that arrived whole. */
static size_t check_received(struct server *server, const char *bytes)
{
	size_t count, checked = 0;
	const struct request *const *requests = server_requests(server, &count);

	for (size_t i = 0; i < count; i++) {
		const struct request *request = requests[i];
		struct wanted wanted;

		if (!request->body_whole || !parse(request, &wanted))
			continue;
		if (strcmp(request->method, "POST") != 0 && strcmp(request->method, "PUT") != 0)
			continue;
		assert_int_equal(request->body_len, wanted.up_len);
		assert_memory_equal(request->body, bytes + plan_offset(wanted.id), wanted.up_len);
		checked++;
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

static void nothing_is_ever_wrong(void **state)
{
	char *bytes = noise(PLAN_NOISE, PLAN_SEED), seed[24];
	struct chaos chaos = { .seed = choose_seed(), .noise = bytes };
	struct server *server = server_start_with(
		&(struct server_options){ .decide = decide, .decide_arg = &chaos }, NULL, 0);
	const char *count = environment("RS_TRANSFERS", "2400");
	struct run run;
	unsigned long good = 0, failed = 0;
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
	assert_int_equal(sscanf(run.out, "good %lu failed %lu", &good, &failed), 2);
	uploads = check_received(server, bytes);
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
