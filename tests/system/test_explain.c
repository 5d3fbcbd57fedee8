/*
 * retryshim explain: which rule decides, and why the ones before it do not. What it says is held
 * against what the library then does.
 */
#include "harness.h"
#include "server.h"

#include <stdio.h>
#include <string.h>

#define RULES                                                                                      \
	"[retryshim]\nlog_level = info\n"                                                          \
	"[policy default]\nbase = 1ms\nmax_attempts = 3\njitter = none\n"                          \
	"[policy patient]\nbase = 2s\n"                                                            \
	"[rule busy]\nstatus = 503\nbody = SlowDown, Throttl\npolicy = patient\n"                  \
	"[rule here]\nhost = *.example\nstatus = 5xx\n"                                            \
	"[rule header]\nheader = X-Kind: te*\n"                                                    \
	"[rule errors]\nerror = timeout, ECONNREFUSED\nmethod = GET, POST\n"                       \
	"[rule local]\ncall = connect\naddress = 10.0.0.0/8\nport = 80, 443\nerror = "             \
	"EHOSTUNREACH\n"                                                                           \
	"[rule mine]\nprogram = report-*\nstatus = 500\nclass = permanent\n"

static struct run explain(const char *input, const char *const *words)
{
	const char *argv[32] = { command_path(), "explain", "-r", rules_file(RULES) };
	size_t count = 4;

	while (*words && count < 31)
		argv[count++] = *words++;
	return run_program(&(struct program){ .argv = argv, .input = input });
}

#define EXPLAIN(...)              explain(NULL, (const char *const[]){ __VA_ARGS__, NULL })
#define EXPLAIN_INPUT(input, ...) explain(input, (const char *const[]){ __VA_ARGS__, NULL })
#define CHECK_OUTPUT(run, ...)    check_output(run, (const char *const[]){ __VA_ARGS__, NULL })

static void check_output(struct run run, const char *const *says)
{
	assert_exit(run, 0);
	assert_string_equal(run.err, "");
	for (; *says; says++)
		assert_contains(run.out, *says);
	run_free(&run);
}

static void the_rule_that_decides(void **state)
{
	(void)state;
	CHECK_OUTPUT(EXPLAIN_INPUT("<Code>SlowDown</Code>", "--call", "curl", "--status", "503",
				   "--body", "-"),
		     "status 503: rule busy (", ":9), class temporary: it is tried again",
		     "policy patient: 3 attempts", "      2    2 s", "total: ");
	CHECK_OUTPUT(EXPLAIN("--call", "curl", "--status", "500", "--program", "report-daily"),
		     "rule mine", "class permanent", "not tried again");
	CHECK_OUTPUT(EXPLAIN("--call", "curl", "--status", "404"), "no rule matches",
		     "the program gets it as it is");
}

static void why_the_others_do_not(void **state)
{
	(void)state;
	CHECK_OUTPUT(EXPLAIN("--call", "curl", "--status", "404", "--url", "http://a.test/"),
		     "busy    status: 404 is not among 503\n",
		     "here    host: a.test does not match *.example\n",
		     "header  header: no X-Kind matches te*\n",
		     "errors  error: the attempt did not fail: it brought status 404\n",
		     "local   call: the rule is for connect\n",
		     "mine    program: none was given (--program); the rule wants report-*\n");
	CHECK_OUTPUT(EXPLAIN("--call", "curl", "--status", "503"),
		     "busy    body: the first 0 bytes hold none of SlowDown, Throttl\n");
	CHECK_OUTPUT(EXPLAIN("--call", "curl", "--error", "CURLE_GOT_NOTHING", "--method", "PUT"),
		     "CURLE_GOT_NOTHING: no rule matches",
		     "busy    status: there was no response\n",
		     "errors  method: the rule is for GET, POST\n");
	CHECK_OUTPUT(EXPLAIN("--call", "connect", "--error", "EHOSTUNREACH", "--address",
			     "11.1.2.3:443"),
		     "local   address: 11.1.2.3 is not among 10.0.0.0/8\n");
	CHECK_OUTPUT(
		EXPLAIN("--call", "connect", "--error", "EHOSTUNREACH", "--address", "10.1.2.3:22"),
		"local   port: 22 is not among 80, 443\n");
	CHECK_OUTPUT(EXPLAIN("--call", "connect", "--error", "EHOSTUNREACH", "--address",
			     "[::ffff:10.1.2.3]:443"),
		     "rule local (");
	CHECK_OUTPUT(EXPLAIN("--call", "connect", "--error", "EPIPE", "--address", "10.1.2.3:80"),
		     "errors  error: EPIPE is not among ", "ETIMEDOUT", "ECONNREFUSED");
}

