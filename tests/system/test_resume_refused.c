/*
 * Broken downloads that are not continued: they fail as they broke.
 */
#include "resuming.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MANY 24 /* at once */

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
		{ "no ETag", 206, "Content-Range: bytes 70000-199999/200000\r\n" },
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
			resumed_broken(resumed_whole(TAG), BREAK),
			{ .status = cases[i].status,
			  .headers = cases[i].headers,
			  .body = resumed_object + BREAK,
			  .body_len = SIZE - BREAK },
		};
		struct server *server = server_start(script, 2);
		struct run run = resumed_trace(RUN_SHIM, resumed_rules, server, NULL);
		struct run bare = resumed_bare(script, NULL);

		resumed_check(&run, &bare, cases[i].name);
		assert_int_equal(server_request_count(server), 2);
		server_stop(server);
	}
}

/* Where the validator is a date that counts as one. */
#define DATED                                                                                      \
	"Last-Modified: Sat, 01 Jan 2022 00:00:00 GMT\r\n"                                         \
	"Date: Sun, 02 Jan 2022 00:00:00 GMT\r\n"

static void a_date_has_to_be_confirmed(void **state)
{
	const struct reply script[] = {
		resumed_broken(resumed_whole(DATED), BREAK),
		{ .status = 206,
		  .headers = "Content-Range: bytes 70000-199999/200000\r\n",
		  .body = resumed_object + BREAK,
		  .body_len = SIZE - BREAK },
	};
	struct server *server = server_start(script, 2);
	struct run run = resumed_trace(RUN_SHIM, resumed_rules, server, NULL);
	struct run bare = resumed_bare(script, NULL);

	(void)state;
	resumed_check(&run, &bare, "no date");
	assert_int_equal(server_request_count(server), 2);
	server_stop(server);
}

/* A redirect leads elsewhere by now: two things may have one validator. */
static void another_place_is_another_thing(void **state)
{
	static const char *const words[] = { "FOLLOWLOCATION=1", NULL };
	char room[ROOM];
	struct reply broken = resumed_broken(resumed_whole(TAG), BREAK);
	struct reply rest = resumed_part(BREAK, SIZE, TAG, room);
	struct reply script[] = {
		{ .path = "/o", .status = 302, .headers = "Location: /first\r\n" },
		broken,
		{ .path = "/o", .status = 302, .headers = "Location: /second\r\n" },
		rest,
	};
	struct server *server, *other;
	struct run run, bare;

	(void)state;
	script[1].path = "/first";
	script[3].path = "/second";
	server = server_start(script, 4);
	other = server_start(script, 2);
	run = resumed_trace(RUN_SHIM, resumed_rules, server, words);
	bare = resumed_trace(RUN_BARE, NULL, other, words);
	resumed_check(&run, &bare, "another place");
	assert_int_equal(server_request_count(server), 4);
	server_stop(server);
	server_stop(other);
}

/* It is told as the other ends of retries are. */
static void the_end_is_reported(void **state)
{
	const struct reply script[] = { resumed_broken(resumed_whole(TAG), BREAK),
					resumed_whole("ETag: \"v2\"\r\n") };
	struct server *server = server_start(script, 2);
	const char *report = temp_path("report");
	char rules[512];
	struct run run;
	char *text;
	size_t len;

	(void)state;
	(void)snprintf(rules, sizeof(rules),
		       "[retryshim]\nreport = %s\n[policy default]\nbase = 1ms\n" RULE, report);
	run = resumed_trace(RUN_SHIM, rules_file(rules), server, NULL);
	assert_exit(run, 0);
	assert_contains(run.err, "result 18 ");
	assert_contains(run.err, "event=exhausted rule=it ");
	assert_contains(run.err, " attempt=2 of=4 cause=CURLE_PARTIAL_FILE reason=committed ");
	run_free(&run);
	text = read_file(report, &len);
	assert_contains(text, "\"reason\":\"committed\"");
	free(text);
	server_stop(server);
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
		{ "an If-Range of its own", { "HTTPHEADER=If-Range: \"v1\"" }, TAG, false },
		{ "set inside", { "on=write:set" }, TAG, false },
		{ "chunks as they come", { "HTTP_TRANSFER_DECODING=0" }, TAG, false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct reply reply = resumed_broken(resumed_whole(cases[i].headers), BREAK);
		struct server *server;
		struct run run, bare;

		reply.gzip = cases[i].gzip;
		reply.framing = strstr(cases[i].name, "chunks") ? REPLY_CHUNKED : REPLY_LENGTH;
		server = server_start(&reply, 1);
		run = resumed_trace(RUN_SHIM, resumed_rules, server, cases[i].words);
		bare = resumed_bare(&reply, cases[i].words);
		resumed_check(&run, &bare, cases[i].name);
		assert_int_equal(server_request_count(server), 1);
		server_stop(server);
	}
}

