/* Which targets a rule is about: matchers of scope, one by one. */
#include "match_helper.h"

#include <errno.h>

static void calls(void **state)
{
	struct rs_rule rule = error_rule("e", RS_DOMAIN_ERRNO, ECONNREFUSED);
	const struct rs_outcome outcome = { .sys_errno = ECONNREFUSED };
	struct rs_target target = curl_target();

	(void)state;
	rule.calls = 1u << RS_CALL_CONNECT;
	refuses(&rule, &target, &outcome, "call");
	target.call = RS_CALL_RESOLVE;
	refuses(&rule, &target, &outcome, "call");
	target.call = RS_CALL_CONNECT;
	refuses(&rule, &target, &outcome, NULL);
}

static void methods(void **state)
{
	struct rs_rule rule = error_rule("e", RS_DOMAIN_ERRNO, ECONNRESET);
	struct rs_outcome outcome = { .sys_errno = ECONNRESET };
	struct rs_target target = curl_target();

	(void)state;
	rule.method = (struct rs_method_matcher){ .names = TEXTS({ "GET", 3 }, { "PUT", 3 }) };
	refuses(&rule, &target, &outcome, NULL);
	target.method = span("PUT");
	refuses(&rule, &target, &outcome, NULL);
	target.method = span("GETX");
	refuses(&rule, &target, &outcome, "method");
	target.method = span("POST");
	refuses(&rule, &target, &outcome, "method");
	target.method = span(NULL);
	refuses(&rule, &target, &outcome, "method");
	/* What was never sent may be sent by any method. */
	outcome.never_sent = true;
	refuses(&rule, &target, &outcome, NULL);
	outcome.never_sent = false;
	rule.method.any = true;
	refuses(&rule, &target, &outcome, NULL);
	rule.method = (struct rs_method_matcher){ 0 };
	refuses(&rule, &target, &outcome, NULL);
}

static void connects_have_no_method(void **state)
{
	struct rs_rule rule = error_rule("e", RS_DOMAIN_ERRNO, ECONNRESET);
	const struct rs_outcome outcome = { .sys_errno = ECONNRESET };
	const struct rs_target target = connect_target(3);

	(void)state;
	rule.method = (struct rs_method_matcher){ .names = TEXTS({ "GET", 3 }) };
	refuses(&rule, &target, &outcome, NULL);
}

static void texts_of_a_target(void **state)
{
	const struct rs_glob host = rs_glob_make("*.EXAMPLE.com", true);
	const struct rs_glob hosts[] = { rs_glob_make("other", true), host };
	const struct rs_glob url = rs_glob_make("https://*/v1/*", false);
	const struct rs_glob scheme = rs_glob_make("https", false);
	const struct rs_glob program = rs_glob_make("fetch*", false);
	const struct rs_outcome outcome = { .status = 503 };
	const struct rs_target target = curl_target();
	struct rs_target other;
	struct rs_rule rule = status_rule("s", 503, 503);

	(void)state;
	rule.host = (struct rs_globs){ hosts, 2 };
	rule.url = (struct rs_globs){ &url, 1 };
	rule.scheme = (struct rs_globs){ &scheme, 1 };
	rule.program = (struct rs_globs){ &program, 1 };
	refuses(&rule, &target, &outcome, NULL);
	other = target;
	other.host = span("example.com");
	refuses(&rule, &other, &outcome, "host");
	other = target;
	other.url = span("https://api.example.com/v2/x");
	refuses(&rule, &other, &outcome, "url");
	other = target;
	other.scheme = span("HTTPS");
	refuses(&rule, &other, &outcome, NULL);
	other.scheme = span("http");
	refuses(&rule, &other, &outcome, "scheme");
	other.scheme = span("httpx");
	refuses(&rule, &other, &outcome, "scheme");
	other = target;
	other.program = "curl";
	refuses(&rule, &other, &outcome, "program");
}

/* A connect has no host, scheme or URL: not even * is one. */
static void connects_have_no_texts(void **state)
{
	const struct rs_glob any = rs_glob_make("*", false);
	const struct rs_globs list = { &any, 1 };
	const struct rs_outcome outcome = { .sys_errno = ECONNREFUSED };
	const struct rs_target target = connect_target(3);
	struct rs_rule rule = error_rule("e", RS_DOMAIN_ERRNO, ECONNREFUSED);

	(void)state;
	refuses(&rule, &target, &outcome, NULL);
	rule.host = list;
	refuses(&rule, &target, &outcome, "host");
	rule.host.count = 0;
	rule.url = list;
	refuses(&rule, &target, &outcome, "url");
	rule.url.count = 0;
	rule.scheme = list;
	refuses(&rule, &target, &outcome, "scheme");
}

