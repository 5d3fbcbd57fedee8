/* [fault NAME] sections and RETRYSHIM_FAULTS, from text to faults. */
#include "rules_helper.h"

#include <curl/curl.h>
#include <errno.h>
#include <netdb.h>

#include "retry/fault.h"
#include "retry/ns.h"

static struct told told;

static struct rs_rules *load_faults(const char *faults, int expected)
{
	struct rs_load_request request = {
		.faults = faults,
		.complain = hear,
		.arg = &told,
	};
	struct rs_rules *rules = NULL;
	char path[32];

	write_file(path, "; none\n", 7);
	request.paths = path;
	told.count = 0;
	assert_int_equal(rs_rules_load(&request, &rules), expected);
	unlink(path);
	return rules;
}

static void assert_span(struct rs_span span, const char *text)
{
	assert_int_equal(span.len, strlen(text));
	assert_memory_equal(span.at, text, span.len);
}

static void every_key(void **state)
{
	struct rs_rules *rules = load_good("[fault slow]\n"
					   "call = curl\nhost = *.example\nmethod = POST\n"
					   "status = 503\nheader = Retry-After: 1\n  X-A: b, c\n"
					   "body = busy,\n  really\ndelay = 100ms-2s\ncut = 4B\n"
					   "probability = 0.3\nfirst = 2\nevery = 3\n");
	const struct rs_fault *fault = rules->faults;

	(void)state;
	assert_int_equal(rules->fault_count, 1);
	assert_string_equal(fault->name, "slow");
	assert_int_equal(fault->scope.calls, 1u << RS_CALL_CURL);
	assert_int_equal(fault->scope.host.count, 1);
	assert_int_equal(fault->scope.method.names.count, 1);
	assert_int_equal(fault->status, 503);
	assert_span(fault->headers, "Retry-After: 1\r\nX-A: b, c\r\n");
	assert_span(fault->body, "busy,\nreally");
	assert_int_equal(fault->delay_min_ns, 100 * RS_NS_PER_MS);
	assert_int_equal(fault->delay_max_ns, 2 * RS_NS_PER_S);
	assert_int_equal(fault->cut, 4);
	assert_int_equal(fault->probability, 300000);
	assert_int_equal(fault->first, 2);
	assert_int_equal(fault->every, 3);
	rs_rules_free(rules);
}

static void nothing_said_is_every_attempt_of_every_method(void **state)
{
	struct rs_rules *rules = load_good("[fault it]\nstatus = 500\n");

	(void)state;
	assert_true(rules->faults[0].scope.method.any);
	assert_int_equal(rules->faults[0].probability, RS_CERTAIN);
	assert_int_equal(rules->faults[0].every, 1);
	assert_true(rules->faults[0].cut == RS_NO_CUT);
	rs_rules_free(rules);
}

static void check_error(const char *name, int curl, int sys, int eai, unsigned calls)
{
	char text[64];
	struct rs_rules *rules;

	snprintf(text, sizeof(text), "error=%s", name);
	rules = load_faults(text, 0);
	assert_int_equal(rules->faults[0].error.curl, curl);
	assert_int_equal(rules->faults[0].error.sys, sys);
	assert_int_equal(rules->faults[0].error.eai, eai);
	assert_int_equal(rules->fault_calls, calls);
	rs_rules_free(rules);
}

#define CURL    (1u << RS_CALL_CURL)
#define CONNECT (1u << RS_CALL_CONNECT)
#define RESOLVE (1u << RS_CALL_RESOLVE)

static void an_error_for_each_kind_of_call(void **state)
{
	(void)state;
	check_error("refused", CURLE_COULDNT_CONNECT, ECONNREFUSED, 0, CURL | CONNECT);
	check_error("reset", CURLE_RECV_ERROR, ECONNRESET, 0, CURL | CONNECT);
	check_error("timeout", CURLE_OPERATION_TIMEDOUT, ETIMEDOUT, EAI_AGAIN,
		    CURL | CONNECT | RESOLVE);
	check_error("dns", CURLE_COULDNT_RESOLVE_HOST, 0, EAI_AGAIN, CURL | RESOLVE);
	check_error("CURLE_GOT_NOTHING", CURLE_GOT_NOTHING, 0, 0, CURL);
	check_error("EHOSTUNREACH", CURLE_COULDNT_CONNECT, EHOSTUNREACH, EAI_SYSTEM,
		    CURL | CONNECT | RESOLVE);
	check_error("EAI_NONAME", CURLE_COULDNT_RESOLVE_HOST, 0, EAI_NONAME, CURL | RESOLVE);
}

