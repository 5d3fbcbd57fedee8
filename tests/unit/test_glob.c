#include "unit.h"

#include <fnmatch.h>

#include "retry/glob.h"

static void classifies(void **state)
{
	static const struct {
		const char *pattern;
		enum rs_glob_kind kind;
		const char *text;
	} cases[] = {
		{ "", RS_GLOB_LITERAL, "" },
		{ "example.com", RS_GLOB_LITERAL, "example.com" },
		{ "*", RS_GLOB_ANY, "" },
		{ "/tmp/*", RS_GLOB_PREFIX, "/tmp/" },
		{ "*.example.com", RS_GLOB_SUFFIX, ".example.com" },
		{ "**", RS_GLOB_BYTES, "" },
		{ "a*b", RS_GLOB_BYTES, "a" },
		{ "*a*", RS_GLOB_BYTES, "" },
		{ "a?*", RS_GLOB_BYTES, "a" },
		{ "a\\*", RS_GLOB_BYTES, "a" },
		{ "*[ab]", RS_GLOB_BYTES, "" },
		{ "?", RS_GLOB_BYTES, "" },
		{ "a[]b]*c", RS_GLOB_BYTES, "a" },
		{ "a[[:digit:]]", RS_GLOB_PATTERN, "a" },
		{ "a[[=b=]]", RS_GLOB_PATTERN, "a" },
		{ "a[[.b.]]", RS_GLOB_PATTERN, "a" },
		{ "a[b", RS_GLOB_PATTERN, "a" },
		{ "a*\\", RS_GLOB_PATTERN, "a" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct rs_glob glob = rs_glob_make(cases[i].pattern, false);

		assert_int_equal(glob.kind, cases[i].kind);
		assert_ptr_equal(glob.pattern, cases[i].pattern);
		assert_int_equal(glob.text.len, strlen(cases[i].text));
		assert_memory_equal(glob.text.at, cases[i].text, glob.text.len);
	}
}

struct match_case {
	const char *pattern;
	const char *text;
	bool fold;
	bool matches;
};

static const struct match_case match_cases[] = {
	{ "", "", false, true },
	{ "", "a", false, false },
	{ "a.b", "a.b", false, true },
	{ "a.b", "a.bc", false, false },
	{ "a.b", "A.B", false, false },
	{ "a.b", "A.B", true, true },
	{ "*", "", false, true },
	{ "*", "anything/at all", false, true },
	{ "ab*", "ab", false, true },
	{ "ab*", "a", false, false },
	{ "ab*", "abc/d", false, true },
	{ "ab*", "ABC", true, true },
	{ "ab*", "ABC", false, false },
	{ "*.com", "x.com", false, true },
	{ "*.com", ".com", false, true },
	{ "*.com", "com", false, false },
	{ "*.com", "X.COM", true, true },
	{ "*.com", "x.com.", false, false },
	{ "a*c", "abbc", false, true },
	{ "a*c", "abbd", false, false },
	{ "a*c", "a/c", false, true }, /* a slash is nothing special: no FNM_PATHNAME */
	{ "a?c", "a.c", false, true },
	{ "[a-c]x", "bx", false, true },
	{ "[a-c]x", "BX", false, false },
	{ "[a-c]x", "BX", true, true },
	{ "\\*x", "*x", false, true },
	{ "\\*x", "ax", false, false },
	{ "**", "", false, true },
	{ "a**", "a", false, true },
	{ "*ab*ab*", "xabyaab", false, true },
	{ "*ab*ab*", "xab", false, false },
	{ "a*B*c", "AxbyyC", true, true },
	{ "a*B*c", "axbyyc", false, false },
	{ "a*bc", "abcbcbc", false, true },
	{ "a*bc", "abcbcb", false, false },
	{ "?bc", "ab", false, false },
	{ "abc?", "ab", false, false },
	{ "ab?", "xbc", false, false },
	{ "ab?", "ABC", true, true },
};

/* What fnmatch(3) says of a pattern and a text, and that the pairs never say otherwise. */
static void agree(const char *pattern, const char *text, bool fold)
{
#ifdef __GLIBC__
	const bool is_comparable = true;
#else
	const bool is_comparable = !strchr(pattern, '['); /* musl folds ranges in another way */
#endif
	struct rs_glob glob = rs_glob_make(pattern, fold);
	struct rs_pairs asked = rs_glob_pairs(&glob), pairs = rs_pairs_of(span(text));
	bool matches = fnmatch(pattern, text, fold ? FNM_CASEFOLD : 0) == 0;

	if (!is_comparable)
		return;
	if (rs_glob_matches(&glob, span(text)) != matches)
		fail_msg("%s against %s: %s", pattern, text, matches ? "matches" : "does not");
	if (matches && !rs_pairs_within(&asked, &pairs))
		fail_msg("%s against %s: a pair is missing", pattern, text);
}

/* Every pattern and text of up to five of these bytes. */
static void stars_agree_with_fnmatch(void **state)
{
	static const char letters[] = "ab*";

	(void)state;
	for (int p = 0; p < 1024; p++) {
		for (int t = 0; t < 1024; t++) {
			char pattern[6] = "", text[6] = "";

			for (int i = 0; i < 5; i++) {
				/* 3 is the end */
				pattern[i] = letters[p >> (2 * i) & 3];
				text[i] = letters[t >> (2 * i) & 3];
			}
			agree(pattern, text, false);
		}
	}
}

static uint64_t drawn;

static char draw(const char *letters, size_t count)
{
	drawn = drawn * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return letters[(drawn >> 33) % count];
}

/* Patterns of up to nine bytes that mean something, most of them in some way broken, against texts
 * of up to seven. The repetition in the texts makes many of them match. */
static void all_wildcards_agree_with_fnmatch(void **state)
{
	static const char in_patterns[] = "aabBc**?[[]]]!-\\.^";
	static const char in_texts[] = "aaabBcC]-.\\[!^";

	(void)state;
	drawn = 1;
	for (int i = 0; i < 400000; i++) {
		char pattern[10] = "", text[8] = "";
		size_t pattern_len = (size_t)(draw("123456789", 9) - '0');
		size_t text_len = (size_t)(draw("01234567", 8) - '0');

		for (size_t j = 0; j < pattern_len; j++)
			pattern[j] = draw(in_patterns, sizeof(in_patterns) - 1);
		for (size_t j = 0; j < text_len; j++)
			text[j] = draw(in_texts, sizeof(in_texts) - 1);
		agree(pattern, text, i % 2 == 0);
	}
}

/* Spans end where they end: the text lies in memory of exactly its size. */
static bool matches_exactly(const struct rs_glob *glob, const char *text)
{
	size_t len = strlen(text);
	char *copy = malloc(len + (len == 0));
	bool matches;

	assert_non_null(copy);
	memcpy(copy, text, len);
	matches = rs_glob_matches(glob, (struct rs_span){ copy, len });
	free(copy);
	return matches;
}

static void matches_as_fnmatch(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(match_cases); i++) {
		const struct match_case *c = &match_cases[i];
		struct rs_glob glob = rs_glob_make(c->pattern, c->fold);

		if (matches_exactly(&glob, c->text) != c->matches)
			fail_msg("%s against %s", c->pattern, c->text);
	}
}

