/* Which outcomes a rule matches: statuses and errors. */
#include "match_helper.h"

#include <errno.h>

#include "retry/held.h"

static void status_decides(void **state)
{
	const struct rs_rule rule = status_rule("s", 500, 599);
	const struct rs_target target = curl_target();
	const struct {
		int status;
		const char *key;
	} cases[] = {
		{ 499, "status" }, { 500, NULL },     { 599, NULL },      { 600, "status" },
		{ 0, "status" },   { 999, "status" }, { 1000, "status" }, { -500, "status" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct rs_outcome outcome = { .status = cases[i].status };

		refuses(&rule, &target, &outcome, cases[i].key);
	}
}

static void errors_decide(void **state)
{
	const struct rs_rule by_code = error_rule("c", RS_DOMAIN_CURL, 28);
	const struct rs_rule by_errno = error_rule("e", RS_DOMAIN_ERRNO, ECONNREFUSED);
	const struct rs_target target = curl_target();
	const struct rs_target connect = connect_target(3);
	const struct rs_outcome timeout = { .error = 28 };
	const struct rs_outcome refused = { .error = 7, .sys_errno = ECONNREFUSED };
	const struct rs_outcome connect_refused = { .sys_errno = ECONNREFUSED };
	const struct rs_outcome response = { .status = 503 };

	(void)state;
	refuses(&by_code, &target, &timeout, NULL);
	refuses(&by_code, &target, &refused, "error");
	refuses(&by_errno, &target, &refused, NULL);
	refuses(&by_errno, &target, &timeout, "error");
	refuses(&by_errno, &connect, &connect_refused, NULL);
	refuses(&by_code, &connect, &connect_refused, "error");
	refuses(&by_code, &target, &response, "error");
}

/* Either suffices; a response that broke off is both. */
static void error_or_response(void **state)
{
	struct rs_rule rule = error_rule("both", RS_DOMAIN_CURL, 18);
	const struct rs_target target = curl_target();
	const struct rs_outcome partial = { .error = 18, .status = 200 };
	const struct rs_outcome fail_on_error = { .error = 22, .status = 503 };
	const struct rs_outcome other_error = { .error = 7 };
	const struct rs_outcome other_status = { .status = 404 };

	(void)state;
	rule.status = statuses(503, 503);
	refuses(&rule, &target, &partial, NULL);
	refuses(&rule, &target, &fail_on_error, NULL);
	refuses(&rule, &target, &other_error, "error");
	refuses(&rule, &target, &other_status, "status");
}

static void refusals_without_a_response(void **state)
{
	const struct rs_target target = curl_target();
	const struct rs_outcome outcome = { .error = 7 };
	struct rs_rule rule = any_scope_rule("r");
	struct rs_pattern pattern = { .text = "x" };
	const struct rs_header_matcher header = rs_header_matcher_make("A", "1");

	(void)state;
	rule.body_regex = &pattern;
	refuses(&rule, &target, &outcome, "body_regex");
	rule.body = (struct rs_texts)TEXTS({ "x", 1 });
	refuses(&rule, &target, &outcome, "body");
	rule.header = &header;
	refuses(&rule, &target, &outcome, "header");
	rs_pattern_free(&pattern);
}

static void neither_failure_nor_status(void **state)
{
	const struct rs_rule rules[] = { status_rule("s", 1, 999),
					 error_rule("e", RS_DOMAIN_CURL, 7) };
	const struct rs_rules all = rules_of(rules, 2);
	const struct rs_target target = curl_target();
	const struct rs_outcome success = { 0 };
	const struct rs_rule *found = NULL;

	(void)state;
	assert_int_equal(rs_match(&all, &target, &success, RS_KNOWN_ALL, &found), RS_MATCH_NONE);
	assert_null(found);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(status_decides),
		cmocka_unit_test(errors_decide),
		cmocka_unit_test(error_or_response),
		cmocka_unit_test(refusals_without_a_response),
		cmocka_unit_test(neither_failure_nor_status),
	};

	return cmocka_run_group_tests_name("match_outcome", tests, NULL, NULL);
}
