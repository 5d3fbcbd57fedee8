/*
 * Name look-ups: commands, reports, counters, quotas and pace.
 */
#include "looking_up.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#define SECOND 1000000000LL
#define POLICY "[policy default]\nmax_attempts = 3\nbase = 2ms\njitter = none\n"
#define FAILS  "call = resolve\nerror = EAI_AGAIN\n"
#define RULE   "[rule it]\n" FAILS

static const char *rules_with(const char *settings, const char *rules)
{
	char text[4096];

	(void)snprintf(text, sizeof(text), "[retryshim]\nlog_level = info\n%s\n" POLICY "%s",
		       settings, rules);
	return rules_file(text);
}

/* ---- commands ---- */

static void a_recovery_mends_it(void **state)
{
	const char *told = temp_path("told");
	char rule[1024];
	struct run run;
	char *text;
	size_t len;

	(void)state;
	(void)snprintf(rule, sizeof(rule),
		       "[rule it]\nclass = recoverable\n" FAILS
		       "recover = sh -c 'env | grep ^RETRYSHIM_ | sort >%s; cat >>%s'\n",
		       told, told);
	run = look_up(rules_with("", rule), "EAI_AGAIN:2", "getaddrinfo", "1");
	assert_output(run, "found\n");
	assert_int_equal(count_lines(run.err, "event=recover rule=it call=resolve "
					      "target=service.test:80 attempt=1 of=3 "
					      "cause=EAI_AGAIN wait_ms=2"),
			 1);
	assert_int_equal(count_lines(run.err, "event=retry rule=it call=resolve"), 1);
	assert_contains(run.err, "event=recovered rule=it call=resolve target=service.test:80 "
				 "attempts=3");
	text = read_file(told, &len);
	assert_non_null(text);
	assert_contains(text, "RETRYSHIM_ATTEMPT=1\nRETRYSHIM_CALL=resolve\nRETRYSHIM_ELAPSED_MS=");
	assert_contains(text, "\nRETRYSHIM_ERROR=EAI_AGAIN\nRETRYSHIM_HOST=service.test\n"
			      "RETRYSHIM_METHOD=\nRETRYSHIM_PID=");
	assert_contains(text, "\nRETRYSHIM_PORT=80\nRETRYSHIM_PROGRAM=lookup\nRETRYSHIM_RULE=it\n"
			      "RETRYSHIM_STATUS=\nRETRYSHIM_URL=\n");
	free(text);
	run_free(&run);
}

static void a_recovery_that_fails(void **state)
{
	const char *report = temp_path("not-mended");
	char setting[256], *text;
	struct run run;
	size_t len;

	(void)state;
	(void)snprintf(setting, sizeof(setting), "report = %s", report);
	run = look_up(
		rules_with(setting, "[rule it]\nclass = recoverable\n" FAILS "recover = false\n"),
		"EAI_AGAIN:9", "gethostbyname_r", "2");
	assert_output(run, "ERANGE\nHost name lookup failure\n"
			   "ERANGE\nHost name lookup failure\n");
	/* A retry that is not made has not been paid. */
	assert_int_equal(count_lines(run.err, "wait_ms=2 quota=486 result=failed "
					      "error=\"exit status 1\""),
			 2);
	text = read_file(report, &len);
	assert_contains(text, "\"call\":\"resolve\",\"target\":\"service.test\"");
	assert_contains(text, "\"attempts\":[{\"outcome\":\"EAI_AGAIN\",\"wait_ms\":0}]");
	assert_contains(text, "\"reason\":\"recovery\"");
	free(text);
	run_free(&run);
}

