/*
 * What rules and faults do to non-blocking connects beyond trying again: commands, reports,
 * counters, pace, delays. The loop goes on all the while.
 */
#include "harness.h"
#include "server.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SECOND 1000000000LL

#define INFO   "[retryshim]\nlog_level = info\n"
#define QUICK  "[policy default]\nbase = 2ms\nbackoff = constant\njitter = none\nquota = none\n"
#define NORULE "; none\n"

static const char *const ways[] = { "poll", "select", "level", "edge", "one-shot" };
#define WAYS (sizeof(ways) / sizeof(ways[0]))

/* Each test has texts and files of its own. */
static char text[2048];

static const char *rules_with(const char *settings, const char *rule)
{
	(void)snprintf(text, sizeof(text), INFO "%s\n" QUICK "%s\n", settings, rule);
	return rules_file(text);
}

static const char *connect_rule(const char *class, const char *command)
{
	static char rule[1024];

	(void)snprintf(rule, sizeof(rule), "[rule it]\ncall = connect\nerror = refused\n%s\n%s\n",
		       class, command);
	return rule;
}

struct looped {
	const char *way, *rules, *fault, *count;
	enum run_under under;
};

static struct child *start(const struct looped *looped, const struct server *server)
{
	char port[8], faults[256];
	const char *const argv[] = { helper_path("connect-loop"), looped->way, port, looped->count,
				     NULL };
	const char *const env[] = { faults, NULL };

	(void)snprintf(port, sizeof(port), "%u", server_port(server));
	(void)snprintf(faults, sizeof(faults), "RETRYSHIM_FAULTS=%s",
		       looped->fault ? looped->fault : "");
	return child_start(&(struct program){
		.argv = argv,
		.under = looped->under,
		.rules = looped->rules,
		.env = looped->fault ? env : NULL,
	});
}

static struct run run_loop(const struct looped *looped, const struct server *server)
{
	return child_finish(start(looped, server));
}

static struct run run_bare(const char *way, const struct server *server)
{
	return run_loop(&(struct looped){ .way = way, .under = RUN_BARE }, server);
}

static struct server *serve(void)
{
	static const struct reply script[] = { { .status = 200 } };

	return server_start(script, 1);
}

static bool wait_for_file(const char *path)
{
	char *bytes = NULL;
	size_t len = 0;

	for (int i = 0; i < 1000 && len == 0; i++) {
		free(bytes);
		bytes = read_file(path, &len);
		if (!bytes || len == 0)
			usleep(5000);
	}
	free(bytes);
	return len > 0;
}

static void check_same_output(struct run run, struct run bare)
{
	assert_output(run, bare.out);
	run_free(&bare);
	run_free(&run);
}

/* ---- commands ---- */

/* A service that is started by its first client. */
static void a_recover_command_runs_beside_the_loop(void **state)
{
	struct server *server[WAYS];
	struct child *child[WAYS];
	char name[32], command[512];

	(void)state;
	for (size_t i = 0; i < WAYS; i++) {
		const char *began;

		(void)snprintf(name, sizeof(name), "began-%zu", i);
		began = temp_path(name);
		(void)snprintf(command, sizeof(command),
			       "recover = sh -c 'echo $RETRYSHIM_ERROR $RETRYSHIM_ATTEMPT >%s; "
			       "sleep 0.6'",
			       began);
		server[i] = server_start_refusing();
		child[i] =
			start(&(struct looped){ ways[i],
						rules_with("", connect_rule("class = recoverable",
									    command)),
						.under = RUN_SHIM },
			      server[i]);
		assert_true(wait_for_file(began));
		server_open(server[i]);
	}
	for (size_t i = 0; i < WAYS; i++) {
		struct run run = child_finish(child[i]);

		assert_contains(run.err, "event=recover rule=it call=connect target=127.0.0.1:");
		assert_contains(run.err, "attempt=1 of=4 cause=ECONNREFUSED");
		assert_contains(run.err, "result=ok run_ms=");
		assert_contains(run.err, "event=recovered rule=it call=connect");
		assert_true(run.elapsed_ns > 6 * SECOND / 10);
		check_same_output(run, run_bare(ways[i], server[i]));
		server_stop(server[i]);
	}
}

static char *report_of(const char *path)
{
	size_t len;
	char *report = read_file(path, &len);

	assert_non_null(report);
	return report;
}

static const char *reporting(const char *path)
{
	static char settings[256];

	(void)snprintf(settings, sizeof(settings), "report = %s", path);
	return settings;
}

