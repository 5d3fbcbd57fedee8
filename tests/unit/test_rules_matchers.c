/* What the matchers of right rules files become, of each rule and of all together. */
#include "rules_helper.h"

#include "retry/error_set.h"

static void matchers(void **state)
{
	struct rs_rules *rules = load_good(
		"[rule a]\nclass = permanent\ncall = curl\n"
		"error = ECONNREFUSED,\n\ttimeout\n  CURLE_GOT_NOTHING\n"
		"status = 429, 500-504, 2XX\n"
		"body = Slow Down, <Code>x</Code>\nbody_regex = ^a{1,3}[;]$\n"
		"header = X-Foo: a:b*\nmethod = get, PropFind\n"
		"scheme = HTTP, https\nhost = *.example.com, localhost\nport = 80, 65535\n"
		"url = http://x/*\naddress = 10.1.2.3/8, ::1, /run/*.sock, @abstract\n"
		"program = curl*\nquota = none\n");
	const struct rs_rule *rule = &rules->rules[0];

	(void)state;
	assert_int_equal(rule->class, RS_PERMANENT);
	assert_int_equal(rule->calls, 1u << RS_CALL_CURL);
	assert_true(rule->has_error && rule->status);
	assert_true(rs_error_set_has(&rule->error, RS_DOMAIN_CURL, 52));
	assert_true(rs_error_set_has(&rule->error, RS_DOMAIN_CURL, 28));
	assert_false(rs_error_set_has(&rule->error, RS_DOMAIN_CURL, 7));
	for (int status = 0; status < RS_STATUS_LIMIT; status++)
		assert_int_equal(rs_status_in(rule->status, status),
				 status == 429 || (status >= 500 && status <= 504) ||
					 (status >= 200 && status <= 299));
	assert_int_equal(rule->body.count, 2);
	assert_memory_equal(rule->body.at[0].at, "Slow Down", 9);
	assert_int_equal(rule->body.at[1].len, strlen("<Code>x</Code>"));
	assert_true(rs_pattern_finds(rule->body_regex, "aaa;", 4));
	assert_string_equal(rule->header->name.at, "X-Foo");
	assert_string_equal(rule->header->value.pattern, "a:b*");
	assert_int_equal(rule->method.names.count, 2);
	assert_memory_equal(rule->method.names.at[0].at, "GET", 3);
	assert_string_equal(rule->scheme.at[0].pattern, "http");
	assert_int_equal(rule->host.count, 2);
	assert_true(rule->host.at[0].fold);
	assert_int_equal(rule->host.at[0].kind, RS_GLOB_SUFFIX);
	assert_int_equal(rule->ports[1], 65535);
	assert_int_equal(rule->url.at[0].kind, RS_GLOB_PREFIX);
	assert_int_equal(rule->address_count, 4);
	assert_int_equal(rule->addresses[0].family, RS_ADDRESS_IPV4);
	assert_int_equal(rule->addresses[0].prefix_bits, 8);
	assert_int_equal(rule->addresses[0].ip[3], 3);
	assert_int_equal(rule->addresses[1].family, RS_ADDRESS_IPV6);
	assert_int_equal(rule->addresses[1].prefix_bits, 128);
	assert_int_equal(rule->addresses[2].family, RS_ADDRESS_UNIX);
	assert_string_equal(rule->addresses[3].path.pattern, "@abstract");
	assert_int_equal(rule->program.count, 1);
	assert_int_equal(rule->policy.quota, RS_NO_QUOTA);
	rs_rules_free(rules);
}

static void is_text(struct rs_span text, const char *expected)
{
	assert_int_equal(text.len, strlen(expected));
	assert_memory_equal(text.at, expected, text.len);
}

/* A comma behind a backslash is part of an item; other backslashes are what they were. */
static void commas_in_items(void **state)
{
	struct rs_rules *rules = load_good("[rule a]\n"
					   "body = a\\,b, \\, c ,\\\"d\\\",e\\,\n"
					   "\t\\,\n  f\\\n"
					   "url = http://x/a\\,b, http://x/\\*\n"
					   "address = /run/a\\,b\n");
	const struct rs_rule *rule = &rules->rules[0];

	(void)state;
	assert_int_equal(rule->body.count, 6);
	is_text(rule->body.at[0], "a,b");
	is_text(rule->body.at[1], ", c");
	is_text(rule->body.at[2], "\\\"d\\\"");
	is_text(rule->body.at[3], "e,");
	is_text(rule->body.at[4], ",");
	is_text(rule->body.at[5], "f\\");
	assert_int_equal(rule->url.count, 2);
	assert_string_equal(rule->url.at[0].pattern, "http://x/a,b");
	assert_string_equal(rule->url.at[1].pattern, "http://x/\\*");
	assert_string_equal(rule->addresses[0].path.pattern, "/run/a,b");
	rs_rules_free(rules);
}

