/*
 * connect_timeout for non-blocking connects: an attempt that takes longer has timed out, and is
 * retried, or told to the program, like one that the kernel has given up.
 */
#include "harness.h"
#include "server.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define RULES(limit, error)                                                                        \
	"[retryshim]\nlog_level = info\n[policy default]\nbase = 2ms\nbackoff = constant\n"        \
	"jitter = none\nquota = none\nmax_attempts = 3\nconnect_timeout = " limit                  \
	"\n[rule it]\ncall = connect\nerror = " error "\n"
#define FILL 3

static const char *const waits[] = {
	"poll",     "poll-for-all", "ppoll",       "select",       "pselect",         "level",
	"edge",     "one-shot",     "epoll-pwait", "epoll-pwait2", "told-by-connect", "ask-late",
	"in-a-set", "in-a-poll",    "in-a-select",
};
#define WAITS (sizeof(waits) / sizeof(waits[0]))

/* A listener whose queue is full: the kernel answers nobody, for two minutes. */
struct clogged {
	int listener, filling[FILL];
	char port[8];
};

static struct clogged clog_port(void)
{
	struct sockaddr_in addr = { .sin_family = AF_INET };
	socklen_t len = sizeof(addr);
	struct clogged clogged = { .listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0) };

	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_return_code(bind(clogged.listener, (struct sockaddr *)&addr, len), 0);
	assert_return_code(listen(clogged.listener, 0), 0);
	assert_return_code(getsockname(clogged.listener, (struct sockaddr *)&addr, &len), 0);
	for (int i = 0; i < FILL; i++) {
		clogged.filling[i] =
			socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | (i ? SOCK_NONBLOCK : 0), 0);
		(void)connect(clogged.filling[i], (struct sockaddr *)&addr, sizeof(addr));
	}
	(void)snprintf(clogged.port, sizeof(clogged.port), "%u", ntohs(addr.sin_port));
	return clogged;
}

/* Who waits in the queue is let in, and it holds more from now on. */
static void unclog(const struct clogged *clogged)
{
	assert_return_code(listen(clogged->listener, 64), 0);
	close(accept(clogged->listener, NULL, NULL));
}

static void close_clogged(const struct clogged *clogged)
{
	for (int i = 0; i < FILL; i++)
		close(clogged->filling[i]);
	close(clogged->listener);
}

static struct child *start(enum run_under under, const char *rules, const char *name,
			   const char *port)
{
	const char *const argv[] = { helper_path("pending-case"), name, port, NULL };
	const char *const env[] = { "RETRYSHIM_EARLY=1", NULL };

	return child_start(&(struct program){
		.argv = argv, .under = under, .rules = rules_file(rules), .env = env });
}

/* What the program gets to see of a failure of the kernel's, with another errno. */
static char *timed_out(const char *refused)
{
	static char wanted[1024];
	const char *name = "ECONNREFUSED", *at = strstr(refused, name);

	assert_non_null(at);
	(void)snprintf(wanted, sizeof(wanted), "%.*sETIMEDOUT%s", (int)(at - refused), refused,
		       at + strlen(name));
	return wanted;
}

static struct run refused(const char *name)
{
	struct server *server = server_start_refusing();
	char port[8];
	struct run run;

	(void)snprintf(port, sizeof(port), "%u", server_port(server));
	run = child_finish(start(RUN_BARE, "", name, port));
	server_stop(server);
	return run;
}

static void an_attempt_that_takes_too_long_has_failed(void **state)
{
	struct clogged clogged = clog_port();
	struct child *children[WAITS];

	(void)state;
	for (size_t i = 0; i < WAITS; i++)
		children[i] = start(RUN_SHIM, RULES("100ms", "timeout"), waits[i], clogged.port);
	for (size_t i = 0; i < WAITS; i++) {
		struct run run = child_finish(children[i]), bare = refused(waits[i]);

		assert_exit(run, 0);
		assert_output(run, timed_out(bare.out));
		assert_int_equal(count_lines(run.err, "event=retry"), 2);
		assert_contains(run.err, "attempt=3 of=3 cause=ETIMEDOUT reason=attempts");
		assert_in_range(run.elapsed_ns, 300000000, 10000000000);
		run_free(&run);
		run_free(&bare);
	}
	close_clogged(&clogged);
}