static void headers_and_what_the_server_asks_for(void **state)
{
	(void)state;
	CHECK_OUTPUT(EXPLAIN("--call", "curl", "--status", "200", "--header", "A: b", "--header",
			     "x-kind: test"),
		     "rule header");
	CHECK_OUTPUT(EXPLAIN("--call", "curl", "--status", "503", "--url", "http://a.example/",
			     "--header", "Retry-After: 7"),
		     "rule here", "asks for a wait of 7 s: the next one is no shorter");
	CHECK_OUTPUT(EXPLAIN("--call", "curl", "--status", "503", "--url", "http://a.example/",
			     "--header", "Retry-After: 600"),
		     "more than retry_after_cap: no retry");
}

static struct run explain_by(const char *rules, const char *const *words)
{
	const char *argv[32] = { command_path(), "explain", "-r", rules_file(rules) };

	for (size_t i = 0; words[i]; i++)
		argv[4 + i] = words[i];
	return run_program(&(struct program){ .argv = argv });
}

#define LIMITED                                                                                    \
	"[policy default]\njitter = none\nbase = 1s\n[quota small]\ncapacity = 50\n"               \
	"[rule once]\nstatus = 500\nmax_attempts = 1\n"                                            \
	"[rule late]\nstatus = 502\nmax_elapsed = 500ms\n"                                         \
	"[rule dear]\nstatus = 429\nquota = small\ncost = 51\n"                                    \
	"[rule some]\nstatus = 504\nquota = small\ncost = 20\n"                                    \
	"[rule mend]\nstatus = 401\nclass = recoverable\nrecover = true\nmax_attempts = 1\n"       \
	"[rule any]\nstatus = 503\nerror = any\n"

static void check_by(const char *rules, const char *action, const char *says, const char *lacks,
		     const char *const *words)
{
	const char *with_json[16] = { "--json" };
	struct run run;
	char wanted[64];

	for (size_t i = 0; words[i]; i++)
		with_json[1 + i] = words[i];
	(void)snprintf(wanted, sizeof(wanted), "\"action\":\"%s\"", action);
	run = explain_by(rules, with_json);
	assert_contains(run.out, wanted);
	run_free(&run);
	run = explain_by(rules, words);
	assert_exit(run, 0);
	assert_contains(run.out, says);
	assert_lacks(run.out, lacks);
	run_free(&run);
}

#define CHECK_BY(rules, action, says, lacks, ...)                                                  \
	check_by(rules, action, says, lacks, (const char *const[]){ __VA_ARGS__, NULL })

/* A rule matches, and yet there is no other attempt. */
static void what_is_not_tried_again(void **state)
{
	static const char waits[] = "longest";

	(void)state;
	CHECK_BY(LIMITED, "pass", "rule once (", waits, "--call", "curl", "--status", "500");
	CHECK_BY(LIMITED, "pass", "max_elapsed", waits, "--call", "curl", "--status", "502");
	CHECK_BY(LIMITED, "pass", "its quota", waits, "--call", "curl", "--status", "429");
	CHECK_BY(LIMITED, "pass", "not tried again", waits, "--call", "curl", "--status", "401");
	CHECK_BY(LIMITED, "pass", "more than retry_after_cap: no retry", waits, "--call", "curl",
		 "--status", "503", "--header", "Retry-After: 200");
	CHECK_BY(LIMITED, "retry", "A full quota small pays for 2 of them.", "not tried again",
		 "--call", "curl", "--status", "504");
	CHECK_BY("[retryshim]\nmode = observe\n" LIMITED, "pass", "mode = observe", "mode = off",
		 "--call", "curl", "--status", "503");
	CHECK_BY("[retryshim]\nmode = off\n" LIMITED, "pass", "mode = off", "mode = observe",
		 "--call", "curl", "--status", "503");
}