static void methods(void **state)
{
	struct rs_rules *rules = load_good("[rule a]\nerror = any\nmethod = any\n"
					   "[rule b]\nerror = any\nmethod = idempotent, POST\n");

	(void)state;
	assert_true(rules->rules[0].method.any);
	assert_false(rules->rules[1].method.any);
	assert_int_equal(rules->rules[1].method.names.count, 7);
	assert_memory_equal(rules->rules[1].method.names.at[6].at, "POST", 4);
	rs_rules_free(rules);
}

/* The words are copied right behind the list: had it too little room they would be overwritten. */
static void methods_by_the_dozen(void **state)
{
	static const char *const expected[] = {
		"GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE"
	};
	struct rs_rules *rules = load_good("[rule a]\nerror = any\nmethod = idempotent, POST,\n"
					   "\tidempotent, idempotent, PATCH\n");
	const struct rs_texts *names = &rules->rules[0].method.names;

	(void)state;
	assert_int_equal(names->count, 20);
	for (size_t i = 0; i < 19; i++) {
		const char *wanted = i == 6 ? "POST" : expected[(i < 6 ? i : i - 1) % 6];

		assert_memory_equal(names->at[i].at, wanted, strlen(wanted));
	}
	assert_memory_equal(names->at[19].at, "PATCH", 5);
	rs_rules_free(rules);
}

static void unions(void **state)
{
	struct rs_rules *rules = load_good("[rule a]\nstatus = 503\n[rule b]\nstatus = 429\n");

	(void)state;
	assert_true(rs_status_in(&rules->status, 503) && rs_status_in(&rules->status, 429));
	assert_false(rs_status_in(&rules->status, 200));
	assert_int_equal(rules->calls, 1u << RS_CALL_CURL);
	rs_rules_free(rules);

	rules = load_good("[rule a]\nbody = x\nstatus = 400\n[rule b]\nheader = a: b\n");
	assert_true(rs_status_in(&rules->status, 200));
	rs_rules_free(rules);

	rules = load_good("[rule a]\nerror = refused\n[rule b]\nerror = dns\ncall = curl\n");
	assert_int_equal(rules->calls, 7);
	assert_true(rs_error_set_has(&rules->error, RS_DOMAIN_ERRNO, 111));
	assert_true(rs_error_set_has(&rules->error, RS_DOMAIN_CURL, 6));
	assert_false(rs_status_in(&rules->status, 503));
	rs_rules_free(rules);
}

/* Whatever stands before it: a rule that looks at no status may match any. */
static void rules_without_a_status(void **state)
{
	struct rs_rules *rules = load_good("[rule a]\nerror = any\n[rule b]\nbody = busy\n");

	(void)state;
	assert_true(rs_status_in(&rules->status, 200));
	assert_true(rs_status_in(&rules->status, 599));
	rs_rules_free(rules);
}

/* As connects do: their target is an IPv4 address then. */
static void mapped_addresses(void **state)
{
	struct rs_rules *rules = load_good("[rule a]\nerror = any\naddress = ::ffff:10.1.0.0/112, "
					   "::ffff:10.0.0.1, ::ffff:0:0/96, ::ffff:0:0/95, ::/0\n");
	const struct rs_address_matcher *at = rules->rules[0].addresses;

	(void)state;
	assert_int_equal(at[0].family, RS_ADDRESS_IPV4);
	assert_int_equal(at[0].prefix_bits, 16);
	assert_memory_equal(at[0].ip, "\12\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16);
	assert_int_equal(at[1].prefix_bits, 32);
	assert_int_equal(at[2].prefix_bits, 0);
	assert_int_equal(at[3].family, RS_ADDRESS_IPV6);
	assert_int_equal(at[4].family, RS_ADDRESS_IPV6);
	rs_rules_free(rules);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(matchers),        cmocka_unit_test(mapped_addresses),
		cmocka_unit_test(methods),         cmocka_unit_test(methods_by_the_dozen),
		cmocka_unit_test(unions),          cmocka_unit_test(rules_without_a_status),
		cmocka_unit_test(commas_in_items),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
