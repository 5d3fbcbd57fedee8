/*
 * rate_limit = adaptive through the multi interface: a transfer begins later, and nothing waits for
 * it.
 */
#include "harness.h"
#include "server.h"

#include <stdio.h>
#include <string.h>

#define STYLES 3
static const char *const styles[STYLES] = { "0", "1", "2" };

struct servers {
	struct server *paced, *other;
	char base[2][64];
};

static struct servers serve(void)
{
	static const struct reply script[] = {
		{ .path = "/1", .status = 429, .body = "slowly" },
		{ .path = "/a", .body = "a" },
		{ .path = "/b", .body = "b" },
		{ .path = "/c", .body = "c" },
	};
	struct servers servers = { server_start(script, 4), server_start(script, 4), { "" } };

	(void)snprintf(servers.base[0], 64, "http://127.0.0.1:%d", server_port(servers.paced));
	(void)snprintf(servers.base[1], 64, "http://127.0.0.1:%d", server_port(servers.other));
	return servers;
}

static void stop(struct servers *servers)
{
	server_stop(servers->paced);
	server_stop(servers->other);
}

static struct child *start(const struct servers *servers, const char *rules, const char *name,
			   const char *style)
{
	const char *const argv[] = { helper_path("multi-paced"), name,  servers->base[0],
				     servers->base[1],           style, NULL };

	return child_start(
		&(struct program){ .argv = argv, .under = RUN_SHIM, .rules = rules_file(rules) });
}

static const char rules[] = "[retryshim]\nlog_level = info\n"
			    "[rule throttled]\nstatus = 429\nmax_attempts = 1\n"
			    "rate_limit = adaptive\n";

static void a_transfer_begins_later(void **state)
{
	struct servers servers[STYLES];
	struct child *children[STYLES];

	(void)state;
	for (int i = 0; i < STYLES; i++) {
		servers[i] = serve();
		children[i] = start(&servers[i], rules, "starts", styles[i]);
	}
	for (int i = 0; i < STYLES; i++) {
		struct run run = child_finish(children[i]);

		assert_exit(run, 0);
		assert_output(run, "result 0, of this transfer: 1, body: slowly\n"
				   "add 0 at once\nadd 0 at once\n"
				   "result 0, of this transfer: 1, body: b\nrunning 1\n"
				   "no message, running 1\n"
				   "result 0, of this transfer: 1, body: a\n"
				   "paced\nnever stalled\nat rest\nas promised\n");
		assert_int_equal(count_lines(run.err, "event=paced call=curl method=GET "
						      "target=127.0.0.1:"),
				 1);
		assert_int_equal(server_request_count(servers[i].paced), 2);
		run_free(&run);
		stop(&servers[i]);
	}
}

/* The token that it had taken is there again: each of the five waits as long as the first. */
static void one_that_is_removed_leaves_nothing_behind(void **state)
{
	static const char once[] = "add 0 at once\nadd again 7\nrunning 1\nin use 2\nremove 0\n"
				   "running 0, message 0\neasy 0, body: c\n";

	(void)state;
	for (int i = 0; i < STYLES; i++) {
		struct servers servers = serve();
		struct run run = child_finish(start(&servers, rules, "removed", styles[i]));
		char wanted[1024];

		(void)snprintf(wanted, sizeof(wanted),
			       "result 0, of this transfer: 1, body: slowly\n%s%s%s"
			       "add 0 at once\nrunning 0\nadd 0 at once\neasy 0, body: c\n"
			       "as promised\n",
			       once, once, once);
		assert_exit(run, 0);
		assert_output(run, wanted);
		assert_int_equal(count_lines(run.err, "event=paced"), 5);
		assert_lacks(run.err, "wait_ms=3"); /* nor is anything owed */
		assert_int_equal(server_request_count(servers.paced), 1);
		run_free(&run);
		stop(&servers);
	}
}

static void the_program_may_abort_it(void **state)
{
	(void)state;
	for (int i = 0; i < STYLES; i++) {
		struct servers servers = serve();
		struct run run = child_finish(start(&servers, rules, "aborted", styles[i]));

		assert_exit(run, 0);
		assert_output(run, "result 0, of this transfer: 1, body: slowly\n"
				   "result 42, of this transfer: 1, body: \n"
				   "result 42, of this transfer: 1, body: \n"
				   "easy 42\neasy 0, body: c\nas promised\n");
		assert_int_equal(count_lines(run.err, "event=paced"), 3);
		assert_lacks(run.err, "wait_ms=3"); /* nor is anything owed */
		assert_int_equal(count_lines(run.err, "event=exhausted"), 1); /* the throttle */
		assert_int_equal(server_request_count(servers.paced), 1);
		run_free(&run);
		stop(&servers);
	}
}

static void the_options_count_that_it_begins_with(void **state)
{
	struct servers servers = serve();
	struct run run = child_finish(start(&servers, rules, "altered", "1"));

	(void)state;
	assert_exit(run, 0);
	assert_output(run, "result 0, of this transfer: 1, body: slowly\nadd 0 at once\n"
			   "result 0, of this transfer: 1, body: c\nas promised\n");
	assert_int_equal(server_request_count(servers.paced), 1);
	run_free(&run);
	stop(&servers);
}

static void nothing_is_paced_that_is_only_observed(void **state)
{
	static const char observing[] = "[retryshim]\nmode = observe\n"
					"[rule throttled]\nstatus = 429\nrate_limit = adaptive\n";
	struct servers servers = serve();
	struct run run = child_finish(start(&servers, observing, "altered", "1"));

	(void)state;
	assert_exit(run, 0);
	assert_int_equal(count_lines(run.err, "event=observe action=retry rule=throttled"), 1);
	assert_int_equal(count_lines(run.err, "event=paced"), 0);
	assert_true(run.elapsed_ns < INT64_C(1000000000));
	run_free(&run);
	stop(&servers);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_transfer_begins_later),
		cmocka_unit_test(one_that_is_removed_leaves_nothing_behind),
		cmocka_unit_test(the_program_may_abort_it),
		cmocka_unit_test(the_options_count_that_it_begins_with),
		cmocka_unit_test(nothing_is_paced_that_is_only_observed),
	};

	return cmocka_run_group_tests_name("multi_paced", tests, NULL, NULL);
}
