/* What the briefs of rules pass over. That they pass over no rule which matches every test of
 * matching sees to (match_helper.h). */
#include "match_helper.h"

#include <curl/curl.h>
#include <errno.h>
#include <netdb.h>

static const struct rs_outcome busy = { .status = 503 };

static struct rs_globs globs_of(struct rs_glob *glob, const char *pattern)
{
	*glob = rs_glob_make(pattern, true);
	return (struct rs_globs){ glob, 1 };
}

static void what_has_not_happened(void **state)
{
	const struct rs_target target = curl_target();
	const struct rs_rule response = status_rule("s", 500, 503);
	const struct rs_rule timeout = error_rule("e", RS_DOMAIN_CURL, CURLE_OPERATION_TIMEDOUT);
	const struct rs_rule reset = error_rule("r", RS_DOMAIN_ERRNO, ECONNRESET);
	const struct rs_outcome none = { .status = 0 }, odd = { .status = 503 + 512 };
	const struct rs_outcome timed_out = { .error = CURLE_OPERATION_TIMEDOUT };
	const struct rs_outcome was_reset = { .error = CURLE_RECV_ERROR, .sys_errno = ECONNRESET };

	(void)state;
	assert_true(is_allowed(&response, &target, &busy));
	assert_false(is_allowed(&timeout, &target, &busy));
	assert_false(is_allowed(&response, &target, &timed_out));
	assert_true(is_allowed(&timeout, &target, &timed_out));
	assert_true(is_allowed(&reset, &target, &was_reset));
	assert_false(is_allowed(&timeout, &target, &was_reset));
	for (size_t i = 0; i < 2; i++) {
		const struct rs_outcome *outcome = i ? &none : &odd;

		assert_false(is_allowed(&response, &target, outcome));
		assert_false(is_allowed(&timeout, &target, outcome));
	}
}

static void errors_of_lookups(void **state)
{
	struct rs_target target = curl_target();
	const struct rs_rule again = error_rule("a", RS_DOMAIN_EAI, EAI_AGAIN);
	const struct rs_outcome outcome = { .error = EAI_AGAIN }, other = { .error = EAI_FAMILY };

	(void)state;
	target.call = RS_CALL_RESOLVE;
	assert_true(is_allowed(&again, &target, &outcome));
	assert_false(is_allowed(&again, &target, &other));
}

/* Codes that are the same modulo 64 are told apart by judging. */
static void one_bit_for_two(void **state)
{
	const struct rs_target target = curl_target();
	const struct rs_rule rule = status_rule("s", 439, 439); /* 503 - 64 */

	(void)state;
	assert_true(is_allowed(&rule, &target, &busy));
	assert_int_equal(match_one(&rule, &target, &busy, RS_KNOWN_ALL), RS_MATCH_NONE);
}

/* Whatever the status is, the text may be there. */
static void texts_of_any_status(void **state)
{
	const struct rs_target target = curl_target();
	struct rs_rule rule = any_scope_rule("b");

	(void)state;
	assert_false(is_allowed(&rule, &target, &busy));
	rule.body = (struct rs_texts)TEXTS(span("Busy"));
	assert_true(is_allowed(&rule, &target, &busy));
}

/* Each kind of glob, over each of the target's texts. */
static void other_targets(void **state)
{
	static const struct {
		const char *pattern;
		bool is_allowed;
	} cases[] = {
		{ "api.example.com", true },
		{ "zzz.example.com", false },
		{ "API*", true },
		{ "xyz*", false },
		{ "*.Com", true },
		{ "*.org", false },
		{ "a*.e?ample.*m", true },
		{ "a*.z?zz.*m", false },
		{ "*", true },
		{ "[[:alpha:]]zzz", true },
	};
	struct rs_target target = curl_target();

	(void)state;
	target.url = target.host;
	target.program = target.host.at;
	for (size_t i = 0; i < COUNT(cases) * 3; i++) {
		struct rs_rule rule = status_rule("s", 503, 503);
		struct rs_globs *scopes[] = { &rule.host, &rule.url, &rule.program };
		struct rs_glob glob;

		*scopes[i % 3] = globs_of(&glob, cases[i / 3].pattern);
		if (is_allowed(&rule, &target, &busy) != cases[i / 3].is_allowed)
			fail_msg("%s", cases[i / 3].pattern);
	}
}

/* Of a list no more is asked for than what all of it has. */
static void lists(void **state)
{
	const struct rs_target target = curl_target();
	const struct rs_glob some[] = { rs_glob_make("zzz.example.com", true),
					rs_glob_make("yyy.example.com", true),
					rs_glob_make("xxx.other.org", true) };
	struct rs_rule rule = status_rule("s", 503, 503);

	(void)state;
	for (size_t i = 1; i <= COUNT(some); i++) {
		rule.host = (struct rs_globs){ some, i };
		assert_int_equal(is_allowed(&rule, &target, &busy), i > 1);
	}
	rule.host = (struct rs_globs){ some + 2, 1 };
	assert_false(is_allowed(&rule, &target, &busy));
}

/* Judged as they would be by themselves, and in their order. */
static void the_first_of_many(void **state)
{
	enum { RULES = 40, FIRST = 17, SECOND = 33 };
	struct rs_target target = curl_target();
	struct rs_rule rules[RULES];
	struct rs_brief briefs[RULES];
	struct rs_rules all;
	const struct rs_rule *found = NULL;

	(void)state;
	for (size_t i = 0; i < RULES; i++) {
		rules[i] = status_rule("r", 500, i == FIRST || i == SECOND ? 503 : 502);
		briefs[i] = rs_brief_of(&rules[i]);
	}
	all = rules_of(rules, RULES);
	all.briefs = briefs;
	assert_int_equal(rs_match(&all, &target, &busy, RS_KNOWN_ALL, &found), RS_MATCH_RULE);
	assert_ptr_equal(found, &rules[FIRST]);
	rules[FIRST].calls = 1u << RS_CALL_CONNECT;
	assert_int_equal(rs_match(&all, &target, &busy, RS_KNOWN_ALL, &found), RS_MATCH_RULE);
	assert_ptr_equal(found, &rules[SECOND]);
	rules[SECOND].calls = 1u << RS_CALL_CONNECT;
	assert_int_equal(rs_match(&all, &target, &busy, RS_KNOWN_ALL, &found), RS_MATCH_NONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_has_not_happened), cmocka_unit_test(errors_of_lookups),
		cmocka_unit_test(one_bit_for_two),       cmocka_unit_test(texts_of_any_status),
		cmocka_unit_test(other_targets),         cmocka_unit_test(lists),
		cmocka_unit_test(the_first_of_many),
	};

	return cmocka_run_group_tests_name("brief", tests, NULL, NULL);
}