static void ports(void **state)
{
	const uint16_t list[] = { 80, 5432 };
	const struct rs_outcome outcome = { .sys_errno = ECONNREFUSED };
	struct rs_target target = connect_target(3);
	struct rs_rule rule = error_rule("e", RS_DOMAIN_ERRNO, ECONNREFUSED);

	(void)state;
	rule.ports = list;
	rule.port_count = 2;
	refuses(&rule, &target, &outcome, NULL);
	target.port = 443;
	refuses(&rule, &target, &outcome, "port");
	target = curl_target();
	refuses(&rule, &target, &outcome, "port");
	target.port = 80;
	refuses(&rule, &target, &outcome, NULL);
}

static void networks(void **state)
{
	static const struct {
		uint8_t network[4];
		unsigned bits;
		bool matches; /* 10.1.2.3 */
	} cases[] = {
		{ { 10, 0, 0, 0 }, 8, true },       { { 11, 0, 0, 0 }, 8, false },
		{ { 10, 1, 2, 3 }, 32, true },      { { 10, 1, 2, 2 }, 32, false },
		{ { 10, 1, 2, 2 }, 31, true },      { { 10, 1, 2, 0 }, 31, false },
		{ { 0, 0, 0, 0 }, 0, true },        { { 10, 1, 3, 0 }, 23, true },
		{ { 10, 1, 4, 0 }, 22, false },     { { 9, 255, 255, 255 }, 7, false },
		{ { 11, 255, 255, 255 }, 7, true },
	};
	const struct rs_outcome outcome = { .sys_errno = ECONNREFUSED };
	const struct rs_target target = connect_target(3);
	struct rs_rule rule = error_rule("e", RS_DOMAIN_ERRNO, ECONNREFUSED);

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct rs_address_matcher list[] = {
			{ .family = RS_ADDRESS_IPV6 },
			{ .family = RS_ADDRESS_IPV4, .prefix_bits = cases[i].bits },
		};

		memcpy(list[1].ip, cases[i].network, 4);
		rule.addresses = list;
		rule.address_count = 2;
		refuses(&rule, &target, &outcome, cases[i].matches ? NULL : "address");
	}
}

static void other_addresses(void **state)
{
	const struct rs_address_matcher list[] = {
		{ .family = RS_ADDRESS_IPV6, .ip = { 0xfd }, .prefix_bits = 8 },
		{ .family = RS_ADDRESS_UNIX, .path = rs_glob_make("/run/*", false) },
	};
	const struct rs_outcome outcome = { .sys_errno = ECONNREFUSED };
	struct rs_target target = connect_target(3);
	struct rs_rule rule = error_rule("e", RS_DOMAIN_ERRNO, ECONNREFUSED);

	(void)state;
	rule.addresses = list;
	rule.address_count = 2;
	refuses(&rule, &target, &outcome, "address");
	target.address = (struct rs_address){ .family = RS_ADDRESS_IPV6, .ip = { 0xfd, 1 } };
	refuses(&rule, &target, &outcome, NULL);
	target.address.ip[0] = 0xfe;
	refuses(&rule, &target, &outcome, "address");
	target.address = (struct rs_address){ .family = RS_ADDRESS_UNIX, .path = span("/run/db") };
	refuses(&rule, &target, &outcome, NULL);
	target.address.path = span("@run");
	refuses(&rule, &target, &outcome, "address");
	/* A curl call has no address. */
	target = curl_target();
	refuses(&rule, &target, &outcome, "address");
}

static void coverage_is_scope_alone(void **state)
{
	const struct rs_glob host = rs_glob_make("db.example.com", true);
	struct rs_rule rule = error_rule("e", RS_DOMAIN_CURL, 7);
	struct rs_rules all = rules_of(&rule, 1);
	struct rs_target target = curl_target();

	(void)state;
	assert_ptr_equal(rs_first_covering(&all, &target), &rule);
	rule.host = (struct rs_globs){ &host, 1 };
	assert_null(rs_first_covering(&all, &target));
	target.host = span("DB.example.com");
	assert_ptr_equal(rs_first_covering(&all, &target), &rule);
	/* A POST that was never sent may be retried; one that was answered may not. */
	rule.method = (struct rs_method_matcher){ .names = TEXTS({ "GET", 3 }) };
	target.method = span("POST");
	assert_ptr_equal(rs_first_covering(&all, &target), &rule);
	rule.has_error = false;
	rule.status = statuses(503, 503);
	assert_null(rs_first_covering(&all, &target));
	all.rule_count = 0;
	assert_null(rs_first_covering(&all, &target));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(calls),
		cmocka_unit_test(methods),
		cmocka_unit_test(connects_have_no_method),
		cmocka_unit_test(texts_of_a_target),
		cmocka_unit_test(connects_have_no_texts),
		cmocka_unit_test(ports),
		cmocka_unit_test(networks),
		cmocka_unit_test(other_addresses),
		cmocka_unit_test(coverage_is_scope_alone),
	};

	return cmocka_run_group_tests_name("match_scope", tests, NULL, NULL);
}
