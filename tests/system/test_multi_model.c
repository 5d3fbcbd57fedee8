/*
 * Random programs of the multi interface, driven in each of the styles: what they come to
 * under the shim, on a server whose answers go wrong at random, is what they come to without it on
 * one that never fails.
 */
#include "harness.h"
#include "server.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOISE     150000
#define TRANSFERS 12
#define PROGRAMS  5 /* per style */
#define TAG       "ETag: \"v1\"\r\n"
#define RULES                                                                                      \
	"[retryshim]\nseed = 1\n"                                                                  \
	"[policy default]\nmax_attempts = unlimited\nmax_elapsed = 10s\nbackoff = constant\n"      \
	"base = 10ms\njitter = equal\nquota = none\n"                                              \
	"[rule it]\nerror = any\nstatus = 500-599, 429\n"

static const char *const styles[] = { "0", "1", "2", "3", "4" };
static char *object;

/* How a server fails: no path more than three times on end. */
struct faults {
	pthread_mutex_t lock;
	bool none;
	uint64_t state;
	int on_end[TRANSFERS];
};

static unsigned dice(struct faults *faults, unsigned sides)
{
	faults->state ^= faults->state >> 12;
	faults->state ^= faults->state << 25;
	faults->state ^= faults->state >> 27;
	return (unsigned)((faults->state * UINT64_C(0x2545F4914F6CDD1D)) >> 33) % sides;
}

static int index_of(const struct request *request)
{
	long index = strtol(request->target + 1, NULL, 10);

	return index >= 0 && index < TRANSFERS ? (int)index : 0;
}

/* The object, or what of it is asked for. */
static void answer(const struct request *request, int index, struct reply *reply, char *room)
{
	size_t size = (size_t)index * (size_t)index * 1000, from = 0;
	char range[64];

	reply->headers = TAG;
	if (request_header(request, "Range", range, sizeof(range)) == 1)
		from = strtoul(range + strlen("bytes="), NULL, 10);
	if (from > 0) {
		reply->status = 206;
		(void)snprintf(room, DECIDE_ROOM, TAG "Content-Range: bytes %zu-%zu/%zu\r\n", from,
			       size - 1, size);
		reply->headers = room;
	}
	reply->body = object + from;
	reply->body_len = size - from;
	reply->raw = NULL;
	if (reply->body_len == 0)
		reply->body = NULL;
}

static void spoil(struct reply *reply, unsigned how, unsigned after)
{
	switch (how) {
	case 0:
		*reply = (struct reply){ .status = 503, .body = "busy" };
		break;
	case 1:
		*reply = (struct reply){ .status = 429, .headers = "Retry-After: 0\r\n" };
		break;
	case 2:
		*reply = (struct reply){ .status = 500, .body = object, .body_len = 40000 };
		break;
	case 3:
		*reply = (struct reply){ .ending = REPLY_RESET, .part = REPLY_START };
		break;
	case 4:
		*reply = (struct reply){ .ending = REPLY_RESET, .part = REPLY_HEADER, .after = 10 };
		break;
	default:
		reply->ending = how == 5 ? REPLY_CUT : REPLY_RESET;
		reply->part = REPLY_BODY;
		reply->after = reply->body_len > 0 ? after % reply->body_len : 0;
	}
}

static void decide(const struct request *request, struct reply *reply, char *room, void *arg)
{
	struct faults *faults = arg;
	int index = index_of(request);
	/* The answer to an upload that breaks off inside its body cannot be had again. */
	bool is_get = strcmp(request->method, "GET") == 0;

	answer(request, index, reply, room);
	if (faults->none)
		return;
	(void)pthread_mutex_lock(&faults->lock);
	if (faults->on_end[index] < 3 && dice(faults, 3) > 0) {
		faults->on_end[index]++;
		spoil(reply, dice(faults, is_get ? 7 : 5), dice(faults, 1 << 20));
	} else {
		faults->on_end[index] = 0;
	}
	(void)pthread_mutex_unlock(&faults->lock);
}

/* What arrived whole, and was answered with success, is what the program meant to send. */
static void check_uploads(struct server *server)
{
	size_t count;
	const struct request *const *requests = server_requests(server, &count);

	for (size_t i = 0; i < count; i++) {
		const struct request *request = requests[i];
		size_t index = (size_t)index_of(request);

		if (strcmp(request->method, "PUT") == 0 && request->body_whole &&
		    request->status == 200)
			assert_bytes(request->body, request->body_len, object,
				     index * index * 1000);
	}
}

static struct run run_model(enum run_under under, bool faulty, const char *style, int seed)
{
	struct faults faults = { .lock = PTHREAD_MUTEX_INITIALIZER, .none = !faulty };
	const struct server_options options = { .decide = decide, .decide_arg = &faults };
	struct server *server;
	char text[16];
	struct run run;

	faults.state = (uint64_t)seed * 2 + 1;
	(void)snprintf(text, sizeof(text), "%d", seed);
	server = server_start_with(&options, NULL, 0);
	run = run_words(under, rules_file(RULES), helper_path("multi-model"), style, text,
			server_url(server, ""));
	check_uploads(server);
	server_stop(server);
	return run;
}

static void check_style(int style)
{
	for (int seed = 1; seed <= PROGRAMS; seed++) {
		struct run bare = run_model(RUN_BARE, false, styles[style], seed);
		struct run run = run_model(RUN_SHIM, true, styles[style], seed);

		assert_exit(bare, 0);
		assert_exit(run, 0);
		assert_contains(bare.out, "as promised\nwoken in time\nnot spinning\n");
		assert_output(run, bare.out);
		run_free(&bare);
		run_free(&run);
	}
}

static void by_perform_and_select(void **state)
{
	(void)state;
	check_style(0);
}

static void by_perform_and_poll(void **state)
{
	(void)state;
	check_style(1);
}

static void by_socket_action(void **state)
{
	(void)state;
	check_style(2);
}

static void by_the_older_socket_functions(void **state)
{
	(void)state;
	check_style(3);
}

/* A timer that has gone off is set again where something waits. */
static void by_perform_and_a_timer(void **state)
{
	(void)state;
	check_style(4);
}

/* The faults are such that the programs notice. */
static void without_the_shim_it_fails(void **state)
{
	struct run run = run_model(RUN_BARE, true, "1", 1);

	(void)state;
	assert_exit(run, 0);
	assert_true(count_lines(run.out, "reported 1 times") > 4);
	assert_contains(run.out, " bytes, ");
	run_free(&run);
}

static int make_object(void **state)
{
	(void)state;
	object = noise(NOISE, 1);
	return 0;
}

static int free_object(void **state)
{
	(void)state;
	free(object);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(by_perform_and_select),
		cmocka_unit_test(by_perform_and_poll),
		cmocka_unit_test(by_socket_action),
		cmocka_unit_test(by_the_older_socket_functions),
		cmocka_unit_test(by_perform_and_a_timer),
		cmocka_unit_test(without_the_shim_it_fails),
	};

	return cmocka_run_group_tests(tests, make_object, free_object);
}
