/*
 * Blocking connect() under the shim: what is retried, until a listener comes, the attempts are used
 * up, or something else ends it.
 */
#include "connecting.h"
#include "harness.h"
#include "server.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* Many short waits: a listener that comes when the first is seen is in time. */
static const char patient[] = INFO QUICK "max_attempts = 4000\nquota = none" RULE;

/* ---- a listener that comes late ---- */

static void check_recovered(struct child *child, const char *output)
{
	struct run run = child_finish(child);

	assert_exit(run, 0);
	assert_output(run, output);
	assert_contains(run.err, "event=recovered rule=it call=connect target=");
	assert_int_equal(count_lines(run.err, "event=exhausted"), 0);
	run_free(&run);
}

static void late_server(enum server_family family, const char *host)
{
	static const struct reply script[] = { { .status = 200 } };
	struct server_options options = {
		.family = family,
		.opening = SERVER_ON_WORD,
		.path = temp_path("late.sock"),
	};
	struct server *server = server_start_with(&options, script, 1);
	const char *const argv[] = { helper_path("connect-once"), host,
				     family == SERVER_UNIX ? NULL : connecting_port(server), NULL };
	struct program program = connecting_under(patient, argv);
	struct child *child = child_start(&program);

	assert_true(child_wait_output(child, "event=retry"));
	server_open(server);
	check_recovered(child, "connected\n");
	server_stop(server);
}

static void late_ipv4(void **state)
{
	(void)state;
	late_server(SERVER_IPV4, "127.0.0.1");
}

static void late_ipv6(void **state)
{
	(void)state;
	late_server(SERVER_IPV6, "::1");
}

static void late_unix(void **state)
{
	(void)state;
	late_server(SERVER_UNIX, temp_path("late.sock"));
}