/* libcurl has looked at nothing yet of what breaks before its body. What it would have refused
 * there is not to be had by asking for the rest, which it would not look at. */
static void what_libcurl_refuses_is_not_got_around(void **state)
{
	static const struct {
		const char *name, *const words[3];
		int status;
		const char *headers;
		size_t from; /* what a continuation would ask for */
		bool whole;  /* it does not break: libcurl says no */
	} cases[] = {
		{ "ignored", { "RESUME_FROM_LARGE=1000" }, 200, TAG, 0, true },
		{ "ignored and broken", { "RESUME_FROM_LARGE=1000" }, 200, TAG, 0, false },
		{ "another part",
		  { "RESUME_FROM_LARGE=1000" },
		  206,
		  TAG "Content-Range: bytes 500-199999/200000\r\n",
		  500,
		  false },
		{ "not changed since",
		  { "TIMECONDITION=1", "TIMEVALUE=1700000000" },
		  200,
		  TAG "Last-Modified: Sat, 01 Jan 2022 00:00:00 GMT\r\n",
		  0,
		  false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		char room[ROOM];
		struct reply script[2] = { { .status = cases[i].status,
					     .headers = cases[i].headers,
					     .body = resumed_object + cases[i].from,
					     .body_len = SIZE - cases[i].from },
					   resumed_part(cases[i].from, SIZE, TAG, room) };
		struct server *server;
		struct run run, bare;

		if (!cases[i].whole)
			script[0] = resumed_broken(script[0], 0);
		server = server_start(script, 2);
		run = resumed_trace(RUN_SHIM, resumed_rules, server, cases[i].words);
		bare = resumed_bare(script, cases[i].words);
		resumed_check(&run, &bare, cases[i].name);
		assert_int_equal(server_request_count(server), 1);
		server_stop(server);
	}
}

static void not_where_the_policy_says_no(void **state)
{
	const struct reply reply = resumed_broken(resumed_whole(TAG), BREAK);
	struct server *server = server_start(&reply, 1);
	struct run run =
		resumed_trace(RUN_SHIM, rules_file(POLICY "resume = no\n" RULE), server, NULL);
	struct run bare = resumed_bare(&reply, NULL);

	(void)state;
	resumed_check(&run, &bare, "resume = no");
	assert_int_equal(server_request_count(server), 1);
	server_stop(server);
}

/* By its time limit it says that it wants an end. What libcurl then tells of the time that it took
 * is in some transfers less than the limit, hence many. */
static void a_time_limit_is_no_break(void **state)
{
	static const char *const late[] = { "TIMEOUT_MS=1000", NULL };
	struct reply script[] = { resumed_broken(resumed_whole(TAG), BREAK) };
	struct server *server;
	struct child *children[MANY];

	(void)state;
	script[0].ending = REPLY_SILENT;
	script[0].times = 2 * MANY;
	server = server_start(script, 1);
	for (int i = 0; i < MANY; i++)
		children[i] = resumed_start(RUN_SHIM, resumed_rules, server, late);
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
	const struct reply first = resumed_broken(resumed_whole(TAG), BREAK);
	struct reply script[] = { first,
				  resumed_broken(resumed_part(BREAK, SIZE, TAG, rooms[0]), 0),
				  resumed_broken(resumed_part(BREAK, SIZE, TAG, rooms[1]), 0),
				  resumed_broken(resumed_part(BREAK, SIZE, TAG, rooms[2]), 0) };
	struct server *server;
	struct run run, bare;

	(void)state;
	script[1].ending = REPLY_RESET;
	script[3].part = REPLY_START;
	server = server_start(script, 4);
	run = resumed_trace(RUN_SHIM, resumed_rules, server, NULL);
	bare = resumed_bare(&first, NULL);
	resumed_check(&run, &bare, "exhausted");
	assert_int_equal(server_request_count(server), 4);
	server_stop(server);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_not_the_rest_is_not_taken),
		cmocka_unit_test(a_date_has_to_be_confirmed),
		cmocka_unit_test(another_place_is_another_thing),
		cmocka_unit_test(the_end_is_reported),
		cmocka_unit_test(what_cannot_be_continued_is_not_tried),
		cmocka_unit_test(what_libcurl_refuses_is_not_got_around),
		cmocka_unit_test(not_where_the_policy_says_no),
		cmocka_unit_test(a_time_limit_is_no_break),
		cmocka_unit_test(the_first_error_is_told),
	};

	return cmocka_run_group_tests(tests, resuming_prepare, resuming_clean_up);
}