static void a_followup_command_runs_beside_the_loop(void **state)
{
	static const char command[] = "followup = sh -c 'sleep 0.5; echo looked into "
				      "$RETRYSHIM_ERROR; sleep 0.05; exit 3'";
	struct server *server = server_start_refusing();

	(void)state;
	for (size_t i = 0; i < WAYS; i++) {
		char name[32];
		const char *path;
		struct run run;
		char *report;

		(void)snprintf(name, sizeof(name), "followup-%zu", i);
		path = temp_path(name);
		run = run_loop(
			&(struct looped){ ways[i],
					  rules_with(reporting(path),
						     connect_rule("class = followup", command)),
					  .under = RUN_SHIM },
			server);
		assert_true(run.elapsed_ns > SECOND / 2);
		assert_int_equal(count_lines(run.err, "event="), 1);
		assert_contains(run.err, "event=followup rule=it call=connect");
		assert_contains(run.err, "error=\"exit status 3\"");
		check_same_output(run, run_bare(ways[i], server));
		report = report_of(path);
		assert_int_equal(count_lines(report, "{"), 1);
		assert_contains(report, "\"reason\":\"followup\","
					"\"output\":\"looked into ECONNREFUSED\\n\"}");
		free(report);
	}
	server_stop(server);
}

static void a_failed_recovery_is_final(void **state)
{
	struct server *server = server_start_refusing();
	const char *path = temp_path("unmended");
	struct run run = run_loop(
		&(struct looped){ "level",
				  rules_with(reporting(path), connect_rule("class = recoverable",
									   "recover = false")),
				  .under = RUN_SHIM },
		server);
	char *report = report_of(path);

	(void)state;
	assert_contains(run.err, "result=failed error=\"exit status 1\"");
	check_same_output(run, run_bare("level", server));
	assert_contains(report, "\"reason\":\"recovery\"");
	assert_contains(report, "\"attempts\":[{\"outcome\":\"ECONNREFUSED\",\"wait_ms\":0}]");
	free(report);
	server_stop(server);
}

static bool is_there(const char *pid_file)
{
	char *digits = report_of(pid_file);
	pid_t pid = (pid_t)strtol(digits, NULL, 10);

	free(digits);
	return kill(pid, 0) == 0 || errno != ESRCH;
}

static bool is_gone_soon(const char *pid_file)
{
	for (int i = 0; i < 400 && is_there(pid_file); i++)
		usleep(5000);
	return !is_there(pid_file);
}

static const char *long_command(const char *pid_file)
{
	static char command[512];

	(void)snprintf(command, sizeof(command), "recover = sh -c 'echo $$ >%s; exec sleep 30'",
		       pid_file);
	return connect_rule("class = recoverable", command);
}

static void hook_timeout_ends_a_command(void **state)
{
	struct server *server = server_start_refusing();
	const char *pid_file = temp_path("timeout-pid");
	struct run run = run_loop(
		&(struct looped){ "edge",
				  rules_with("hook_timeout = 300ms", long_command(pid_file)),
				  .under = RUN_SHIM },
		server);

	(void)state;
	assert_contains(run.err, "error=\"ran into hook_timeout\"");
	assert_true(run.elapsed_ns > 3 * SECOND / 10 && run.elapsed_ns < 5 * SECOND);
	check_same_output(run, run_bare("edge", server));
	assert_true(is_gone_soon(pid_file));
	server_stop(server);
}

/* It closes the socket: the command is ended while the program goes on. */
static void a_command_ends_with_its_connect(void **state)
{
	struct server *server = server_start_refusing();
	const char *pid_file = temp_path("given-up-pid");
	const char *path = temp_path("given-up");
	char settings[256];
	struct child *child;
	struct run run;
	char *report;

	(void)state;
	(void)snprintf(settings, sizeof(settings), "report = %s", path);
	child = start(&(struct looped){ "give-up", rules_with(settings, long_command(pid_file)),
					.under = RUN_SHIM },
		      server);
	assert_true(child_wait_output(child, "reason=cancelled"));
	assert_true(is_gone_soon(pid_file));
	kill(child_pid(child), SIGTERM);
	run = child_finish(child);
	assert_int_equal(run.signal, SIGTERM);
	assert_output(run, "EINPROGRESS 0 given up\n");
	assert_int_equal(count_lines(run.err, "event="), 1);
	report = report_of(path);
	assert_contains(report, "\"reason\":\"cancelled\"");
	free(report);
	run_free(&run);
	server_stop(server);
}

static void one_command_serves_all_that_fail_together(void **state)
{
	struct server *server = server_start_refusing();
	const char *runs = temp_path("runs");
	char command[512], port[8];
	const char *const argv[] = { helper_path("pending-case"), "many", port, NULL };
	struct child *child;
	struct run run;
	char *lines;
	size_t len;

	(void)state;
	(void)snprintf(port, sizeof(port), "%u", server_port(server));
	(void)snprintf(command, sizeof(command), "recover = sh -c 'echo run >>%s; sleep 0.5'",
		       runs);
	child = child_start(&(struct program){
		.argv = argv,
		.under = RUN_SHIM,
		.rules = rules_with("", connect_rule("class = recoverable", command)),
	});
	assert_true(wait_for_file(runs));
	server_open(server);
	run = child_finish(child);
	assert_output(run, "0 wrong\n");
	lines = read_file(runs, &len);
	assert_string_equal(lines, "run\n");
	assert_int_equal(count_lines(run.err, "event=recovered"), 700);
	free(lines);
	run_free(&run);
	server_stop(server);
}