static int listen_seqpacket(const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	(void)snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", path);
	assert_int_equal(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	assert_int_equal(listen(fd, 1), 0);
	return fd;
}

static void late_seqpacket(void **state)
{
	const char *path = temp_path("packets.sock");
	const char *const argv[] = { helper_path("connect-case"), "seqpacket", "0", path, NULL };
	struct program program = connecting_under(patient, argv);
	struct child *child = child_start(&program);
	int listener;

	(void)state;
	assert_true(child_wait_output(child, "event=retry"));
	listener = listen_seqpacket(path);
	check_recovered(child, "connected\n");
	close(listener);
}

static void late_case(const char *name, const char *output)
{
	struct server *server = server_start_refusing();
	struct child *child = connecting_start(patient, name, server);

	assert_true(child_wait_output(child, "event=retry"));
	server_open(server);
	check_recovered(child, output);
	server_stop(server);
}

static void options_and_binding_stay(void **state)
{
	(void)state;
	late_case("bound", "connected\nport kept, option kept, flags kept\n");
	late_case("bound-to-any-port", "connected\nport kept, option kept, flags kept\n");
}

static void errno_survives_a_recovery(void **state)
{
	(void)state;
	late_case("keeps-errno", "EXDEV\n");
}

static void works_in_a_vfork_child(void **state)
{
	(void)state;
	late_case("in-vfork", "connected\n");
}

static void works_in_a_signal_handler(void **state)
{
	(void)state;
	late_case("in-handler", "connected\n");
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define LITTLE_STACK "65536" /* they take some for themselves */
#else
#define LITTLE_STACK "8192" /* SIGSTKSZ, as programs have it that were built before glibc 2.34 */
#endif

/* The rules are read there, regular expressions and all. */
static void takes_little_of_a_handler(void **state)
{
	static const char *const rules[] = {
		"[rule other]\nstatus = 500\nbody_regex = a(b|c)+d\n"
		"[rule another]\ncall = connect\nerror = timeout\n",
		"[rule none]\nno rule\n",
	};
	struct server *server = server_start_refusing();

	(void)state;
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		struct run run =
			run_words(RUN_SHIM, rules_file(rules[i]), helper_path("small-handler"),
				  connecting_port(server), LITTLE_STACK);

		assert_exit(run, 0);
		assert_output(run, "ECONNREFUSED, 0 allocations\n");
		assert_int_equal(count_lines(run.err, "event="), i);
		run_free(&run);
	}
	server_stop(server);
}

static void environment_may_be_overwritten(void **state)
{
	(void)state;
	late_case("title", "connected\n");
}

/* ---- giving up ---- */

static void gives_up_with_the_real_errno(void **state)
{
	struct server *server = server_start_refusing();
	struct run run =
		run_words(RUN_SHIM, rules_file(connecting_few), helper_path("connect-once"),
			  "127.0.0.1", connecting_port(server));

	(void)state;
	assert_exit(run, 1);
	assert_output(run, "connect: Connection refused\n");
	assert_int_equal(count_lines(run.err, "event=retry"), 2);
	assert_int_equal(count_lines(run.err, "event="), 3);
	assert_contains(run.err, "attempt=1 of=3 cause=ECONNREFUSED wait_ms=2 quota=486");
	assert_contains(run.err, "attempt=3 of=3 cause=ECONNREFUSED reason=attempts elapsed_ms=");
	assert_true(run.elapsed_ns < 10000000000);
	run_free(&run);
	server_stop(server);
}

/* The first attempt's own time counts, though no clock was read before it. */
static void max_elapsed_counts_the_first_attempt(void **state)
{
	static const char rules[] = INFO QUICK "max_elapsed = 250ms" RULE;
	struct run run = connecting_run(rules, "slow-failure", NULL);
	const char *elapsed;

	(void)state;
	assert_output(run, "ETIMEDOUT\n");
	assert_contains(run.err, "event=exhausted");
	assert_contains(run.err, "attempt=1 of=4 cause=ETIMEDOUT reason=elapsed elapsed_ms=");
	elapsed = strstr(run.err, "elapsed_ms=") + strlen("elapsed_ms=");
	assert_in_range(strtoul(elapsed, NULL, 10), 250, 10000);
	run_free(&run);
}

/* ---- attempts that take too long ---- */

#define LIMITED                                                                                    \
	INFO QUICK "max_attempts = 3\nconnect_timeout = %s\n[rule it]\ncall = connect\n"           \
		   "error = timeout, refused\n"

static struct run run_limited(const char *limit, const char *name)
{
	char rules[256];
	struct run run;

	needs_no_emulator();
	(void)snprintf(rules, sizeof(rules), LIMITED, limit);
	run = run_words(RUN_BARE, NULL, command_path(), "run", "-r", rules_file(rules), "--",
			helper_path("connect-case"), name, "1");
	assert_exit(run, 0);
	return run;
}

/* The first attempt, too: `run` knows that the rules set a limit. */
static void a_hanging_attempt_is_limited(void **state)
{
	struct run run = run_limited("100ms", "hanging");

	(void)state;
	assert_output(run, "ETIMEDOUT\nno limit\n");
	assert_int_equal(count_lines(run.err, "event=retry"), 2);
	assert_contains(run.err, "attempt=3 of=3 cause=ETIMEDOUT reason=attempts");
	assert_in_range(run.elapsed_ns, 300000000, 5000000000);
	run_free(&run);
}

static void signals_reach_a_limited_attempt(void **state)
{
	struct run run = run_limited("1h", "hanging-longjmp");

	(void)state;
	assert_output(run, "no limit\n");
	run_free(&run);
	run = run_limited("1h", "hanging-interrupted");
	assert_output(run, "EINTR\nno limit\n");
	run_free(&run);
}

/* What was changed for it is as it was when cleanup handlers run. */
static void a_limited_attempt_can_be_cancelled(void **state)
{
	struct run run = run_limited("1h", "hanging-cancelled");

	(void)state;
	assert_output(run, "mask kept, no limit\n");
	run_free(&run);
}

/* Also where faults are watched for, of this call or of others. */
static void faults_do_not_lift_the_limit(void **state)
{
	static const char rules[] =
		INFO QUICK "max_attempts = 3\nconnect_timeout = 100ms\n[rule it]\ncall = connect\n"
			   "error = timeout\n[fault other]\ncall = connect\naddress = 10.0.0.0/8\n"
			   "error = refused\n";
	struct run run;

	(void)state;
	needs_no_emulator();
	run = run_words(RUN_BARE, NULL, command_path(), "run", "-r", rules_file(rules), "--",
			helper_path("connect-case"), "hanging", "1");
	assert_exit(run, 0);
	assert_output(run, "ETIMEDOUT\nno limit\n");
	assert_int_equal(count_lines(run.err, "event=retry"), 2);
	run_free(&run);
}

static void a_limit_of_the_program_comes_first(void **state)
{
	struct run run = run_limited("1h", "send-timeout");

	(void)state;
	assert_output(run, "EINPROGRESS\n");
	run_free(&run);
}

/* ---- a wait that something else ends ---- */

/* Once the case waits, the port opens (if `opens`), and SIGUSR1 arrives. */
static struct run signal_case(const char *rules, const char *name, bool opens)
{
	struct server *server = server_start_refusing();
	struct child *child = connecting_start(rules, name, server);
	struct run run;

	assert_true(child_wait_output(child, "event=retry"));
	if (opens)
		server_open(server);
	kill(child_pid(child), SIGUSR1);
	run = child_finish(child);
	server_stop(server);
	assert_exit(run, 0);
	return run;
}

static void a_handled_signal_ends_the_wait(void **state)
{
	struct run run = signal_case(connecting_hour, "interrupted", false);

	(void)state;
	assert_output(run, "ECONNREFUSED\n");
	assert_int_equal(count_lines(run.err, "event=exhausted"), 1);
	assert_contains(run.err, "reason=cancelled");
	run_free(&run);
}

static void a_handler_may_leave_by_siglongjmp(void **state)
{
	struct run run = signal_case(connecting_hour, "longjmp-out", true);

	(void)state;
	assert_output(run, "left, descriptors kept\nconnected\n");
	run_free(&run);
}

static void a_waiting_thread_can_be_cancelled(void **state)
{
	struct run run = signal_case(connecting_hour, "cancelled", true);

	(void)state;
	assert_output(run, "cancelled\nconnected\n");
	run_free(&run);
}

/* Another thread puts a new socket in the descriptor's place: that one is not ours to connect. */
static void a_reused_descriptor_is_left_alone(void **state)
{
	static const char second[] = INFO "[policy default]\nbase = 1s\njitter = none\n" RULE;
	struct run run;

	(void)state;
	needs_no_emulator();
	run = signal_case(second, "reused", true);
	assert_output(run, "ECONNREFUSED\nENOTCONN\n");
	run_free(&run);
}

/* … nor is it where that came to be during an attempt, limited or not. */
static void one_that_is_reused_meanwhile_is_left_alone(void **state)
{
	static const char rules[] =
		INFO QUICK "max_attempts = 3\n[rule it]\ncall = connect\nerror = timeout, EBADF\n";
	struct run run = run_limited("300ms", "hanging-reused");

	(void)state;
	assert_output(run, "EBADF\nuntouched\n");
	run_free(&run);
	run = run_words(RUN_SHIM, rules_file(rules), helper_path("connect-case"),
			"slow-failure-reused", "1");
	assert_output(run, "ETIMEDOUT\nuntouched\n");
	run_free(&run);
}

/* Another thread shuts it down, to have the call end: it does, and with what it had come to. */
static void a_socket_that_is_shut_down_ends_the_wait(void **state)
{
	struct run run = signal_case(connecting_hour, "shut-down", true);

	(void)state;
	assert_output(run, "ECONNREFUSED\n");
	assert_contains(run.err, "reason=cancelled");
	run_free(&run);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(late_ipv4),
		cmocka_unit_test(late_ipv6),
		cmocka_unit_test(late_unix),
		cmocka_unit_test(late_seqpacket),
		cmocka_unit_test(options_and_binding_stay),
		cmocka_unit_test(errno_survives_a_recovery),
		cmocka_unit_test(works_in_a_vfork_child),
		cmocka_unit_test(works_in_a_signal_handler),
		cmocka_unit_test(takes_little_of_a_handler),
		cmocka_unit_test(environment_may_be_overwritten),
		cmocka_unit_test(gives_up_with_the_real_errno),
		cmocka_unit_test(max_elapsed_counts_the_first_attempt),
		cmocka_unit_test(a_hanging_attempt_is_limited),
		cmocka_unit_test(signals_reach_a_limited_attempt),
		cmocka_unit_test(a_limited_attempt_can_be_cancelled),
		cmocka_unit_test(faults_do_not_lift_the_limit),
		cmocka_unit_test(a_limit_of_the_program_comes_first),
		cmocka_unit_test(a_handled_signal_ends_the_wait),
		cmocka_unit_test(a_handler_may_leave_by_siglongjmp),
		cmocka_unit_test(a_waiting_thread_can_be_cancelled),
		cmocka_unit_test(a_reused_descriptor_is_left_alone),
		cmocka_unit_test(one_that_is_reused_meanwhile_is_left_alone),
		cmocka_unit_test(a_socket_that_is_shut_down_ends_the_wait),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