static void the_first_wait_is_what_the_server_asks_for(void **state)
{
	(void)state;
	CHECK_BY(LIMITED, "retry", "      2   30 s ", "      2    1 s ", "--call", "curl",
		 "--status", "503", "--header", "Retry-After: 30");
}

/* What the program ended, and what is no failure, is never tried again. */
static void endings_that_no_rule_is_asked_about(void **state)
{
	static const char *const connects[] = { "EINTR", "EISCONN", "EFAULT", "EINPROGRESS" };
	static const char *const transfers[] = { "CURLE_ABORTED_BY_CALLBACK", "CURLE_WRITE_ERROR",
						 "CURLE_READ_ERROR" };

	(void)state;
	for (size_t i = 0; i < 4; i++)
		CHECK_BY(LIMITED, "pass", "that is no failed attempt: no rule is asked", "rule any",
			 "--call", "connect", "--error", connects[i]);
	for (size_t i = 0; i < 3; i++)
		CHECK_BY(LIMITED, "pass", "the program itself has ended it: no rule", "rule any",
			 "--call", "curl", "--error", transfers[i]);
	CHECK_BY(LIMITED, "pass", "no rule is asked", "rule any", "--call", "resolve", "--error",
		 "ERANGE");
	CHECK_BY(LIMITED, "retry", "rule any", "no rule", "--call", "connect", "--error", "EPERM");
}

static void an_errno_behind_a_curl_error(void **state)
{
	(void)state;
	CHECK_OUTPUT(EXPLAIN("--call", "curl", "--error", "CURLE_COULDNT_CONNECT", "--error",
			     "ECONNREFUSED", "--method", "DELETE"),
		     "CURLE_COULDNT_CONNECT (ECONNREFUSED): rule errors",
		     "the rule holds whatever the method");
	CHECK_OUTPUT(EXPLAIN("--call", "curl", "--error", "ECONNREFUSED"), "rule errors");
	CHECK_OUTPUT(EXPLAIN("--call", "curl", "--error", "CURLE_COULDNT_CONNECT"),
		     "no rule matches");
	CHECK_OUTPUT(EXPLAIN("--call", "resolve", "--error", "EAI_AGAIN"), "EAI_AGAIN: no rule");
}

static void json(void **state)
{
	struct run run = EXPLAIN("--json", "--call", "curl", "--status", "500", "--url",
				 "http://a.example/");

	(void)state;
	assert_exit(run, 0);
	assert_output(run, "{\"rule\":\"here\",\"class\":\"temporary\",\"action\":\"retry\","
			   "\"policy\":\"default\",\"considered\":[{\"rule\":\"busy\","
			   "\"because\":\"status: 500 is not among 503\"}]}\n");
	run_free(&run);
	run = EXPLAIN("--json", "--call", "connect", "--error", "EPERM");
	assert_contains(run.out, "{\"rule\":null,\"class\":null,\"action\":\"pass\","
				 "\"policy\":null,\"considered\":[{\"rule\":\"busy\",");
	run_free(&run);
}

static void check_usage(struct run run, int status, const char *says)
{
	assert_exit(run, status);
	assert_string_equal(run.out, "");
	assert_contains(run.err, says);
	run_free(&run);
}