static void who_asks_is_answered_after_the_command(void **state)
{
	struct server *server = server_start_refusing();
	const char *began = temp_path("asked");
	char command[512];
	struct child *child;
	struct run run;

	(void)state;
	(void)snprintf(command, sizeof(command), "recover = sh -c 'echo >%s; sleep 0.3'", began);
	child = start(
		&(struct looped){ "ask",
				  rules_with("", connect_rule("class = recoverable", command)),
				  .under = RUN_SHIM },
		server);
	assert_true(wait_for_file(began));
	server_open(server);
	run = child_finish(child);
	assert_output(run, "EINPROGRESS 0 connected\n");
	run_free(&run);
	server_stop(server);
}

/* ---- reports and counters ---- */

static void ends_are_reported(void **state)
{
	static const struct {
		const char *class, *reason, *attempts;
	} rows[] = {
		{ "class = permanent", "\"reason\":\"permanent\"",
		  "\"attempts\":[{\"outcome\":\"ECONNREFUSED\",\"wait_ms\":0}]" },
		{ "max_attempts = 2", "\"reason\":\"attempts\"",
		  "\"attempts\":[{\"outcome\":\"ECONNREFUSED\",\"wait_ms\":2},"
		  "{\"outcome\":\"ECONNREFUSED\",\"wait_ms\":0}]" },
	};
	struct server *server = server_start_refusing();

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char name[32];
		const char *path;
		char *report;

		(void)snprintf(name, sizeof(name), "report-%zu", i);
		path = temp_path(name);
		check_same_output(
			run_loop(&(struct looped){ "level",
						   rules_with(reporting(path),
							      connect_rule(rows[i].class, "")),
						   .under = RUN_SHIM },
				 server),
			run_bare("level", server));
		report = report_of(path);
		assert_int_equal(count_lines(report, "{"), 1);
		assert_contains(report, "\"call\":\"connect\"");
		assert_contains(report, rows[i].reason);
		assert_contains(report, rows[i].attempts);
		free(report);
	}
	server_stop(server);
}

static const char *counting(const char *counters)
{
	static char settings[256];

	(void)snprintf(settings, sizeof(settings), "stats = %s", counters);
	return settings;
}

/* A fault makes the first one of three fail; what no rule has to decide counts, too. */
static void every_call_is_counted(void **state)
{
	const char *counters = temp_path("counters");
	struct server *server = serve(), *dead = server_start_refusing();
	const char *rules = rules_with(counting(counters), connect_rule("max_attempts = 2", ""));
	struct run run;

	(void)state;
	run = run_loop(&(struct looped){ "level", rules, "call=connect,error=refused,first=1", "3",
					 RUN_SHIM },
		       server);
	run_free(&run);
	run = run_loop(&(struct looped){ "poll", rules, .count = "2", .under = RUN_SHIM }, dead);
	run_free(&run);
	rules = rules_with(counting(counters), "[rule none]\ncall = connect\nerror = timeout\n");
	run = run_loop(&(struct looped){ "poll", rules, .count = "4", .under = RUN_SHIM }, dead);
	run_free(&run);
	run = run_words(RUN_BARE, NULL, command_path(), "stats", "--prometheus", counters);
	assert_contains(run.out, "retryshim_calls_total{call=\"connect\",rule=\"it\"} 3\n");
	assert_contains(run.out, "retryshim_retries_total{call=\"connect\",rule=\"it\"} 3\n");
	assert_contains(run.out, "retryshim_recovered_total{call=\"connect\",rule=\"it\"} 1\n");
	assert_contains(run.out, "retryshim_exhausted_total{call=\"connect\",rule=\"it\"} 2\n");
	assert_contains(run.out, "retryshim_calls_total{call=\"connect\",rule=\"\"} 6\n");
	run_free(&run);
	server_stop(dead);
	server_stop(server);
}

/* ---- pace ---- */

