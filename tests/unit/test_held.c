/* What is kept for one judgement must change no answer: all of it is held against the plain way. */
#include "chance.h"
#include "text.h"

#include <strings.h>

#include "retry/held.h"
#include "retry/retry_after.h"

/* ---- headers ---- */

/* The last four have two hashes. The empty one is of lines alone. */
static const char *const names[] = { "A",       "ab",      "aB",        "X-Error",   "x-error",
				     "X-Erroa", "Y-Error", "Server",    "Sorver",    "fb",
				     "aab",     "X",       "declinate", "macallums", "costarring",
				     "liquid",  "" };
static const char *const values[] = { "", "a", "abc", "xabc", " a b\t", "a:b", "abcabcabc" };

static void add_line(struct text *to)
{
	const char *name = names[below(COUNT(names))], *value = values[below(COUNT(values))];

	switch (below(12)) {
	case 0:
		text_add(to, "%s\r\n", name);
		break;
	case 1:
		text_add(to, "%s:%s\n", name, value);
		break;
	case 2:
		text_add(to, "%s : %s\r\n", name, value);
		break;
	default:
		text_add(to, "%s: %s\r\n", name, value);
		break;
	}
}

/* The plain way, from the beginning each time. */
static bool header_matches(const char *name, const struct rs_glob *glob, struct rs_span headers)
{
	struct rs_span one, value;

	while (rs_header_next(&headers, &one, &value)) {
		if (one.len == strlen(name) && strncasecmp(one.at, name, one.len) == 0 &&
		    rs_glob_matches(glob, value))
			return true;
	}
	return false;
}

static void check_headers(struct rs_span headers)
{
	static const char *const patterns[] = { "*",   "a",    "a*",       "*c",         "",
						"a?c", "*b*c", "a*a*[b]*", "[[:alpha:]]" };
	struct rs_held_headers held;

	held.known = false;
	for (size_t i = 0; i < COUNT(names) - 1; i++) {
		for (size_t j = 0; j < COUNT(patterns); j++) {
			const struct rs_header_matcher matcher =
				rs_header_matcher_make(names[i], patterns[j]);
			bool expected = header_matches(names[i], &matcher.value, headers);

			if (rs_held_header(&matcher, headers, &held) != expected ||
			    rs_held_header(&matcher, headers, NULL) != expected ||
			    (expected && !rs_held_may_have_header(&matcher, headers, &held)))
				fail_msg("%s: %s in <%.*s>", names[i], patterns[j],
					 (int)headers.len, headers.at);
		}
	}
}

static void headers_are_found_as_by_a_search(void **state)
{
	(void)state;
	for (int i = 0; i < 600; i++) {
		char room[4000];
		struct text text = TEXT_IN(room);
		struct rs_span headers;

		for (size_t lines = below(i % 8 == 0 ? 60 : 8); lines > 0; lines--)
			add_line(&text);
		if (text.len > 0 && i % 3 == 0)
			text.len -= 1 + below(2); /* the last line is not whole */
		headers = exactly(text.at, text.len);
		check_headers(headers);
		free((char *)headers.at);
	}
}

/* As many as there is room for, and one more. */
static void many_headers(void **state)
{
	const struct rs_header_matcher there[] = { rs_header_matcher_make("h0", "0"),
						   rs_header_matcher_make("z", "last") };
	const struct rs_header_matcher not_there[] = { rs_header_matcher_make("h1", "0"),
						       rs_header_matcher_make("zz", "last") };

	(void)state;
	for (int count = RS_HELD_LINES_MOST - 2; count <= RS_HELD_LINES_MOST + 2; count++) {
		struct rs_held_headers held;
		char room[4000];
		struct text text = TEXT_IN(room);

		for (int i = 0; i < count - 1; i++)
			text_add(&text, "H%d: %d\r\n", i % 3, i);
		text_add(&text, "Z: last\r\n");
		held.known = false;
		for (int i = 0; i < 2; i++) {
			const struct rs_span headers = text_span(&text);

			for (size_t j = 0; j < 2; j++) {
				assert_true(rs_held_may_have_header(&there[j], headers, &held));
				assert_true(rs_held_header(&there[j], headers, &held));
				assert_false(rs_held_header(&not_there[j], headers, &held));
			}
		}
		assert_int_equal(held.too_many, count > RS_HELD_LINES_MOST);
	}
}

/* ---- globs ---- */

static void globs_match_as_ever(void **state)
{
	(void)state;
	for (int i = 0; i < 2000; i++) {
		struct rs_held held = { .known = false };
		char text[12];
		size_t len = below(sizeof(text));

		fill(text, len, "abA.");
		for (int j = 0; j < 5; j++) {
			char pattern[8] = "";
			struct rs_glob glob;

			fill(pattern, below(sizeof(pattern)), "abA.*?*");
			glob = rs_glob_make(pattern, j % 2 == 0);
			assert_int_equal(rs_held_glob(&glob, (struct rs_span){ text, len }, &held),
					 rs_held_glob(&glob, (struct rs_span){ text, len }, NULL));
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(headers_are_found_as_by_a_search),
		cmocka_unit_test(many_headers),
		cmocka_unit_test(globs_match_as_ever),
	};

	return cmocka_run_group_tests_name("held", tests, NULL, NULL);
}
