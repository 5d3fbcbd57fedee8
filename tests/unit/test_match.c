#include "unit.h"

#include <errno.h>
#include <time.h>

#include "retry/error_set.h"
#include "retry/held.h"
#include "retry/match.h"

#define TEXTS(...)                                                                                 \
	{                                                                                          \
		.at = (const struct rs_span[]){ __VA_ARGS__ },                                     \
		.count = sizeof((const struct rs_span[]){ __VA_ARGS__ }) / sizeof(struct rs_span)  \
	}

static struct rs_target curl_target(void)
{
	return (struct rs_target){
		.call = RS_CALL_CURL,
		.method = span("GET"),
		.scheme = span("https"),
		.host = span("api.example.com"),
		.url = span("https://api.example.com/v1/x"),
		.port = 443,
		.program = "fetcher",
	};
}

static struct rs_target connect_target(uint8_t last)
{
	return (struct rs_target){
		.call = RS_CALL_CONNECT,
		.port = 5432,
		.address = { .family = RS_ADDRESS_IPV4, .ip = { 10, 1, 2, last } },
		.program = "psql",
	};
}

static struct rs_rule status_rule(const char *name, int from, int to)
{
	struct rs_rule rule = any_scope_rule(name);

	rule.status = statuses(from, to);
	return rule;
}

static struct rs_rule error_rule(const char *name, enum rs_error_domain domain, int code)
{
	struct rs_rule rule = any_scope_rule(name);

	rule.has_error = true;
	rs_error_set_add(&rule.error, domain, code);
	return rule;
}

static void unite(struct rs_rules *all, const struct rs_rule *rule)
{
	struct rs_status_set every = { 0 };
	const struct rs_status_set *status = rule->status ? rule->status : &every;

	if (!rule->status && (rule->body.count > 0 || rule->body_regex || rule->header))
		add_status(&every, 1, RS_STATUS_LIMIT - 1);
	all->calls |= rule->calls;
	for (size_t i = 0; i < COUNT(all->status.bits); i++)
		all->status.bits[i] |= status->bits[i];
	for (size_t i = 0; i < COUNT(all->error.curl); i++)
		all->error.curl[i] |= rule->error.curl[i];
	for (size_t i = 0; i < COUNT(all->error.sys); i++)
		all->error.sys[i] |= rule->error.sys[i];
	all->error.eai |= rule->error.eai;
}

/* The rules as a loader would put them together, unions included. */
static struct rs_rules rules_of(const struct rs_rule *rules, size_t count)
{
	struct rs_rules all = { .rules = rules, .rule_count = count };

	for (size_t i = 0; i < count; i++)
		unite(&all, &rules[i]);
	return all;
}

static enum rs_match match_one(const struct rs_rule *rule, const struct rs_target *target,
			       const struct rs_outcome *outcome, enum rs_known known)
{
	const struct rs_rules all = rules_of(rule, 1);
	const struct rs_rule *found = NULL;
	enum rs_match match = rs_match(&all, target, outcome, known, &found);

	assert_ptr_equal(found, match == RS_MATCH_RULE ? rule : NULL);
	return match;
}

/* rs_match and rs_rule_refuses must agree. NULL: the rule matches. */
static void refuses(const struct rs_rule *rule, const struct rs_target *target,
		    const struct rs_outcome *outcome, const char *key)
{
	const char *refused = rs_rule_refuses(rule, target, outcome);

	if (key) {
		assert_non_null(refused);
		assert_string_equal(refused, key);
	} else if (refused) {
		fail_msg("%s refuses", refused);
	}
	assert_int_equal(match_one(rule, target, outcome, RS_KNOWN_ALL),
			 key ? RS_MATCH_NONE : RS_MATCH_RULE);
}

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
	regex_t regex;
	const struct rs_header_matcher header = rs_header_matcher_make("A", "1");

	(void)state;
	assert_int_equal(regcomp(&regex, "x", REG_EXTENDED | REG_NOSUB), 0);
	rule.body_regex = &regex;
	refuses(&rule, &target, &outcome, "body_regex");
	rule.body = (struct rs_texts)TEXTS({ "x", 1 });
	refuses(&rule, &target, &outcome, "body");
	rule.header = &header;
	refuses(&rule, &target, &outcome, "header");
	regfree(&regex);
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

/* Scope matchers, one by one. */
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

