/*
 * A line of the report, and the variables of a command: what is in them.
 */
#include "unit.h"

#include <curl/curl.h>
#include <errno.h>

#include "ops/hook_env.h"
#include "ops/report.h"

static char text[RS_REPORT_LINE + 1];

static struct rs_target target = {
	.call = RS_CALL_CURL,
	.port = 8080,
	.program = "curl",
};
static struct rs_rule rule;
static struct rs_outcome outcome;
static struct rs_call_state call;
static struct rs_decision decision;
static struct rs_history history;

static int set_up(void **state)
{
	(void)state;
	rule = any_scope_rule("throttled");
	target.method = span("GET");
	target.host = span("h.example");
	target.url = span("http://h.example:8080/o?secret=1#x");
	outcome = (struct rs_outcome){ .status = 503 };
	decision =
		(struct rs_decision){ .action = RS_ACTION_EXHAUSTED, .reason = RS_REASON_ATTEMPTS };
	rs_call_begin(&call, S(100));
	call.attempts = 2;
	history.count = 0;
	return 0;
}

static struct rs_incident incident(void)
{
	return (struct rs_incident){
		.rule = &rule,
		.target = &target,
		.outcome = &outcome,
		.state = &call,
		.decision = &decision,
		.now_ns = S(100) + MS(1234),
	};
}

static const char *composed(int64_t wall_ns, struct rs_span output)
{
	const struct rs_incident about = incident();
	const struct rs_report report = {
		.incident = &about,
		.history = &history,
		.reason = rs_report_reason(&about),
		.output = output,
		.wall_ns = wall_ns,
		.pid = 42,
	};
	struct rs_line line = { .text = text, .size = RS_REPORT_LINE };

	rs_report_compose(&line, &report);
	assert_false(line.cut);
	text[line.len] = '\0';
	return text;
}

static void a_whole_line(void **state)
{
	const struct rs_cause first = { .call = RS_CALL_CURL,
					.error = CURLE_COULDNT_CONNECT,
					.sys_errno = ECONNREFUSED };
	const struct rs_cause second = { .call = RS_CALL_CURL, .status = 503 };

	(void)state;
	rs_history_add(&history, &first, MS(57));
	rs_history_add(&history, &second, 0);
	assert_string_equal(
		composed(S(1763777000) + MS(7), (struct rs_span){ NULL, 0 }),
		"{\"time\":\"2025-11-22T02:03:20.007Z\",\"program\":\"curl\",\"pid\":42,"
		"\"rule\":\"throttled\",\"class\":\"temporary\",\"call\":\"curl\","
		"\"method\":\"GET\",\"target\":\"h.example:8080\",\"attempts\":["
		"{\"outcome\":\"CURLE_COULDNT_CONNECT/ECONNREFUSED\",\"wait_ms\":57},"
		"{\"outcome\":\"503\",\"wait_ms\":0}],\"elapsed_ms\":1234,"
		"\"reason\":\"attempts\"}\n");
}