/* The command is ended, and the program gets its error, when a signal comes. */
static void a_signal_ends_a_recovery(void **state)
{
	struct run run =
		look_up(rules_with("hook_timeout = 50s",
				   "[rule it]\nclass = recoverable\n" FAILS
				   "recover = sh -c 'kill -USR1 $RETRYSHIM_PID; sleep 60'\n"),
			"EAI_AGAIN:9", "interrupted", "1");

	(void)state;
	assert_output(run, "Temporary failure in name resolution\n");
	assert_contains(run.err, "event=exhausted rule=it call=resolve");
	assert_contains(run.err, "reason=cancelled");
	assert_true(run.elapsed_ns < 10 * SECOND);
	run_free(&run);
}

/* As in a terminal by Ctrl-Z, and `fg`. In a process group of its own: of one that is an orphan the
 * kernel stops nobody so. */
static void a_stop_ends_no_recovery(void **state)
{
	const char *resumed = temp_path("resumed");
	char rule[512];
	struct child *child;
	siginfo_t info;
	struct run run;

	(void)state;
	(void)snprintf(rule, sizeof(rule),
		       "[rule it]\nclass = recoverable\n" FAILS
		       "recover = sh -c 'kill -TSTP $RETRYSHIM_PID; until test -e %s;\n"
		       "  do sleep 0.01; done'\n",
		       resumed);
	child = start_look_up(rules_with("hook_timeout = 50s", rule), "EAI_AGAIN:1", "in-group",
			      "1");
	assert_int_equal(waitid(P_PID, (id_t)child_pid(child), &info, WSTOPPED | WEXITED | WNOWAIT),
			 0);
	assert_int_equal(info.si_code, CLD_STOPPED);
	kill(child_pid(child), SIGCONT);
	(void)temp_file("resumed", "", 0);
	run = child_finish(child);
	assert_output(run, "found\n");
	assert_contains(run.err, "event=recovered");
	run_free(&run);
}

static void check_report(const char *name, const char *rule, const char *says)
{
	const char *report = temp_path(name);
	char setting[256], *text;
	struct run run;
	size_t len;

	(void)snprintf(setting, sizeof(setting), "report = %s", report);
	run = look_up(rules_with(setting, rule), "EAI_AGAIN:9", "getaddrinfo", "1");
	assert_output(run, "Temporary failure in name resolution\n");
	text = read_file(report, &len);
	assert_non_null(text);
	assert_int_equal(count_lines(text, "{"), 1);
	assert_contains(text, "\"program\":\"lookup\"");
	assert_contains(text, "\"call\":\"resolve\",\"target\":\"service.test:80\",");
	assert_contains(text, says);
	free(text);
	run_free(&run);
}

static void reports(void **state)
{
	(void)state;
	check_report("exhausted", RULE,
		     "\"attempts\":[{\"outcome\":\"EAI_AGAIN\",\"wait_ms\":2},"
		     "{\"outcome\":\"EAI_AGAIN\",\"wait_ms\":4},"
		     "{\"outcome\":\"EAI_AGAIN\",\"wait_ms\":0}],");
	check_report("exhausted-too", RULE, "\"reason\":\"attempts\"}");
	check_report("permanent", "[rule it]\nclass = permanent\n" FAILS,
		     "\"reason\":\"permanent\"}");
	check_report("followup",
		     "[rule it]\nclass = followup\n" FAILS
		     "followup = sh -c 'echo asked for $RETRYSHIM_HOST'\n",
		     "\"reason\":\"followup\",\"output\":\"asked for service.test\\n\"}");
}

/* Debian's libcurl looks names up in a thread of its own: nothing of this is for those. */
static void not_inside_a_transfer(void **state)
{
	const char *report = temp_path("transfer"), *touched = temp_path("touched");
	const char *const argv[] = { "curl", "-sS", "http://service.test:1/", NULL };
	char setting[256], rule[512], *text;
	struct program program;
	struct run run;
	size_t len;

	(void)state;
	(void)snprintf(setting, sizeof(setting), "report = %s", report);
	(void)snprintf(rule, sizeof(rule),
		       "[rule look-up]\nclass = recoverable\n" FAILS "recover = touch %s\n"
		       "[rule transfer]\ncall = curl\nclass = permanent\nerror = dns\n",
		       touched);
	program = looking_up(rules_with(setting, rule), "EAI_AGAIN:99", argv);
	run = run_program(&program);
	assert_exit(run, 6);
	text = read_file(report, &len);
	assert_int_equal(count_lines(text, "{"), 1);
	assert_contains(text, "\"call\":\"curl\"");
	free(text);
	assert_null(read_file(touched, &len));
	assert_int_equal(count_lines(run.err, "call=resolve"), 0);
	run_free(&run);
}