static void headers(void **state)
{
	const struct rs_target target = curl_target();
	struct rs_outcome outcome = { .status = 200 };
	struct rs_rule rule = any_scope_rule("h");
	static const struct {
		const char *headers;
		bool matches;
	} cases[] = {
		{ "X-Cache: Error from cdn\r\n", true },
		{ "x-cache:Error\r\n", true },
		{ "X-Cache: Hit\r\n", false },
		{ "X-Cache: Hit\r\nA: b\r\nX-Cache: Error \r\n", true },
		{ "X-Cache: Hit\r\nX-Cache: Hit", false },
		{ "X-Cache:\r\n", false },
		{ "A: X-Cache: Error\r\n", false },
		{ "", false },
	};
	const struct rs_header_matcher header = rs_header_matcher_make("X-Cache", "Error*");

	(void)state;
	rule.header = &header;
	for (size_t i = 0; i < COUNT(cases); i++) {
		outcome.headers = span(cases[i].headers);
		refuses(&rule, &target, &outcome, cases[i].matches ? NULL : "header");
	}
	outcome.headers = span(NULL);
	refuses(&rule, &target, &outcome, "header");
}

static void bodies(void **state)
{
	const struct rs_target target = curl_target();
	struct rs_outcome outcome = { .status = 200 };
	struct rs_rule rule = any_scope_rule("b");

	(void)state;
	rule.body = (struct rs_texts)TEXTS({ "SlowDown", 8 }, { "<Error>", 7 });
	outcome.body = span("<?xml?><Error>");
	refuses(&rule, &target, &outcome, NULL);
	outcome.body = span("SlowDown");
	refuses(&rule, &target, &outcome, NULL);
	outcome.body = (struct rs_span){ "a\0b SlowDown", 12 };
	refuses(&rule, &target, &outcome, NULL);
	outcome.body = span("<?xml?><Error");
	refuses(&rule, &target, &outcome, "body");
	outcome.body = span(NULL);
	refuses(&rule, &target, &outcome, "body");
	rule.body = (struct rs_texts)TEXTS({ "", 0 });
	refuses(&rule, &target, &outcome, NULL);
}

static void regexes(void **state)
{
	static const struct {
		const char *regex;
		const char *body;
		size_t len;
		bool matches;
	} cases[] = {
		{ "code: ?(50|42)[0-9]", "{code: 503}", 11, true },
		{ "code: ?(50|42)[0-9]", "{code: 404}", 11, false },
		{ "^end$", "end", 3, true },
		{ "^end$", "endless", 3, true }, /* the span ends there */
		{ "b", "a\0b", 3, true },
		{ "a.b", "a\nb", 3, true },
		{ "^b", "a\nb", 3, false },
		{ "^$", NULL, 0, true },
		{ "x", NULL, 0, false },
	};
	const struct rs_target target = curl_target();
	struct rs_outcome outcome = { .status = 200 };
	struct rs_rule rule = any_scope_rule("r");

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		regex_t regex;

		assert_int_equal(regcomp(&regex, cases[i].regex, REG_EXTENDED | REG_NOSUB), 0);
		rule.body_regex = &regex;
		outcome.body = (struct rs_span){ cases[i].body, cases[i].len };
		refuses(&rule, &target, &outcome, cases[i].matches ? NULL : "body_regex");
		regfree(&regex);
	}
}

/* All response matchers have to match. */
static void response_matchers_together(void **state)
{
	const struct rs_target target = curl_target();
	struct rs_rule rule = status_rule("all", 400, 400);
	struct rs_outcome outcome = { .status = 400,
				      .headers = span("A: 1\r\n"),
				      .body = span("Throttling") };
	regex_t regex;
	const struct rs_header_matcher header = rs_header_matcher_make("A", "1");

	(void)state;
	assert_int_equal(regcomp(&regex, "ing$", REG_EXTENDED | REG_NOSUB), 0);
	rule.body = (struct rs_texts)TEXTS({ "Thr", 3 });
	rule.body_regex = &regex;
	rule.header = &header;
	refuses(&rule, &target, &outcome, NULL);
	outcome.headers = span("A: 2\r\n");
	refuses(&rule, &target, &outcome, "header");
	outcome.headers = span("A: 1\r\n");
	outcome.body = span("throttling");
	refuses(&rule, &target, &outcome, "body");
	outcome.body = span("Throttling.");
	refuses(&rule, &target, &outcome, "body_regex");
	outcome.status = 401;
	refuses(&rule, &target, &outcome, "status");
	regfree(&regex);
}

