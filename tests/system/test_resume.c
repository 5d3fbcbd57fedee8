/*
 * Broken downloads are continued where they stopped. Those that cannot be are
 * test_resume_refused's.
 */
#include "resuming.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

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
	const struct reply good = resumed_whole(TAG "Content-Type: text/x\r\n");
	const struct reply script[] = { resumed_broken(good, BREAK),
					resumed_broken(resumed_part(BREAK, SIZE, TAG, first),
						       80000),
					{ .status = 503, .body = "busy" },
					resumed_part(150000, SIZE, TAG, second) };
	struct server *server = server_start(script, COUNT(script));
	struct run run = resumed_trace(RUN_SHIM, resumed_rules, server, NULL);
	struct run bare = resumed_bare(&good, NULL);

	(void)state;
	resumed_check(&run, &bare, "several breaks");
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
		{ { "HTTPHEADER=Range: bytes=1000-150000" }, 1000, 150001, "bytes=71000-150000" },
		{ { "HTTPHEADER=range:bytes=-150000" }, 50000, SIZE, "bytes=120000-199999" },
		{ { "RANGE=-150000" }, 50000, SIZE, "bytes=120000-199999" },
		{ { "RESUME_FROM_LARGE=1000" }, 1000, SIZE, "bytes=71000-199999" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		char first[ROOM], second[ROOM];
		const struct reply good = resumed_part(cases[i].first, cases[i].end, TAG, first);
		const struct reply script[] = { resumed_broken(good, BREAK),
						resumed_part(cases[i].first + BREAK, cases[i].end,
							     TAG, second) };
		struct server *server = server_start(script, COUNT(script));
		struct run run = resumed_trace(RUN_SHIM, resumed_rules, server, cases[i].words);
		struct run bare = resumed_bare(&good, cases[i].words);

		resumed_check(&run, &bare, cases[i].words[0]);
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
			.body = resumed_object,
			.body_len = SIZE,
			.framing = i & 2 ? REPLY_CHUNKED : REPLY_LENGTH,
		};
		struct reply script[2] = { resumed_broken(good, after[i / 4]),
					   resumed_part(after[i / 4], SIZE, TAG, room) };
		struct server *server;
		struct run run, bare;

		script[0].ending = endings[i & 1];
		server = server_start(script, 2);
		run = resumed_trace(RUN_SHIM, resumed_rules, server, NULL);
		bare = resumed_bare(&good, NULL);
		resumed_check(&run, &bare, "break");
		assert_int_equal(server_request_count(server), 2);
		server_stop(server);
	}
}

/* They come behind the last part, and are those of the whole. */
static void trailers_come_behind_the_rest(void **state)
{
	char room[ROOM];
	const struct reply good = { .headers = TAG,
				    .body = resumed_object,
				    .body_len = SIZE,
				    .framing = REPLY_CHUNKED,
				    .trailers = "X-Sum: 1\r\nX-Other: 2\r\n" };
	struct reply script[2] = { resumed_broken(good, BREAK),
				   resumed_part(BREAK, SIZE, TAG, room) };
	struct server *server;
	struct run run, bare;

	(void)state;
	script[1].framing = REPLY_CHUNKED;
	script[1].trailers = good.trailers;
	server = server_start(script, 2);
	run = resumed_trace(RUN_SHIM, resumed_rules, server, NULL);
	bare = resumed_bare(&good, NULL);
	assert_contains(bare.err, "header to-header-data X-Sum: 1");
	resumed_check(&run, &bare, "trailers");
	assert_int_equal(server_request_count(server), 2);
	server_stop(server);
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
		script[0] = resumed_broken(resumed_whole(headers), BREAK);
		script[1] = resumed_part(BREAK, SIZE, headers, room);
		server = server_start(script, 2);
		run = resumed_trace(RUN_SHIM, resumed_rules, server, NULL);
		if (age >= 1)
			script[0].ending = REPLY_WHOLE;
		bare = resumed_bare(script, NULL);
		resumed_check(&run, &bare, "by date");
		assert_int_equal(server_request_count(server), age >= 1 ? 2 : 1);
		if (age >= 1)
			check_asked(server, 1, "bytes=70000-", changed);
		server_stop(server);
	}
}

/* A server that falls silent: by its speed limit the program says that it wants to go on
 * elsewhere. */
static void a_stall_is_a_break(void **state)
{
	static const char *const slow[] = { "LOW_SPEED_LIMIT=10", "LOW_SPEED_TIME=1", NULL };
	char room[ROOM];
	const struct reply good = resumed_whole(TAG);
	struct reply script[2] = { resumed_broken(good, BREAK),
				   resumed_part(BREAK, SIZE, TAG, room) };
	struct server *server;
	struct run run, bare;

	(void)state;
	script[0].ending = REPLY_SILENT;
	server = server_start(script, 2);
	run = resumed_trace(RUN_SHIM, resumed_rules, server, slow);
	bare = resumed_bare(&good, slow);
	resumed_check(&run, &bare, "slow");
	assert_int_equal(server_request_count(server), 2);
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
		const struct reply good[] = { nested, resumed_whole(TAG) };
		const struct reply script[] = { nested, resumed_broken(good[1], BREAK),
						resumed_part(BREAK, SIZE, TAG, room) };
		struct server *server = server_start(script, 3);
		struct server *lucky = server_start(good, 2);
		struct run run = resumed_trace(RUN_SHIM, resumed_rules, server, words);
		struct run bare = resumed_trace(RUN_BARE, NULL, lucky, words);

		if (strcmp(actions[i], "on=later:dup") == 0) {
			char value[64];

			assert_string_equal(server_request(server, 2)->target, "/nested");
			assert_int_equal(request_header(server_request(server, 2), "Range", value,
							sizeof(value)),
					 0);
		}
		resumed_check(&run, &bare, actions[i]);
		server_stop(server);
		server_stop(lucky);
	}
}

static void a_callback_s_error_ends_it(void **state)
{
	static const char *const words[] = { "later=70000", "on=later:short", NULL };
	char room[ROOM];
	const struct reply script[] = { resumed_broken(resumed_whole(TAG), BREAK),
					resumed_part(BREAK, SIZE, TAG, room) };
	struct server *server = server_start(script, 2);
	struct run run = resumed_trace(RUN_SHIM, resumed_rules, server, words);

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
		cmocka_unit_test(trailers_come_behind_the_rest),
		cmocka_unit_test(by_the_date_of_change),
		cmocka_unit_test(a_stall_is_a_break),
		cmocka_unit_test(callbacks_in_a_continuation),
		cmocka_unit_test(a_callback_s_error_ends_it),
	};

	return cmocka_run_group_tests(tests, resuming_prepare, resuming_clean_up);
}