/* A child that waits for something else knows of the connect, and of its limit. */
static void a_child_with_a_set_of_its_own_calls_nothing_off(void **state)
{
	struct clogged clogged = clog_port();
	struct run run = child_finish(start(RUN_SHIM, RULES("100ms", "timeout"), "forked-aside",
					    clogged.port)),
		   bare = refused("forked-aside");

	(void)state;
	assert_exit(run, 0);
	assert_output(run, timed_out(bare.out));
	assert_int_equal(count_lines(run.err, "event=retry"), 2);
	assert_int_equal(count_lines(run.err, "reason=attempts"), 1);
	run_free(&run);
	run_free(&bare);
	close_clogged(&clogged);
}

/* Two that wait for it are both told that it took too long, or that the other one saw to it. */
static void two_processes_that_wait_are_told(void **state)
{
	struct clogged clogged = clog_port();
	struct run run = child_finish(
		start(RUN_SHIM, RULES("100ms", "timeout"), "forked-both", clogged.port));

	(void)state;
	assert_exit(run, 0);
	assert_int_equal(count_lines(run.out, "not connected, SO_ERROR E"), 2);
	run_free(&run);
	close_clogged(&clogged);
}

/* Nobody has asked for the error. What is read is not the end of a connection. */
static void what_the_kernel_gives_up_is_no_connection(void **state)
{
	struct clogged clogged = clog_port();
	struct run run =
		child_finish(start(RUN_SHIM, RULES("10s", "timeout"), "told-late", clogged.port));

	(void)state;
	assert_exit(run, 0);
	assert_int_equal(count_lines(run.err, "event=retry"), 2);
	assert_output(run, "-1 ENOTCONN\nnot connected, SO_ERROR ETIMEDOUT, then 0, sent -1\n");
	run_free(&run);
	close_clogged(&clogged);
}

/* The rule is there for its limit; what it retries is something else. */
static void what_no_rule_retries_is_told(void **state)
{
	struct clogged clogged = clog_port();

	(void)state;
	for (size_t i = 0; i < WAITS; i++) {
		struct run run = child_finish(start(RUN_SHIM, RULES("50ms", "refused"), waits[i],
						    clogged.port)),
			   bare = refused(waits[i]);

		assert_exit(run, 0);
		assert_output(run, timed_out(bare.out));
		assert_string_equal(run.err, "");
		run_free(&run);
		run_free(&bare);
	}
	close_clogged(&clogged);
}

/* The kernel by itself would ask again after a second. */
static void the_next_attempt_may_connect(void **state)
{
	static const char *const names[] = {
		"poll", "select", "level", "edge", "one-shot", "bound",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct clogged clogged = clog_port();
		struct child *child =
			start(RUN_SHIM, RULES("300ms", "timeout"), names[i], clogged.port);
		struct run run;

		assert_true(child_wait_output(child, "event=retry"));
		unclog(&clogged);
		run = child_finish(child);
		assert_exit(run, 0);
		assert_contains(run.out, "connected, SO_ERROR 0, then 0, sent 1\n");
		assert_lacks(run.out, "lost");
		assert_contains(run.err, "event=recovered");
		run_free(&run);
		close_clogged(&clogged);
	}
}

/* Who has no connect that takes too long notices nothing. */
static void a_connect_in_time_is_left_alone(void **state)
{
	static const struct reply script[] = { { .status = 200 } };
	char port[8];

	(void)state;
	for (size_t i = 0; i < WAITS; i++) {
		struct server *server = server_start(script, 1);
		struct run run, bare;

		(void)snprintf(port, sizeof(port), "%u", server_port(server));
		run = child_finish(start(RUN_SHIM, RULES("10s", "timeout"), waits[i], port));
		bare = child_finish(start(RUN_BARE, "", waits[i], port));
		server_stop(server);
		assert_string_equal(run.err, "");
		assert_output(run, bare.out);
		run_free(&run);
		run_free(&bare);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_attempt_that_takes_too_long_has_failed),
		cmocka_unit_test(a_child_with_a_set_of_its_own_calls_nothing_off),
		cmocka_unit_test(two_processes_that_wait_are_told),
		cmocka_unit_test(what_the_kernel_gives_up_is_no_connection),
		cmocka_unit_test(what_no_rule_retries_is_told),
		cmocka_unit_test(the_next_attempt_may_connect),
		cmocka_unit_test(a_connect_in_time_is_left_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