/* fnmatch(3) wants a copy, of which there is only so much. */
static void a_text_may_be_too_long(void **state)
{
	const struct rs_glob glob = rs_glob_make("[[:alpha:]]*[[:digit:]]", false);
	static char text[8192];

	(void)state;
	memset(text, 'a', sizeof(text));
	for (size_t len = 8; len <= sizeof(text); len *= 2) {
		text[len - 1] = '1';
		assert_int_equal(rs_glob_matches(&glob, (struct rs_span){ text, len }), len < 4096);
		text[len - 1] = 'a';
		assert_false(rs_glob_matches(&glob, (struct rs_span){ text, len }));
	}
}

static void bears_the_empty_span(void **state)
{
	static const struct {
		const char *pattern;
		bool matches;
	} cases[] = {
		{ "", true },    { "*", true },   { "**", true },   { "a", false },
		{ "a*", false }, { "*a", false }, { "?*?", false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct rs_glob glob = rs_glob_make(cases[i].pattern, i % 2 == 0);

		assert_int_equal(rs_glob_matches(&glob, span(NULL)), cases[i].matches);
	}
}

/* Hand-made globs may have an empty literal part. */
static void empty_literal_parts(void **state)
{
	const enum rs_glob_kind kinds[] = { RS_GLOB_LITERAL, RS_GLOB_PREFIX, RS_GLOB_SUFFIX };

	(void)state;
	for (size_t i = 0; i < COUNT(kinds); i++) {
		struct rs_glob glob = { .kind = kinds[i], .pattern = "" };

		assert_true(rs_glob_matches(&glob, span(NULL)));
		assert_int_equal(rs_glob_matches(&glob, span("x")), i > 0);
	}
}

static void long_texts(void **state)
{
	struct rs_glob pattern = rs_glob_make("a*[[:alpha:]]?", false);
	struct rs_glob prefix = rs_glob_make("a*", false);
	char text[5000];

	(void)state;
	memset(text, 'a', sizeof(text));
	assert_true(rs_glob_matches(&pattern, (struct rs_span){ text, 4095 }));
	assert_false(rs_glob_matches(&pattern, (struct rs_span){ text, 4096 }));
	assert_true(rs_glob_matches(&prefix, (struct rs_span){ text, sizeof(text) }));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(classifies),
		cmocka_unit_test(matches_as_fnmatch),
		cmocka_unit_test(a_text_may_be_too_long),
		cmocka_unit_test(stars_agree_with_fnmatch),
		cmocka_unit_test(all_wildcards_agree_with_fnmatch),
		cmocka_unit_test(bears_the_empty_span),
		cmocka_unit_test(empty_literal_parts),
		cmocka_unit_test(long_texts),
	};

	return cmocka_run_group_tests_name("glob", tests, NULL, NULL);
}
