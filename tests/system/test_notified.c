/*
 * Programs that libcurl notifies of what has ended (since 8.17; curl -Z is one) hear under the
 * shim, with a server that fails, what they hear without it with one that does not.
 */
#include "harness.h"
#include "server.h"

#include <string.h>

#define RULES                                                                                      \
	"[retryshim]\nlog = none\n"                                                                \
	"[policy default]\nmax_attempts = 3\nbase = 30ms\nbackoff = constant\njitter = none\n"     \
	"[rule it]\nstatus = 503\nerror = reset\n"

static const struct reply failing[] = {
	{ .path = "/ok", .body = "object" },
	{ .path = "/busy", .status = 503, .body = "busy", .times = 1 },
	{ .path = "/busy", .ending = REPLY_RESET, .part = REPLY_START, .times = 1 },
	{ .path = "/busy", .body = "busy no more" },
	{ .path = "/long", .status = 503, .headers = "Retry-After: 5\r\n" },
	{ .path = "/never", .status = 503, .body = "never" },
};

static const struct reply good[] = {
	{ .path = "/ok", .body = "object" },
	{ .path = "/busy", .body = "busy no more" },
	{ .path = "/long", .body = "long", .delay_ms = 5000 },
	{ .path = "/never", .status = 503, .body = "never" },
};

static struct run fetch(enum run_under under, const struct reply *replies, size_t count)
{
	struct server *server = server_start(replies, count);
	struct run run =
		run_words(under, rules_file(RULES), helper_path("notified"), server_url(server, ""),
			  "/ok", "/busy", "/long", "/never", "/busy", "/ok");

	server_stop(server);
	return run;
}

static void they_hear_of_ends_alone(void **state)
{
	struct run bare = fetch(RUN_BARE, good, sizeof(good) / sizeof(good[0]));
	struct run shim = fetch(RUN_SHIM, failing, sizeof(failing) / sizeof(failing[0]));

	(void)state;
	assert_exit(bare, 0);
	assert_exit(shim, 0);
	assert_contains(bare.out, "result 42");
	assert_contains(bare.out, "running 0\n");
	assert_output(shim, bare.out);
	run_free(&bare);
	run_free(&shim);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(they_hear_of_ends_alone) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
