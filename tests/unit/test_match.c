/* Which of many rules matches: their order, what they share, and how long that takes. A single rule
 * is test_match_outcome's, test_match_scope's and test_match_response's. */
#include "match_helper.h"

#include <time.h>

#include "retry/held.h"

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
		cmocka_unit_test(order_of_rules),
		cmocka_unit_test(rules_judge_together_as_alone),
		cmocka_unit_test(many_rules),
	};

	return cmocka_run_group_tests_name("match", tests, NULL, NULL);
}
