/*
 * Broken downloads are continued where they stopped, or fail as they broke.
 *
 * What the program sees is written down by transfer-trace. It is compared with a bare run: against
 * a server where nothing breaks when the download could be completed, against the same break when
 * it could not.
 */
#include "harness.h"
#include "server.h"
#include "trace.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SIZE     200000
#define MANY     24 /* at once */
#define ROOM     512
#define BREAK    70000
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define TAG      "ETag: \"v1\"\r\n"
#define POLICY                                                                                     \
	"[retryshim]\nlog = none\n"                                                                \
	"[policy default]\nmax_attempts = 4\nbase = 1ms\njitter = none\n"
#define RULE "[rule it]\nerror = any\nstatus = 503\nmethod = any\n"

/* What only the last attempt knows. */
#define OF_THE_LAST "info REQUEST_SIZE|stored"

static char *object;
static const char *rules;

static int prepare(void **state)
{
	(void)state;
	object = noise(SIZE, 7);
	rules = rules_file(POLICY RULE);
	return 0;
}

static int clean_up(void **state)
{
	(void)state;
	free(object);
	return 0;
}

static struct reply whole(const char *headers)
{
	return (struct reply){ .headers = headers, .body = object, .body_len = SIZE };
}

static struct reply broken(struct reply reply, size_t after)
{
	reply.ending = REPLY_CUT;
	reply.part = REPLY_BODY;
	reply.after = after;
	return reply;
}

/* The part [first, end) of the object; `room` for its headers. */
static struct reply part(size_t first, size_t end, const char *more, char *room)
{
	(void)snprintf(room, ROOM, "Content-Range: bytes %zu-%zu/%d\r\n%s", first, end - 1, SIZE,
		       more);
	return (struct reply){
		.status = 206, .headers = room, .body = object + first, .body_len = end - first
	};
}

static struct child *start_trace(enum run_under under, const char *rules_path,
				 struct server *server, const char *const *words)
{
	const char *argv[12] = { helper_path("transfer-trace") };
	char nested[256] = "nested=";
	size_t count = 1;

	for (; words && words[count - 1]; count++)
		argv[count] = words[count - 1];
	(void)snprintf(nested, sizeof(nested), "nested=%s", server_url(server, "/nested"));
	argv[count++] = nested;
	argv[count++] = server_url(server, "/o");
	return child_start(&(struct program){ .argv = argv, .under = under, .rules = rules_path });
}

static struct run trace(enum run_under under, const char *rules_path, struct server *server,
			const char *const *words)
{
	return child_finish(start_trace(under, rules_path, server, words));
}

static struct run bare_run(const struct reply *reply, const char *const *words)
{
	struct server *server = server_start(reply, 1);
	struct run run = trace(RUN_BARE, NULL, server, words);

	server_stop(server);
	return run;
}

static void check_trace(struct run *run, struct run *bare, const char *what)
{
	struct trace_difference at;

	assert_exit(*run, bare->status);
	if (trace_differs(run->err, bare->err, OF_THE_LAST, &at)) {
		print_error("%s: the first other line: %.*s\n  wanted: %.*s\n", what, at.got_len,
			    at.got, at.wanted_len, at.wanted);
		fail();
	}
	assert_bytes(run->out, run->out_len, bare->out, bare->out_len);
	run_free(run);
	run_free(bare);
}

static void check_asked(struct server *server, size_t index, const char *range, const char *since)
{
	const struct request *request = server_request(server, index);
	char value[128];

	assert_non_null(request);
	assert_int_equal(request_header(request, "Range", value, sizeof(value)), 1);
	assert_string_equal(value, range);
	assert_int_equal(request_header(request, "If-Range", value, sizeof(value)), 1);
	assert_string_equal(value, since);
}

static void the_rest_is_fetched(void **state)
{
	char first[ROOM], second[ROOM];
	const struct reply good = whole(TAG "Content-Type: text/x\r\n");
	const struct reply script[] = { broken(good, BREAK),
					broken(part(BREAK, SIZE, TAG, first), 80000),
					{ .status = 503, .body = "busy" },
					part(150000, SIZE, TAG, second) };
	struct server *server = server_start(script, COUNT(script));
	struct run run = trace(RUN_SHIM, rules, server, NULL);
	struct run bare = bare_run(&good, NULL);

	(void)state;
	check_trace(&run, &bare, "several breaks");
	assert_int_equal(server_request_count(server), 4);
	check_asked(server, 1, "bytes=70000-", "\"v1\"");
	check_asked(server, 3, "bytes=150000-", "\"v1\"");
	server_stop(server);
}