/* After a refusal the least rate holds, one in two seconds: for the retry, and for the next. */
static void first_attempts_keep_the_pace(void **state)
{
	static const char *const paced[] = { "poll", "edge", "again" };
	struct server *server[3];
	struct child *child[3];

	(void)state;
	for (int i = 0; i < 3; i++) {
		server[i] = server_start_refusing();
		child[i] = start(
			&(struct looped){ paced[i],
					  rules_with("", connect_rule("rate_limit = adaptive", "")),
					  .count = "2", .under = RUN_SHIM },
			server[i]);
	}
	for (int i = 0; i < 3; i++) {
		assert_true(child_wait_output(child[i], "event=retry"));
		server_open(server[i]);
	}
	for (int i = 0; i < 3; i++) {
		struct run run = child_finish(child[i]);

		assert_int_equal(count_lines(run.err, "event=paced call=connect target=127.0.0.1:"),
				 1);
		assert_true(run.elapsed_ns > 5 * SECOND / 2);
		assert_int_equal(count_lines(run.out, " 0 connected"), 2);
		assert_int_equal(count_lines(run.out, "EINPROGRESS"), 2);
		/* To ask after one that has failed is to wait for the answer. */
		if (i < 2)
			assert_lacks(run.out, "stalled");
		else
			assert_contains(run.out, "\nEINPROGRESS EALREADY ");
		run_free(&run);
		server_stop(server[i]);
	}
}

/* ---- faults ---- */

static struct run struck(const char *way, const char *fault, const struct server *server)
{
	return run_loop(&(struct looped){ way, rules_with("", NORULE), fault, .under = RUN_SHIM },
			server);
}

/* The same as where the port is closed indeed; but for a one-shot registration, which the kernel
 * has forgotten by then: what it asked for beyond EPOLLOUT is not told. */
static void an_injected_refusal_looks_real(void **state)
{
	static const char *const faults[] = { "call=connect,error=refused",
					      "call=connect,error=refused,delay=300ms" };
	struct server *server = serve(), *dead = server_start_refusing();

	(void)state;
	for (size_t i = 0; i < WAYS - 1; i++) {
		for (int j = 0; j < 2; j++)
			check_same_output(struck(ways[i], faults[j], server),
					  run_bare(ways[i], dead));
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
	struct server *server = serve();

	(void)state;
	for (size_t i = 0; i < WAYS; i++) {
		struct run run =
			run_loop(&(struct looped){ ways[i], rules_with("", NORULE),
						   "call=connect,delay=300ms", .under = RUN_SHIM },
				 server);

		assert_true(run.elapsed_ns > 3 * SECOND / 10);
		assert_int_equal(count_lines(run.err, "event=fault"), 1);
		check_same_output(run, run_bare(ways[i], server));
	}
	server_stop(server);
}

/* What the kernel knows itself it tells at once. */
static void other_errors_come_at_once(void **state)
{
	struct server *server = serve();
	struct run run =
		run_loop(&(struct looped){ "poll", rules_with("", NORULE),
					   "call=connect,error=EADDRNOTAVAIL", .under = RUN_SHIM },
			 server);

	(void)state;
	assert_int_equal(strncmp(run.out, "EADDRNOTAVAIL ", 14), 0);
	run_free(&run);
	server_stop(server);
}

/* A second connect() is no attempt, neither before the delay is over nor after. */
static void a_question_is_not_struck(void **state)
{
	struct server *server = serve();
	struct run run = run_loop(&(struct looped){ "again", rules_with("", NORULE),
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
	struct server *server = serve();

	(void)state;
	for (size_t i = 0; i < WAYS; i++) {
		struct run run = run_loop(
			&(struct looped){ ways[i],
					  rules_with("", connect_rule("max_attempts = 5", "")),
					  "call=connect,error=refused,first=3,delay=20ms-40ms",
					  .under = RUN_SHIM },
			server);

		assert_int_equal(count_lines(run.err, "event=fault"), 3);
		assert_int_equal(count_lines(run.err, "event=retry"), 3);
		assert_contains(run.err, "event=recovered rule=it call=connect");
		assert_contains(run.err, "attempts=4 ");
		check_same_output(run, run_bare(ways[i], server));
	}
	server_stop(server);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_recover_command_runs_beside_the_loop),
		cmocka_unit_test(a_followup_command_runs_beside_the_loop),
		cmocka_unit_test(a_failed_recovery_is_final),
		cmocka_unit_test(hook_timeout_ends_a_command),
		cmocka_unit_test(a_command_ends_with_its_connect),
		cmocka_unit_test(one_command_serves_all_that_fail_together),
		cmocka_unit_test(who_asks_is_answered_after_the_command),
		cmocka_unit_test(ends_are_reported),
		cmocka_unit_test(every_call_is_counted),
		cmocka_unit_test(first_attempts_keep_the_pace),
		cmocka_unit_test(an_injected_refusal_looks_real),
		cmocka_unit_test(a_delay_is_a_slow_connect),
		cmocka_unit_test(other_errors_come_at_once),
		cmocka_unit_test(a_question_is_not_struck),
		cmocka_unit_test(retries_are_struck_like_first_attempts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