struct known_case {
	enum rs_known known;
	const char *headers, *body;
	bool complete;
	enum rs_match match;
};

static void check_known(struct rs_rule *rule, const struct known_case *cases, size_t count)
{
	const struct rs_target target = curl_target();

	for (size_t i = 0; i < count; i++) {
		const struct rs_outcome outcome = {
			.status = 500,
			.headers = span(cases[i].headers),
			.body = span(cases[i].body),
			.body_complete = cases[i].complete,
		};

		if (match_one(rule, &target, &outcome, cases[i].known) != cases[i].match)
			fail_msg("case %zu", i);
	}
}

static void headers_come_after_the_status(void **state)
{
	static const struct known_case cases[] = {
		{ RS_KNOWN_STATUS, NULL, NULL, false, RS_MATCH_NEED_MORE },
		{ RS_KNOWN_STATUS, "A: 2\r\n", NULL, false, RS_MATCH_NEED_MORE },
		{ RS_KNOWN_STATUS, NULL, NULL, true, RS_MATCH_NEED_MORE },
		{ RS_KNOWN_HEADERS, "A: 1\r\n", NULL, false, RS_MATCH_RULE },
		{ RS_KNOWN_HEADERS, "A: 2\r\n", NULL, false, RS_MATCH_NONE },
		{ RS_KNOWN_ALL, "A: 1\r\n", NULL, false, RS_MATCH_RULE },
		{ RS_KNOWN_ALL, NULL, NULL, false, RS_MATCH_NONE },
	};
	struct rs_rule rule = status_rule("h", 500, 500);
	const struct rs_header_matcher header = rs_header_matcher_make("A", "1");

	(void)state;
	rule.header = &header;
	check_known(&rule, cases, COUNT(cases));
}

static void texts_stay_found(void **state)
{
	static const struct known_case cases[] = {
		{ RS_KNOWN_STATUS, NULL, NULL, false, RS_MATCH_NEED_MORE },
		{ RS_KNOWN_HEADERS, NULL, NULL, false, RS_MATCH_NEED_MORE },
		{ RS_KNOWN_HEADERS, NULL, "Slow", false, RS_MATCH_NEED_MORE },
		{ RS_KNOWN_HEADERS, NULL, "SlowDown and", false, RS_MATCH_RULE },
		{ RS_KNOWN_HEADERS, NULL, "Slow", true, RS_MATCH_NONE },
		{ RS_KNOWN_ALL, NULL, "Slow", false, RS_MATCH_NONE },
		{ RS_KNOWN_ALL, NULL, "SlowDown", false, RS_MATCH_RULE },
	};
	struct rs_rule rule = status_rule("b", 500, 500);

	(void)state;
	rule.body = (struct rs_texts)TEXTS({ "SlowDown", 8 });
	check_known(&rule, cases, COUNT(cases));
}

static void regexes_need_the_whole_body(void **state)
{
	static const struct known_case cases[] = {
		{ RS_KNOWN_STATUS, NULL, NULL, false, RS_MATCH_NEED_MORE },
		{ RS_KNOWN_HEADERS, NULL, "abc", false, RS_MATCH_NEED_MORE },
		{ RS_KNOWN_HEADERS, NULL, "abc", true, RS_MATCH_RULE },
		{ RS_KNOWN_HEADERS, NULL, "abcd", true, RS_MATCH_NONE },
		{ RS_KNOWN_ALL, NULL, "abc", false, RS_MATCH_RULE },
		{ RS_KNOWN_ALL, NULL, "abcd", false, RS_MATCH_NONE },
	};
	struct rs_rule rule = status_rule("r", 500, 500);
	regex_t regex;

	(void)state;
	assert_int_equal(regcomp(&regex, "abc$", REG_EXTENDED | REG_NOSUB), 0);
	rule.body_regex = &regex;
	check_known(&rule, cases, COUNT(cases));
	regfree(&regex);
}

