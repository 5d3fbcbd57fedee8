/*
 * mode = observe: the program runs as without rules, and the log says what they would have done.
 */
#include "looking_up.h"
#include "server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RULES                                                                                      \
	"[policy default]\nmax_attempts = 3\nbase = 20ms\njitter = none\n"                         \
	"[rule slow-down]\nstatus = 503\nbody = SlowDown\n"                                        \
	"[rule broken]\nstatus = 5xx\n"                                                            \
	"[rule token]\nclass = recoverable\nstatus = 401\nrecover = touch %s\n"                    \
	"[rule gone]\nclass = followup\nstatus = 410\nfollowup = touch %s\n"                       \
	"[rule refused]\ncall = connect, curl\nerror = refused\n"

static const char *touched, *report;

static const char *observing(void)
{
	char text[4096], rules[2048];

	(void)snprintf(rules, sizeof(rules), RULES, touched, touched);
	(void)snprintf(text, sizeof(text), "[retryshim]\nmode = observe\nreport = %s\n%s", report,
		       rules);
	return rules_file(text);
}

static int name_files(void **state)
{
	(void)state;
	touched = temp_path("touched");
	report = temp_path("report");
	return 0;
}

static struct server *serve(void)
{
	static const struct reply replies[] = {
		{ .path = "/slow", .status = 503, .body = "<Code>SlowDown</Code>" },
		{ .path = "/broken", .status = 502, .body = "bad" },
		{ .path = "/token", .status = 401, .body = "expired" },
		{ .path = "/gone", .status = 410, .body = "gone" },
		{ .path = "/fine", .body = "fine" },
	};

	return server_start(replies, 5);
}

static void nothing_is_done_and_all_is_told(void **state)
{
	static const struct {
		const char *path, *says;
	} rows[] = {
		{ "/slow", "event=observe action=retry rule=slow-down call=curl method=GET" },
		{ "/broken", "event=observe action=retry rule=broken call=curl method=GET" },
		{ "/token", "event=observe action=recover rule=token call=curl method=GET" },
		{ "/gone", "event=observe action=followup rule=gone call=curl method=GET" },
		{ "/fine", NULL },
	};
	const char *rules = observing();
	size_t len;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct server *server = serve();
		const char *url = server_url(server, rows[i].path);
		struct run bare = run_words(RUN_BARE, NULL, "curl", "-sSi", url);
		struct run run = run_words(RUN_SHIM, rules, "curl", "-sSi", url);

		assert_exit(run, 0);
		assert_bytes(run.out, run.out_len, bare.out, bare.out_len);
		assert_int_equal(server_request_count(server), 2);
		assert_int_equal(count_lines(run.err, "event="), rows[i].says ? 1 : 0);
		if (rows[i].says)
			assert_contains(run.err, rows[i].says);
		run_free(&run);
		run_free(&bare);
		server_stop(server);
	}
	assert_null(read_file(touched, &len));
	assert_null(read_file(report, &len));
}

static void a_retry_that_would_be_made_has_its_fields(void **state)
{
	struct server *server = serve();
	const char *url = server_url(server, "/broken");
	/* Each retry is supposed to succeed: the quota is whole again for the next. */
	struct run run = run_words(RUN_SHIM, observing(), "curl", "-sS", url, url);

	(void)state;
	assert_int_equal(count_lines(run.err, "attempt=1 of=3 cause=502 wait_ms=20 quota=486"), 2);
	run_free(&run);
	server_stop(server);
}

static void a_connect_fails_at_once(void **state)
{
	struct server *server = server_start_refusing();
	char port[8];
	struct run run;

	(void)state;
	(void)snprintf(port, sizeof(port), "%d", server_port(server));
	run = run_words(RUN_SHIM, observing(), helper_path("connect-once"), "127.0.0.1", port);
	assert_exit(run, 1);
	assert_int_equal(count_lines(run.err, "event=observe action=retry rule=refused "
					      "call=connect"),
			 1);
	assert_int_equal(count_lines(run.err, "event="), 1);
	run_free(&run);
	server_stop(server);
}

/* Faults are outcomes that nobody had. */
static void check_uninjected(const char *const *program, const char *output)
{
	const char *argv[24] = {
		command_path(),        "run", "-v", "-r", observing(), "-f", "error=timeout", "-f",
		"call=curl,status=503"
	};
	char preload[512];
	const char *const env[] = { preload, NULL };
	struct run run;

	for (size_t i = 0; i < 14 && program[i]; i++)
		argv[9 + i] = program[i];
	(void)snprintf(preload, sizeof(preload), "LD_PRELOAD=%s", helper_path("plugin-lookups.so"));
	run = run_program(&(struct program){ .argv = argv, .env = env });
	assert_exit(run, 0);
	assert_output(run, output);
	assert_lacks(run.err, "event=");
	run_free(&run);
}

static void nothing_is_injected(void **state)
{
	struct server *server = serve();
	char port[8];
	const char *const transfer[] = { "curl", "-sS", server_url(server, "/fine"), NULL };
	const char *const many[] = { "curl", "-sSZ", server_url(server, "/fine"), NULL };
	const char *const connects[] = { helper_path("connect-once"), "127.0.0.1", port, NULL };
	const char *const looks_up[] = { helper_path("lookup"), "getaddrinfo", NULL };
	const char *const by_name[] = { helper_path("lookup"), "gethostbyname", NULL };

	(void)state;
	(void)snprintf(port, sizeof(port), "%d", server_port(server));
	check_uninjected(transfer, "fine");
	check_uninjected(many, "fine");
	check_uninjected(connects, "connected\n");
	check_uninjected(looks_up, "found\n");
	check_uninjected(by_name, "found\n");
	server_stop(server);
}

/* The program gets its error at once, and no command is run. */
static void a_look_up_fails_at_once(void **state)
{
	char text[1024];
	struct run run;
	size_t len;

	(void)state;
	(void)snprintf(text, sizeof(text),
		       "[retryshim]\nmode = observe\nreport = %s\n"
		       "[rule it]\ncall = resolve\nclass = recoverable\nerror = EAI_AGAIN\n"
		       "recover = touch %s\n",
		       report, touched);
	run = look_up(rules_file(text), "EAI_AGAIN:1", "getaddrinfo", "1");
	assert_output(run, "Temporary failure in name resolution\n");
	assert_int_equal(count_lines(run.err, "event=observe action=recover rule=it call=resolve"),
			 1);
	assert_int_equal(count_lines(run.err, "event="), 1);
	assert_null(read_file(touched, &len));
	assert_null(read_file(report, &len));
	run_free(&run);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_done_and_all_is_told),
		cmocka_unit_test(a_retry_that_would_be_made_has_its_fields),
		cmocka_unit_test(a_connect_fails_at_once),
		cmocka_unit_test(a_look_up_fails_at_once),
		cmocka_unit_test(nothing_is_injected),
	};

	return cmocka_run_group_tests(tests, name_files, NULL);
}
