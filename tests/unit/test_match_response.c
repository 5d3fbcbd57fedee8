/* Matchers of a response's headers and body, also while not all of it is known. */
#include "match_helper.h"

#include "retry/held.h"

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
		struct rs_pattern pattern = { .text = cases[i].regex };

		rule.body_regex = &pattern;
		outcome.body = (struct rs_span){ cases[i].body, cases[i].len };
		refuses(&rule, &target, &outcome, cases[i].matches ? NULL : "body_regex");
		rs_pattern_free(&pattern);
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
	struct rs_pattern pattern = { .text = "ing$" };
	const struct rs_header_matcher header = rs_header_matcher_make("A", "1");

	(void)state;
	rule.body = (struct rs_texts)TEXTS({ "Thr", 3 });
	rule.body_regex = &pattern;
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
	rs_pattern_free(&pattern);
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
	struct rs_pattern pattern = { .text = "abc$" };

	(void)state;
	rule.body_regex = &pattern;
	check_known(&rule, cases, COUNT(cases));
	rs_pattern_free(&pattern);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(headers),
		cmocka_unit_test(bodies),
		cmocka_unit_test(regexes),
		cmocka_unit_test(response_matchers_together),
		cmocka_unit_test(headers_come_after_the_status),
		cmocka_unit_test(texts_stay_found),
		cmocka_unit_test(regexes_need_the_whole_body),
		cmocka_unit_test(a_no_is_final),
	};

	return cmocka_run_group_tests_name("match_response", tests, NULL, NULL);
}
