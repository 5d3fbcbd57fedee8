/*
 * Broken downloads are continued where they stopped, or fail as they broke.
 */
#include "harness.h"
#include "server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SIZE 200000
#define TAG  "ETag: \"v1\"\r\n"
#define RULES                                                                                      \
	"[policy default]\nmax_attempts = 4\nbase = 1ms\njitter = none\n"                          \
	"[rule it]\nerror = any\nstatus = 503\n"

static char *object;

static int make_object(void **state)
{
	(void)state;
	object = noise(SIZE, 7);
	return 0;
}

static int free_object(void **state)
{
	(void)state;
	free(object);
	return 0;
}

static struct reply cut_after(size_t bytes)
{
	return (struct reply){ .headers = TAG,
			       .body = object,
			       .body_len = SIZE,
			       .ending = REPLY_CUT,
			       .part = REPLY_BODY,
			       .after = bytes };
}

static struct reply rest_from(size_t first, char *headers, size_t room, const char *more)
{
	snprintf(headers, room, "Content-Range: bytes %zu-%d/%d\r\n%s", first, SIZE - 1, SIZE,
		 more);
	return (struct reply){
		.status = 206, .headers = headers, .body = object + first, .body_len = SIZE - first
	};
}

static void the_rest_is_fetched(void **state)
{
	char first[128], second[128];
	struct reply script[] = { cut_after(70000),
				  rest_from(70000, first, sizeof(first), TAG),
				  { .status = 503, .body = "busy" },
				  rest_from(150000, second, sizeof(second), TAG) };
	struct server *server;
	struct run run;
	char range[64];

	(void)state;
	script[1].ending = REPLY_CUT;
	script[1].part = REPLY_BODY;
	script[1].after = 80000;
	server = server_start(script, 4);
	run = run_words(RUN_SHIM, rules_file(RULES), "curl", "-sS", "-w",
			"%{stderr}%{http_code} %{size_download} %{header_size}",
			server_url(server, "/o"));
	assert_exit(run, 0);
	assert_bytes(run.out, run.out_len, object, SIZE);
	assert_contains(run.err, "200 200000 ");
	assert_int_equal(server_request_count(server), 4);
	assert_int_equal(request_header(server_request(server, 1), "Range", range, 64), 1);
	assert_string_equal(range, "bytes=70000-");
	assert_int_equal(request_header(server_request(server, 3), "Range", range, 64), 1);
	assert_string_equal(range, "bytes=150000-");
	assert_int_equal(request_header(server_request(server, 3), "If-Range", range, 64), 1);
	assert_string_equal(range, "\"v1\"");
	run_free(&run);
	server_stop(server);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_rest_is_fetched),
	};

	return cmocka_run_group_tests(tests, make_object, free_object);
}