static void look_ups_alone(void **state)
{
	struct rs_rules *rules = load_faults("call=resolve,error=EAI_AGAIN\n"
					     "call=resolve,error=ETIMEDOUT\n"
					     "call=resolve,error=dns\ncall=resolve,delay=1s",
					     0);

	(void)state;
	assert_int_equal(rules->fault_calls, RESOLVE);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(rules->faults[i].scope.calls, RESOLVE);
	assert_int_equal(rules->faults[0].error.eai, EAI_AGAIN);
	assert_int_equal(rules->faults[1].error.eai, EAI_SYSTEM);
	assert_int_equal(rules->faults[1].error.sys, ETIMEDOUT);
	assert_int_equal(rules->faults[2].error.eai, EAI_AGAIN);
	assert_int_equal(rules->faults[3].error.eai, 0);
	rs_rules_free(rules);
}

static void commas_that_begin_no_key_are_the_values(void **state)
{
	struct rs_rules *rules =
		load_faults("port=80,443,status=503,body=a,b\n\nerror=dns,first=1", 0);

	(void)state;
	assert_int_equal(rules->fault_count, 2);
	assert_int_equal(rules->faults[0].scope.port_count, 2);
	assert_int_equal(rules->faults[0].status, 503);
	assert_span(rules->faults[0].body, "a,b");
	assert_int_equal(rules->faults[1].error.curl, CURLE_COULDNT_RESOLVE_HOST);
	rs_rules_free(rules);
}

static void check_wrong(const char *faults, const char *says)
{
	assert_null(load_faults(faults, -EINVAL));
	assert_true(told.count > 0);
	assert_string_equal(told.at[0].file, "RETRYSHIM_FAULTS");
	if (!strstr(told.at[0].text, says))
		fail_msg("'%s' says '%s', not '%s'", faults, told.at[0].text, says);
}

static void what_is_wrong_is_said(void **state)
{
	(void)state;
	check_wrong("error=refusd", "did you mean 'refused'?");
	check_wrong("error=any", "too many");
	check_wrong("staus=503", "did you mean 'status'?");
	check_wrong("status=99", "200 to 599");
	check_wrong("status=5xx", "no whole number");
	check_wrong("probability=1.5,status=500", "0 to 1");
	check_wrong("probability=0.5", "does nothing");
	check_wrong("delay=2s-1s", "is empty");
	check_wrong("delay=5", "no unit");
	check_wrong("first=0,status=500", "more than 0");
	check_wrong("header=nothing", "Name: value");
	check_wrong("error=reset,status=500", "either error");
	check_wrong("error=reset,cut=4B", "either error");
	check_wrong("call=connect,status=500", "only happen to call = curl");
	check_wrong("call=resolve,body=x", "only happen to call = curl");
	check_wrong("call=resolve,header=A: b", "only happen to call = curl");
	check_wrong("call=resolve,delay=1s,cut=4B", "only happen to call = curl");
	check_wrong("call=connect,error=CURLE_PARTIAL_FILE", "do not end with");
	check_wrong("call=connect,error=EAI_AGAIN", "do not end with");
	check_wrong("call=resolve,error=CURLE_COULDNT_RESOLVE_HOST", "do not end with");
	check_wrong("call=resolve,error=refused", "do not end with");
	check_wrong("status", "not key=value");
	check_wrong("max_attempts=3,status=500", "unknown key");
	check_wrong("status=500,status=501", "key 'status' is given twice");
}

static void a_file_says_where(void **state)
{
	struct rs_rules *rules;

	(void)state;
	assert_int_equal(
		load_text("[fault it]\nerror = any\n[fault it]\nstatus = 500\n", &told, &rules),
		-EINVAL);
	assert_int_equal(told.at[0].line, 2);
	assert_int_equal(told.at[1].line, 3);
	assert_non_null(strstr(told.at[1].text, "repeated"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_key),
		cmocka_unit_test(nothing_said_is_every_attempt_of_every_method),
		cmocka_unit_test(an_error_for_each_kind_of_call),
		cmocka_unit_test(look_ups_alone),
		cmocka_unit_test(commas_that_begin_no_key_are_the_values),
		cmocka_unit_test(what_is_wrong_is_said),
		cmocka_unit_test(a_file_says_where),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
