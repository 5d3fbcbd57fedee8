/*
 * Faults of non-blocking connects: refusals, delays and errors that look as if the kernel had told
 * them. The loop goes on all the while.
 */
#include "harness.h"
#include "looping.h"
#include "server.h"

#include <string.h>

static struct run struck(const char *way, const char *fault, const struct server *server)
{
	return looped_run(
		&(struct looped){ way, looped_rules("", NORULE), fault, .under = RUN_SHIM },
		server);
}

/* The same as where the port is closed indeed; but for a one-shot registration, which the kernel
 * has forgotten by then: what it asked for beyond EPOLLOUT is not told. */
static void an_injected_refusal_looks_real(void **state)
{
	static const char *const faults[] = { "call=connect,error=refused",
					      "call=connect,error=refused,delay=300ms" };
	struct server *server = looped_serve(), *dead = server_start_refusing();

	(void)state;
	for (size_t i = 0; i < WAYS - 1; i++) {
		for (int j = 0; j < 2; j++)
			looped_check_same(struck(looped_ways[i], faults[j], server),
					  looped_run_bare(looped_ways[i], dead));
	}
	for (int j = 0; j < 2; j++) {
		struct run run = struck("one-shot", faults[j], server);

		assert_output(run, "EINPROGRESS 0x1c ECONNREFUSED not connected\n");
		run_free(&run);
	}
	assert_int_equal(server_connection_count(server), 0);
	server_stop(dead);
	server_stop(server);
}

static void a_delay_is_a_slow_connect(void **state)
{
	struct server *server = looped_serve();

	(void)state;
	for (size_t i = 0; i < WAYS; i++) {
		struct run run = looped_run(
			&(struct looped){ looped_ways[i], looped_rules("", NORULE),
					  "call=connect,delay=300ms", .under = RUN_SHIM },
			server);

		assert_true(run.elapsed_ns > 3 * SECOND / 10);
		assert_int_equal(count_lines(run.err, "event=fault"), 1);
		looped_check_same(run, looped_run_bare(looped_ways[i], server));
	}
	server_stop(server);
}

/* What the kernel knows itself it tells at once. */
static void other_errors_come_at_once(void **state)
{
	struct server *server = looped_serve();
	struct run run = looped_run(&(struct looped){ "poll", looped_rules("", NORULE),
						      "call=connect,error=EADDRNOTAVAIL",
						      .under = RUN_SHIM },
				    server);

	(void)state;
	assert_int_equal(strncmp(run.out, "EADDRNOTAVAIL ", 14), 0);
	run_free(&run);
	server_stop(server);
}

/* A second connect() is no attempt, neither before the delay is over nor after. */
static void a_question_is_not_struck(void **state)
{
	struct server *server = looped_serve();
	struct run run =
		looped_run(&(struct looped){ "again", looped_rules("", NORULE),
					     "call=connect,delay=100ms", .under = RUN_SHIM },
			   server);

	(void)state;
	assert_output(run, "EINPROGRESS EALREADY 0x4 0 connected\n");
	assert_int_equal(count_lines(run.err, "event=fault"), 1);
	run_free(&run);
	server_stop(server);
}

static void retries_are_struck_like_first_attempts(void **state)
{
	struct server *server = looped_serve();

	(void)state;
	for (size_t i = 0; i < WAYS; i++) {
		struct run run = looped_run(
			&(struct looped){ looped_ways[i],
					  looped_rules("", looped_rule("max_attempts = 5", "")),
					  "call=connect,error=refused,first=3,delay=20ms-40ms",
					  .under = RUN_SHIM },
			server);

		assert_int_equal(count_lines(run.err, "event=fault"), 3);
		assert_int_equal(count_lines(run.err, "event=retry"), 3);
		assert_contains(run.err, "event=recovered rule=it call=connect");
		assert_contains(run.err, "attempts=4 ");
		looped_check_same(run, looped_run_bare(looped_ways[i], server));
	}
	server_stop(server);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_injected_refusal_looks_real),
		cmocka_unit_test(a_delay_is_a_slow_connect),
		cmocka_unit_test(other_errors_come_at_once),
		cmocka_unit_test(a_question_is_not_struck),
		cmocka_unit_test(retries_are_struck_like_first_attempts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