/* ---- counters, quotas, pace ---- */

/* A success is counted once the rules are loaded, which the first failure does. */
static void counters(void **state)
{
	const char *path = temp_path("counters");
	char setting[256];
	struct run run;

	(void)state;
	(void)snprintf(setting, sizeof(setting), "stats = %s", path);
	run = look_up(rules_with(setting, RULE), "EAI_AGAIN:x..", "getaddrinfo", "4");
	assert_output(run, "found\nfound\nfound\nfound\n");
	run_free(&run);
	run = look_up(rules_with(setting, RULE), "EAI_AGAIN:xxx", "gethostbyname", "1");
	run_free(&run);
	run = look_up(rules_with(setting, RULE), "EAI_NONAME:x", "gethostbyname2_r", "1");
	run_free(&run);
	run = run_words(RUN_BARE, NULL, command_path(), "stats", "--json", path);
	assert_contains(run.out, "{\"call\":\"resolve\",\"rule\":null,\"calls\":4,\"retries\":0,");
	assert_contains(run.out, "{\"call\":\"resolve\",\"rule\":\"it\",\"calls\":2,\"retries\":3,"
				 "\"recovered\":1,\"exhausted\":1,\"quota_refused\":0,"
				 "\"wait_ms\":8}");
	run_free(&run);
}

/* 28 tokens: 14 are gone with the first look-up, 1 comes back with the second, 14 are left to pay
 * from by the third. */
static void a_first_success_gives_back(void **state)
{
	struct run run = look_up(rules_with("", "[quota small]\ncapacity = 28\n" RULE
						"max_attempts = 2\nquota = small\n"),
				 "EAI_AGAIN:xx.x.", "getaddrinfo", "3");

	(void)state;
	assert_output(run, "Temporary failure in name resolution\nfound\nfound\n");
	assert_int_equal(count_lines(run.err, "event=retry"), 2);
	assert_contains(run.err, "cause=EAI_AGAIN wait_ms=2 quota=14\n");
	assert_contains(run.err, "cause=EAI_AGAIN wait_ms=2 quota=1\n");
	run_free(&run);
}

/* As for transfers: the least rate is one in two seconds. */
static void a_throttle_slows_down(void **state)
{
	struct run run = look_up(rules_with("", RULE "rate_limit = adaptive\n"), "EAI_AGAIN:1",
				 "getaddrinfo", "2");

	(void)state;
	assert_output(run, "found\nfound\n");
	assert_int_equal(count_lines(run.err, "event=retry"), 1);
	assert_int_equal(count_lines(run.err, "event=paced call=resolve target=service.test:80 "),
			 1);
	assert_true(run.elapsed_ns > 5 * SECOND / 2);
	run_free(&run);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_recovery_mends_it),
		cmocka_unit_test(a_recovery_that_fails),
		cmocka_unit_test(a_signal_ends_a_recovery),
		cmocka_unit_test(a_stop_ends_no_recovery),
		cmocka_unit_test(reports),
		cmocka_unit_test(not_inside_a_transfer),
		cmocka_unit_test(counters),
		cmocka_unit_test(a_first_success_gives_back),
		cmocka_unit_test(a_throttle_slows_down),
	};

	return cmocka_run_group_tests_name("resolve_ops", tests, NULL, NULL);
}