/* One matcher that says no outweighs all that is unknown. */
static void a_no_is_final(void **state)
{
	static const struct known_case cases[] = {
		{ RS_KNOWN_HEADERS, "A: 2\r\n", NULL, false, RS_MATCH_NONE },
		{ RS_KNOWN_HEADERS, "A: 1\r\n", NULL, false, RS_MATCH_NEED_MORE },
		{ RS_KNOWN_STATUS, NULL, "SlowDown", false, RS_MATCH_NEED_MORE },
		{ RS_KNOWN_HEADERS, "A: 1\r\n", "SlowDown", false, RS_MATCH_RULE },
	};
	struct rs_rule rule = status_rule("b", 500, 500);
	const struct rs_header_matcher header = rs_header_matcher_make("A", "1");

	(void)state;
	rule.header = &header;
	rule.body = (struct rs_texts)TEXTS({ "SlowDown", 8 });
	check_known(&rule, cases, COUNT(cases));
}

/* First in file order; a rule that cannot be told yet keeps later ones from deciding. */
static void order_of_rules(void **state)
{
	struct rs_rule rules[] = { status_rule("first", 503, 503),
				   error_rule("not a failure", RS_DOMAIN_CURL, 7),
				   status_rule("second", 500, 599),
				   status_rule("third", 500, 599) };
	const struct rs_target target = curl_target();
	const struct rs_outcome unavailable = { .status = 503 }, internal = { .status = 500 };
	const struct rs_outcome other = { .status = 404 };
	const struct rs_rule *found = NULL;
	struct rs_rules all;

	(void)state;
	rules[0].body = (struct rs_texts)TEXTS({ "x", 1 });
	all = rules_of(rules, 4);
	assert_int_equal(rs_match(&all, &target, &unavailable, RS_KNOWN_HEADERS, &found),
			 RS_MATCH_NEED_MORE);
	assert_null(found);
	assert_int_equal(rs_match(&all, &target, &unavailable, RS_KNOWN_ALL, &found),
			 RS_MATCH_RULE);
	assert_ptr_equal(found, &rules[2]);
	assert_int_equal(rs_match(&all, &target, &internal, RS_KNOWN_STATUS, &found),
			 RS_MATCH_RULE);
	assert_ptr_equal(found, &rules[2]);
	assert_int_equal(rs_match(&all, &target, &other, RS_KNOWN_STATUS, &found), RS_MATCH_NONE);
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

#define SOME 40

/* What the first of the rules says that says something, each asked by itself. */
static enum rs_match match_each(const struct rs_rule *rules, const struct rs_target *target,
				const struct rs_outcome *outcome, enum rs_known known,
				const struct rs_rule **found)
{
	for (int i = 0; i < SOME; i++) {
		enum rs_match match = match_one(&rules[i], target, outcome, known);

		*found = match == RS_MATCH_RULE ? &rules[i] : NULL;
		if (match != RS_MATCH_NONE)
			return match;
	}
	return RS_MATCH_NONE;
}

/* What is kept from rule to rule changes nothing. */
static void rules_judge_together_as_alone(void **state)
{
	static const struct rs_span texts[] = { { "SlowDown", 8 }, { "<Code>Busy</Code>", 17 },
						{ "ab", 2 },       { "<Code>Slow", 10 },
						{ "Error", 5 },    { "<Code>", 6 } };
	static const char *const names[] = { "A", "X-Error", "x-cache" };
	static const char *const values[] = { "1", "*2*", "Hit", "?[0-9]*" };
	static const char body[] = "<Error><Code>SlowDown</Code><Code>Busy</Code></Error>";
	const struct rs_target target = curl_target();
	const struct rs_outcome outcome = {
		.status = 503,
		.headers = span("X-Cache: Hit\r\na: 12\r\nA: x\r\nX-Error: 9\r\n"),
	};
	struct rs_header_matcher matchers[SOME];
	struct rs_rule rules[SOME];

	(void)state;
	for (unsigned round = 0; round < 3000; round++) {
		struct rs_outcome now = outcome;
		struct rs_rules all;
		unsigned draw = round * 2654435761u;
		enum rs_known known = (enum rs_known)(round % 3);

		for (size_t i = 0; i < SOME; i++, draw = draw * 1664525 + 1013904223) {
			rules[i] = any_scope_rule("r");
			if (draw >> 28 & 1)
				rules[i].body =
					(struct rs_texts){ &texts[(draw >> 8) % COUNT(texts)], 1 };
			if (draw >> 29 & 1 || rules[i].body.count == 0) {
				matchers[i] = rs_header_matcher_make(
					names[(draw >> 11) % COUNT(names)],
					values[(draw >> 15) % COUNT(values)]);
				rules[i].header = &matchers[i];
			}
		}
		all = rules_of(rules, SOME);
		now.body = (struct rs_span){ body, draw % sizeof(body) };
		now.body_complete = (draw >> 20 & 1) != 0;
		for (size_t from = 0; from < SOME; from += 13) {
			const struct rs_rule *found = NULL, *expected = NULL;

			for (size_t i = 0; i < from; i++)
				rules[i].calls = 0;
			assert_int_equal(rs_match(&all, &target, &now, known, &found),
					 match_each(rules, &target, &now, known, &expected));
			assert_ptr_equal(found, expected);
		}
	}
}

#define MANY 1000

/* Nanoseconds of the fastest of some judgements of MANY rules, the last of which matches. */
static int64_t fastest_judgement_ns(struct rs_rule *rules, const struct rs_target *target)
{
	const struct rs_rules all = rules_of(rules, MANY);
	const struct rs_outcome outcome = { .status = 503 };
	int64_t fastest_ns = RS_FOREVER;

	for (int i = 0; i < 200; i++) {
		struct timespec begin, end;
		const struct rs_rule *found = NULL;

		clock_gettime(CLOCK_MONOTONIC, &begin);
		assert_int_equal(rs_match(&all, target, &outcome, RS_KNOWN_ALL, &found),
				 RS_MATCH_RULE);
		clock_gettime(CLOCK_MONOTONIC, &end);
		assert_ptr_equal(found, &rules[MANY - 1]);
		fastest_ns = rs_ns_min(fastest_ns,
				       S(end.tv_sec - begin.tv_sec) + end.tv_nsec - begin.tv_nsec);
	}
	return fastest_ns;
}

/* Says how long it takes; fails only where it is out of all proportion, since this also runs
 * without optimization and under sanitizers. */
static void many_rules(void **state)
{
	static const struct rs_span methods_listed[] = { { "HEAD", 4 }, { "GET", 3 } };
	static struct rs_rule rules[MANY];
	static struct rs_glob globs[MANY];
	static char names[MANY][40];
	const struct rs_target target = curl_target();
	int64_t by_status_ns, by_host_ns;

	(void)state;
	for (int i = 0; i < MANY; i++) {
		int status = i < MANY - 1 ? 200 + i % 200 : 503;

		rules[i] = status_rule("s", status, status);
		rules[i].method = (struct rs_method_matcher){ .names = { methods_listed, 2 } };
	}
	by_status_ns = fastest_judgement_ns(rules, &target);
	for (int i = 0; i < MANY; i++) {
		snprintf(names[i], sizeof(names[i]), "*.host%d.example.com", i);
		globs[i] = rs_glob_make(i < MANY - 1 ? names[i] : "*.com", true);
		rules[i].host = (struct rs_globs){ &globs[i], 1 };
		rules[i].status = rules[MANY - 1].status;
	}
	by_host_ns = fastest_judgement_ns(rules, &target);
	print_message("1000 rules judged: other status %.1f us, other host %.1f us\n",
		      (double)by_status_ns / 1e3, (double)by_host_ns / 1e3);
	assert_true(by_status_ns < MS(5) && by_host_ns < MS(5));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(status_decides),
		cmocka_unit_test(errors_decide),
		cmocka_unit_test(error_or_response),
		cmocka_unit_test(refusals_without_a_response),
		cmocka_unit_test(neither_failure_nor_status),
		cmocka_unit_test(calls),
		cmocka_unit_test(methods),
		cmocka_unit_test(connects_have_no_method),
		cmocka_unit_test(texts_of_a_target),
		cmocka_unit_test(connects_have_no_texts),
		cmocka_unit_test(ports),
		cmocka_unit_test(networks),
		cmocka_unit_test(other_addresses),
		cmocka_unit_test(headers),
		cmocka_unit_test(bodies),
		cmocka_unit_test(regexes),
		cmocka_unit_test(response_matchers_together),
		cmocka_unit_test(headers_come_after_the_status),
		cmocka_unit_test(texts_stay_found),
		cmocka_unit_test(regexes_need_the_whole_body),
		cmocka_unit_test(a_no_is_final),
		cmocka_unit_test(order_of_rules),
		cmocka_unit_test(coverage_is_scope_alone),
		cmocka_unit_test(rules_judge_together_as_alone),
		cmocka_unit_test(many_rules),
	};

	return cmocka_run_group_tests_name("match", tests, NULL, NULL);
}