/* A request of the program's own for a part is continued within that part. */
static void the_program_s_own_range(void **state)
{
	static const struct {
		const char *const words[2];
		size_t first, end;
		const char *range;
	} cases[] = {
		{ { "RANGE=1000-150000" }, 1000, 150001, "bytes=71000-150000" },
		{ { "RANGE=1000-" }, 1000, SIZE, "bytes=71000-199999" },
		{ { "RANGE=-150000" }, 50000, SIZE, "bytes=120000-199999" },
		{ { "RESUME_FROM_LARGE=1000" }, 1000, SIZE, "bytes=71000-199999" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		char first[ROOM], second[ROOM];
		const struct reply good = part(cases[i].first, cases[i].end, TAG, first);
		const struct reply script[] = {
			broken(good, BREAK), part(cases[i].first + BREAK, cases[i].end, TAG, second)
		};
		struct server *server = server_start(script, COUNT(script));
		struct run run = trace(RUN_SHIM, rules, server, cases[i].words);
		struct run bare = bare_run(&good, cases[i].words);

		check_trace(&run, &bare, cases[i].words[0]);
		assert_int_equal(server_request_count(server), 2);
		check_asked(server, 1, cases[i].range, "\"v1\"");
		server_stop(server);
	}
}

/* All the ways of a break, and of a first answer that can be continued. */
static void every_break(void **state)
{
	static const size_t after[] = { 0, 1, 16384, 100000, SIZE - 1 };
	static const enum reply_ending endings[] = { REPLY_CUT, REPLY_RESET };

	(void)state;
	for (size_t i = 0; i < COUNT(after) * 4; i++) {
		char room[ROOM];
		const struct reply good = {
			.headers = TAG,
			.body = object,
			.body_len = SIZE,
			.framing = i & 2 ? REPLY_CHUNKED : REPLY_LENGTH,
		};
		struct reply script[2] = { broken(good, after[i / 4]),
					   part(after[i / 4], SIZE, TAG, room) };
		struct server *server;
		struct run run, bare;

		script[0].ending = endings[i & 1];
		server = server_start(script, 2);
		run = trace(RUN_SHIM, rules, server, NULL);
		bare = bare_run(&good, NULL);
		check_trace(&run, &bare, "break");
		assert_int_equal(server_request_count(server), 2);
		server_stop(server);
	}
}

static void http_date(char *text, size_t size, time_t when)
{
	struct tm tm;

	(void)strftime(text, size, "%a, %d %b %Y %H:%M:%S GMT", gmtime_r(&when, &tm));
}

/* Last-Modified alone counts when the answer was made at least a second later. */
static void by_the_date_of_change(void **state)
{
	char changed[64], date[64], headers[256], room[ROOM];
	time_t now = time(NULL);

	(void)state;
	for (int age = 0; age < 3; age++) {
		struct reply script[2];
		struct server *server;
		struct run run, bare;

		http_date(date, sizeof(date), now);
		http_date(changed, sizeof(changed), now - age);
		(void)snprintf(headers, sizeof(headers), "Last-Modified: %s\r\nDate: %s\r\n",
			       changed, date);
		script[0] = broken(whole(headers), BREAK);
		script[1] = part(BREAK, SIZE, headers, room);
		server = server_start(script, 2);
		run = trace(RUN_SHIM, rules, server, NULL);
		if (age >= 1)
			script[0].ending = REPLY_WHOLE;
		bare = bare_run(script, NULL);
		check_trace(&run, &bare, "by date");
		assert_int_equal(server_request_count(server), age >= 1 ? 2 : 1);
		if (age >= 1)
			check_asked(server, 1, "bytes=70000-", changed);
		server_stop(server);
	}
}

/* Answers that are not the rest. The failure is the first one's, to the letter. */
static void what_is_not_the_rest_is_not_taken(void **state)
{
	static const struct {
		const char *name;
		int status;
		const char *headers;
	} cases[] = {
		{ "the whole", 200, TAG },
		{ "a changed whole", 200, "ETag: \"v2\"\r\n" },
		{ "no Content-Range", 206, TAG },
		{ "a part before", 206, TAG "Content-Range: bytes 69999-199999/200000\r\n" },
		{ "a part after", 206, TAG "Content-Range: bytes 70001-199999/200000\r\n" },
		{ "too short a part", 206, TAG "Content-Range: bytes 70000-199998/200000\r\n" },
		{ "another total", 206, TAG "Content-Range: bytes 70000-199999/200001\r\n" },
		{ "nonsense", 206, TAG "Content-Range: bytes seventy thousand\r\n" },
		{ "several parts", 206, TAG "Content-Type: multipart/byteranges; boundary=x\r\n" },
		{ "another ETag", 206,
		  "ETag: \"v2\"\r\nContent-Range: bytes 70000-199999/200000\r\n" },
		{ "a weak ETag", 206,
		  "ETag: W/\"v1\"\r\nContent-Range: bytes 70000-199999/200000\r\n" },
		{ "coded", 206,
		  TAG "Content-Encoding: gzip\r\nContent-Range: bytes 70000-199999/200000\r\n" },
		{ "412", 412, "" },
		{ "416", 416, "Content-Range: bytes */200000\r\n" },
		{ "404", 404, "" },
		{ "304", 304, TAG },
		{ "302", 302, "Location: /elsewhere\r\n" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct reply script[] = {
			broken(whole(TAG), BREAK),
			{ .status = cases[i].status,
			  .headers = cases[i].headers,
			  .body = object + BREAK,
			  .body_len = SIZE - BREAK },
		};
		struct server *server = server_start(script, 2);
		struct run run = trace(RUN_SHIM, rules, server, NULL);
		struct run bare = bare_run(script, NULL);

		check_trace(&run, &bare, cases[i].name);
		assert_int_equal(server_request_count(server), 2);
		server_stop(server);
	}
}

/* Nobody is asked for the rest where it could not be known to be the rest. */
static void what_cannot_be_continued_is_not_tried(void **state)
{
	static const struct {
		const char *name, *const words[3], *headers;
		bool gzip;
	} cases[] = {
		{ "no validator", { NULL }, "X-Some: header\r\n", false },
		{ "a weak ETag", { NULL }, "ETag: W/\"v1\"\r\n", false },
		{ "an ETag without quotes", { NULL }, "ETag: v1\r\n", false },
		{ "coded", { NULL }, TAG, true },
		{ "decoded", { "ACCEPT_ENCODING=gzip" }, TAG, true },
		{ "post", { "POSTFIELDS=a=b" }, TAG, false },
		{ "another method", { "CUSTOMREQUEST=FETCH" }, TAG, false },
		{ "a Range of its own", { "HTTPHEADER=Range: bytes=0-" }, TAG, false },
		{ "set inside", { "on=write:set" }, TAG, false },
		{ "chunks as they come", { "HTTP_TRANSFER_DECODING=0" }, TAG, false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct reply reply = broken(whole(cases[i].headers), BREAK);
		struct server *server;
		struct run run, bare;

		reply.gzip = cases[i].gzip;
		reply.framing = strstr(cases[i].name, "chunks") ? REPLY_CHUNKED : REPLY_LENGTH;
		server = server_start(&reply, 1);
		run = trace(RUN_SHIM, rules, server, cases[i].words);
		bare = bare_run(&reply, cases[i].words);
		check_trace(&run, &bare, cases[i].name);
		assert_int_equal(server_request_count(server), 1);
		server_stop(server);
	}
}

static void not_where_the_policy_says_no(void **state)
{
	const struct reply reply = broken(whole(TAG), BREAK);
	struct server *server = server_start(&reply, 1);
	struct run run = trace(RUN_SHIM, rules_file(POLICY "resume = no\n" RULE), server, NULL);
	struct run bare = bare_run(&reply, NULL);

	(void)state;
	check_trace(&run, &bare, "resume = no");
	assert_int_equal(server_request_count(server), 1);
	server_stop(server);
}

/* A server that falls silent: by its speed limit the program says that it wants to go on
 * elsewhere. */
static void a_stall_is_a_break(void **state)
{
	static const char *const slow[] = { "LOW_SPEED_LIMIT=10", "LOW_SPEED_TIME=1", NULL };
	char room[ROOM];
	const struct reply good = whole(TAG);
	struct reply script[2] = { broken(good, BREAK), part(BREAK, SIZE, TAG, room) };
	struct server *server;
	struct run run, bare;

	(void)state;
	script[0].ending = REPLY_SILENT;
	server = server_start(script, 2);
	run = trace(RUN_SHIM, rules, server, slow);
	bare = bare_run(&good, slow);
	check_trace(&run, &bare, "slow");
	assert_int_equal(server_request_count(server), 2);
	server_stop(server);
}

/* By its time limit it says that it wants an end. What libcurl then tells of the time that it took
 * is in some transfers less than the limit, hence many. */
static void a_time_limit_is_no_break(void **state)
{
	static const char *const late[] = { "TIMEOUT_MS=1000", NULL };
	struct reply script[] = { broken(whole(TAG), BREAK) };
	struct server *server;
	struct child *children[MANY];

	(void)state;
	script[0].ending = REPLY_SILENT;
	script[0].times = 2 * MANY;
	server = server_start(script, 1);
	for (int i = 0; i < MANY; i++)
		children[i] = start_trace(RUN_SHIM, rules, server, late);
	for (int i = 0; i < MANY; i++) {
		struct run run = child_finish(children[i]);

		assert_exit(run, 0);
		assert_contains(run.err, "result 28 ");
		assert_contains(run.err, "70000 out of 200000 bytes received");
		run_free(&run);
	}
	assert_int_equal(server_request_count(server), MANY);
	server_stop(server);
}

/* Attempts run out while it is being continued: the first error, the first text. */
static void the_first_error_is_told(void **state)
{
	char rooms[3][ROOM];
	const struct reply first = broken(whole(TAG), BREAK);
	struct reply script[] = { first, broken(part(BREAK, SIZE, TAG, rooms[0]), 0),
				  broken(part(BREAK, SIZE, TAG, rooms[1]), 0),
				  broken(part(BREAK, SIZE, TAG, rooms[2]), 0) };
	struct server *server;
	struct run run, bare;

	(void)state;
	script[1].ending = REPLY_RESET;
	script[3].part = REPLY_START;
	server = server_start(script, 4);
	run = trace(RUN_SHIM, rules, server, NULL);
	bare = bare_run(&first, NULL);
	check_trace(&run, &bare, "exhausted");
	assert_int_equal(server_request_count(server), 4);
	server_stop(server);
}

/* Callbacks of a continuation: what they do and see is as in one transfer. The program acts at the
 * first piece of the second part, which the speed of the first one tells apart. */
static void callbacks_in_a_continuation(void **state)
{
	static const char *const actions[] = { "on=later:info", "on=later:dup", "on=later:pause" };

	(void)state;
	for (size_t i = 0; i < COUNT(actions); i++) {
		const char *const words[] = { "later=70000", actions[i], NULL };
		char room[ROOM];
		const struct reply nested = { .path = "/nested", .times = 9, .body = "inner" };
		const struct reply good[] = { nested, whole(TAG) };
		const struct reply script[] = { nested, broken(good[1], BREAK),
						part(BREAK, SIZE, TAG, room) };
		struct server *server = server_start(script, 3);
		struct server *lucky = server_start(good, 2);
		struct run run = trace(RUN_SHIM, rules, server, words);
		struct run bare = trace(RUN_BARE, NULL, lucky, words);

		if (strcmp(actions[i], "on=later:dup") == 0) {
			char value[64];

			assert_string_equal(server_request(server, 2)->target, "/nested");
			assert_int_equal(request_header(server_request(server, 2), "Range", value,
							sizeof(value)),
					 0);
		}
		check_trace(&run, &bare, actions[i]);
		server_stop(server);
		server_stop(lucky);
	}
}

static void a_callback_s_error_ends_it(void **state)
{
	static const char *const words[] = { "later=70000", "on=later:short", NULL };
	char room[ROOM];
	const struct reply script[] = { broken(whole(TAG), BREAK), part(BREAK, SIZE, TAG, room) };
	struct server *server = server_start(script, 2);
	struct run run = trace(RUN_SHIM, rules, server, words);

	(void)state;
	assert_contains(run.err, "result 23 ");
	assert_contains(run.err, "error Failure writing output to destination");
	assert_contains(run.err, "write to-write-data 70000 bytes");
	assert_contains(run.err, "info RESPONSE_CODE 200");
	assert_int_equal(server_request_count(server), 2);
	run_free(&run);
	server_stop(server);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_rest_is_fetched),
		cmocka_unit_test(the_program_s_own_range),
		cmocka_unit_test(every_break),
		cmocka_unit_test(by_the_date_of_change),
		cmocka_unit_test(what_is_not_the_rest_is_not_taken),
		cmocka_unit_test(what_cannot_be_continued_is_not_tried),
		cmocka_unit_test(not_where_the_policy_says_no),
		cmocka_unit_test(a_stall_is_a_break),
		cmocka_unit_test(a_time_limit_is_no_break),
		cmocka_unit_test(the_first_error_is_told),
		cmocka_unit_test(callbacks_in_a_continuation),
		cmocka_unit_test(a_callback_s_error_ends_it),
	};

	return cmocka_run_group_tests(tests, prepare, clean_up);
}