static void wrong_usage(void **state)
{
	(void)state;
	check_usage(EXPLAIN("--status", "503"), 2, "--call curl, --call connect");
	check_usage(EXPLAIN("--call", "crul", "--status", "503"), 2,
		    "unknown call 'crul'; did you mean 'curl'?\n");
	check_usage(EXPLAIN("--call", "xyzzy"), 2, "it is curl, connect or resolve\n");
	check_usage(EXPLAIN("-r", "a:b", "--call", "curl", "--status", "503"), 2,
		    "-r a:b: ':' separates files");
	check_usage(EXPLAIN("--call", "curl"), 2, "--error NAME or --status N is missing");
	check_usage(EXPLAIN("--call", "curl", "--status", "5xx"), 2, "100 to 999");
	check_usage(EXPLAIN("--call", "curl", "--error", "refused"), 2, "is a group");
	check_usage(EXPLAIN("--call", "curl", "--error", "ECONREFUSED"), 2,
		    "did you mean 'ECONNREFUSED'?");
	check_usage(EXPLAIN("--call", "curl", "--error", "EAI_AGAIN"), 2, "EAI_ name");
	check_usage(EXPLAIN("--call", "curl", "--error", "EPIPE", "--status", "500"), 2, "either");
	check_usage(EXPLAIN("--call", "connect", "--status", "500"), 2, "--call curl");
	check_usage(EXPLAIN("--call", "connect", "--error", "EPIPE", "--address", "here"), 2,
		    "no IP address");
	check_usage(EXPLAIN("--call", "curl", "--status", "500", "--header", "X"), 2,
		    "Name: value");
	check_usage(EXPLAIN("--cal", "curl", "--staus", "1"), 2, "did you mean '--status'?");
	check_usage(EXPLAIN("--call", "curl", "--status", "500", "x"), 2, "unexpected 'x'");
	check_usage(EXPLAIN("--call", "curl", "--status", "500", "--body", "/nowhere/x"), 1,
		    "/nowhere/x");
}

/* As run does: over what the files say. */
static void options_of_the_environment(void **state)
{
	static const char *const env[] = { "RETRYSHIM_OPTIONS=max_attempts=1", NULL };
	const char *rules = rules_file("[rule busy]\nstatus = 503\n");
	const char *const argv[] = { command_path(), "explain",  "-r",  rules, "--call",
				     "curl",         "--status", "503", NULL };

	(void)state;
	CHECK_OUTPUT(run_program(&(struct program){ .argv = argv }), "rule busy", "tried again");
	CHECK_OUTPUT(run_program(&(struct program){ .argv = argv, .env = env }),
		     "max_attempts is 1");
}

/* What explain says of a status is what happens to it. */
static void it_agrees_with_what_happens(void **state)
{
	static const char *const statuses[] = { "200", "404", "500", "503" };
	static const int codes[] = { 200, 404, 500, 503 };

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		const struct reply script[] = { { .status = codes[i], .body = "Throttled" } };
		struct server *server = server_start(script, 1);
		struct run said = EXPLAIN_INPUT("Throttled", "--json", "--call", "curl", "--status",
						statuses[i], "--body", "-");
		struct run done = run_words(RUN_SHIM, rules_file(RULES), "curl", "-sS",
					    "--max-time", "1", server_url(server, "/"));
		bool retries = strstr(said.out, "\"action\":\"retry\"") != NULL;

		assert_int_equal(count_lines(done.err, "event=retry") > 0, retries);
		run_free(&said);
		run_free(&done);
		server_stop(server);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_rule_that_decides),
		cmocka_unit_test(why_the_others_do_not),
		cmocka_unit_test(headers_and_what_the_server_asks_for),
		cmocka_unit_test(what_is_not_tried_again),
		cmocka_unit_test(the_first_wait_is_what_the_server_asks_for),
		cmocka_unit_test(endings_that_no_rule_is_asked_about),
		cmocka_unit_test(an_errno_behind_a_curl_error),
		cmocka_unit_test(json),
		cmocka_unit_test(wrong_usage),
		cmocka_unit_test(options_of_the_environment),
		cmocka_unit_test(it_agrees_with_what_happens),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