static void dates(void **state)
{
	static const struct {
		int64_t seconds;
		const char *text;
	} rows[] = {
		{ 0, "1970-01-01T00:00:00.000Z" },
		{ 951782399, "2000-02-28T23:59:59.000Z" },
		{ 951782400, "2000-02-29T00:00:00.000Z" },
		{ 951868800, "2000-03-01T00:00:00.000Z" },
		{ 1735689599, "2024-12-31T23:59:59.000Z" },
		{ 4107542400, "2100-03-01T00:00:00.000Z" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_non_null(strstr(composed(S(rows[i].seconds), span(NULL)), rows[i].text));
}

static void output_is_bounded_and_valid(void **state)
{
	static char output[RS_REPORT_OUTPUT + 1];

	(void)state;
	assert_non_null(strstr(composed(0, span("a\"b\n\xff")),
			       "\"reason\":\"attempts\",\"output\":\"a\\\"b\\n\\ufffd\"}\n"));
	memset(output, 1, sizeof(output));
	composed(0, (struct rs_span){ output, sizeof(output) });
	assert_non_null(strstr(text, "\\u0001\",\"output_cut\":true}\n"));
	assert_true(strlen(text) < RS_REPORT_LINE);
	composed(0, (struct rs_span){ output, sizeof(output) - 1 });
	assert_null(strstr(text, "output_cut"));
}

/* The first ones, and the last. */
static void long_histories(void **state)
{
	struct rs_cause cause = { .call = RS_CALL_CURL };

	(void)state;
	for (int i = 1; i <= RS_HISTORY_MOST + 5; i++) {
		cause.status = 100 + i;
		rs_history_add(&history, &cause, MS(i));
	}
	rs_history_no_wait(&history);
	composed(0, span(NULL));
	assert_non_null(strstr(text, "[{\"outcome\":\"101\",\"wait_ms\":1},"));
	assert_non_null(strstr(text, "{\"outcome\":\"131\",\"wait_ms\":31},"
				     "{\"outcome\":\"137\",\"wait_ms\":0}],"
				     "\"attempts_left_out\":5,"));
}

static void reasons(void **state)
{
	(void)state;
	decision.reason = RS_REASON_QUOTA;
	assert_non_null(strstr(composed(0, span(NULL)), "\"reason\":\"quota\""));
	rule.class = RS_PERMANENT;
	decision.action = RS_ACTION_PERMANENT;
	assert_non_null(strstr(composed(0, span(NULL)), "\"class\":\"permanent\""));
	assert_non_null(strstr(text, "\"reason\":\"permanent\""));
}

static const char *variable(struct rs_span env, const char *name)
{
	for (const char *at = env.at; at < env.at + env.len; at += strlen(at) + 1) {
		if (strncmp(at, name, strlen(name)) == 0 && at[strlen(name)] == '=')
			return at + strlen(name) + 1;
	}
	return "(not there)";
}

static void variables_of_a_transfer(void **state)
{
	const struct rs_incident about = incident();
	static char buf[RS_HOOK_ENV];
	struct rs_span env = rs_hook_env(&about, 42, buf);

	(void)state;
	assert_string_equal(variable(env, "RETRYSHIM_RULE"), "throttled");
	assert_string_equal(variable(env, "RETRYSHIM_CALL"), "curl");
	assert_string_equal(variable(env, "RETRYSHIM_METHOD"), "GET");
	assert_string_equal(variable(env, "RETRYSHIM_URL"), "http://h.example:8080/o");
	assert_string_equal(variable(env, "RETRYSHIM_HOST"), "h.example");
	assert_string_equal(variable(env, "RETRYSHIM_PORT"), "8080");
	assert_string_equal(variable(env, "RETRYSHIM_STATUS"), "503");
	assert_string_equal(variable(env, "RETRYSHIM_ERROR"), "");
	assert_string_equal(variable(env, "RETRYSHIM_ATTEMPT"), "2");
	assert_string_equal(variable(env, "RETRYSHIM_ELAPSED_MS"), "1234");
	assert_string_equal(variable(env, "RETRYSHIM_PROGRAM"), "curl");
	assert_string_equal(variable(env, "RETRYSHIM_PID"), "42");
}

static void variables_of_a_connect(void **state)
{
	static const struct rs_target to = {
		.call = RS_CALL_CONNECT,
		.port = 5432,
		.address = { .family = RS_ADDRESS_IPV6, .ip = { [15] = 1 } },
		.program = "report",
	};
	struct rs_incident about = incident();
	static char buf[RS_HOOK_ENV];
	struct rs_span env;

	(void)state;
	outcome = (struct rs_outcome){ .sys_errno = ECONNREFUSED };
	about.target = &to;
	env = rs_hook_env(&about, 42, buf);
	assert_string_equal(variable(env, "RETRYSHIM_METHOD"), "");
	assert_string_equal(variable(env, "RETRYSHIM_URL"), "");
	assert_string_equal(variable(env, "RETRYSHIM_HOST"), "::1");
	assert_string_equal(variable(env, "RETRYSHIM_PORT"), "5432");
	assert_string_equal(variable(env, "RETRYSHIM_STATUS"), "");
	assert_string_equal(variable(env, "RETRYSHIM_ERROR"), "ECONNREFUSED");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_whole_line, set_up),
		cmocka_unit_test_setup(dates, set_up),
		cmocka_unit_test_setup(output_is_bounded_and_valid, set_up),
		cmocka_unit_test_setup(long_histories, set_up),
		cmocka_unit_test_setup(reasons, set_up),
		cmocka_unit_test_setup(variables_of_a_transfer, set_up),
		cmocka_unit_test_setup(variables_of_a_connect, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
