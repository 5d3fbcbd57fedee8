/* What is kept for one judgement must change no answer: all of it is held against the plain way. */
#include "unit.h"

#include <strings.h>

#include "retry/held.h"
#include "retry/retry_after.h"

#define BODY_MOST  20000
#define TEXTS_MOST 40

static uint32_t seed;

/* Numerical Recipes' generator. */
static size_t below(size_t count)
{
	seed = seed * 1664525 + 1013904223;
	return (seed >> 8) % count;
}

static void fill(char *to, size_t len, const char *alphabet)
{
	for (size_t i = 0; i < len; i++)
		to[i] = alphabet[below(strlen(alphabet))];
}

/* A copy in memory of exactly its size. */
static struct rs_span exactly(const char *at, size_t len)
{
	char *copy = malloc(len + (len == 0));

	assert_non_null(copy);
	memcpy(copy, at, len);
	return (struct rs_span){ copy, len };
}

static bool occurs(struct rs_span text, struct rs_span body)
{
	for (size_t i = 0; i + text.len <= body.len; i++) {
		if (memcmp(body.at + i, text.at, text.len) == 0)
			return true;
	}
	return false;
}

/* ---- bodies ---- */

/* Of the body, of the body but for a byte, or of anything. */
static struct rs_span some_text(struct rs_span body, const char *alphabet)
{
	char text[32];
	size_t len = below(sizeof(text));
	size_t kind = below(3);

	fill(text, len, alphabet);
	if (kind < 2 && len <= body.len && body.len > 0) {
		memcpy(text, body.at + below(body.len - len + 1), len);
		if (kind == 1 && len > 0)
			text[below(len)] ^= 1;
	}
	return exactly(text, len);
}

static void check_body(size_t len, const char *alphabet)
{
	struct rs_held_body held = { .known = false };
	char bytes[BODY_MOST];
	struct rs_span body;

	fill(bytes, len, alphabet);
	body = exactly(bytes, len);
	for (int i = 0; i < TEXTS_MOST; i++) {
		struct rs_span text = some_text(body, alphabet);
		bool expected = occurs(text, body);

		if (rs_held_text(text, body, &held) != expected ||
		    rs_held_text(text, body, NULL) != expected)
			fail_msg("text %d of %zu bytes in a body of %zu", i, text.len, len);
		free((char *)text.at);
	}
	free((char *)body.at);
}

static void texts_are_found_as_by_a_search(void **state)
{
	static const char *const alphabets[] = { "a", "ab", "<Code>Slow", "0123456789abcdef" };

	(void)state;
	for (int i = 0; i < 400; i++)
		check_body(below(64), alphabets[below(COUNT(alphabets))]);
	for (int i = 0; i < 40; i++)
		check_body(below(3000), alphabets[below(COUNT(alphabets))]);
	/* On both sides of what is a short body. */
	for (size_t len = 4090; len < 4103; len++)
		check_body(len, alphabets[3]);
	check_body(BODY_MOST, alphabets[1]);
	check_body(BODY_MOST, alphabets[3]);
}

/* Wherever it stands, and whatever its length: the runs begin anywhere in it. */
static void a_text_is_found_everywhere(void **state)
{
	static const char word[] = "<Code>SlowDown</Code>";
	struct rs_held_body held;
	char body[6000];

	(void)state;
	for (size_t size = 4000; size <= 6000; size += 1000) {
		for (size_t at = 0; at < 9; at++) {
			const struct rs_span span = { body, size };

			memset(body, '.', sizeof(body));
			memcpy(body + at, word, sizeof(word) - 1);
			memcpy(body + size - at - 4, "last", 4);
			held = (struct rs_held_body){ .known = false };
			for (size_t len = 1; len < sizeof(word); len++) {
				const struct rs_span text = { word, len };
				const struct rs_span other = { "xSlowDown", 9 };

				assert_true(rs_held_text(text, span, &held));
				assert_false(rs_held_text(other, span, &held));
			}
			assert_true(held.known);
			assert_true(rs_held_text((struct rs_span){ "last", 4 }, span, &held));
		}
	}
}

static void no_text_and_no_body(void **state)
{
	struct rs_held_body held = { .known = false };
	const struct rs_span nothing = { NULL, 0 };

	(void)state;
	for (int i = 0; i < 10; i++) {
		assert_true(rs_held_text(nothing, nothing, &held));
		assert_true(rs_held_text(nothing, span("a"), &held));
		assert_false(rs_held_text(span("a"), nothing, &held));
	}
	assert_false(held.known);
}

/* ---- headers ---- */

/* Some have the same hash. The empty one is of lines alone. */
static const char *const names[] = { "A",       "ab",      "aB",     "X-Error", "x-error",
				     "X-Erroa", "Y-Error", "Server", "Sorver",  "fb",
				     "aab",     "X",       "" };
static const char *const values[] = { "", "a", "abc", "xabc", " a b\t", "a:b", "abcabcabc" };

static size_t add_line(char *to)
{
	const char *name = names[below(COUNT(names))], *value = values[below(COUNT(values))];

	switch (below(12)) {
	case 0:
		return (size_t)sprintf(to, "%s\r\n", name);
	case 1:
		return (size_t)sprintf(to, "%s:%s\n", name, value);
	case 2:
		return (size_t)sprintf(to, "%s : %s\r\n", name, value);
	default:
		return (size_t)sprintf(to, "%s: %s\r\n", name, value);
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
			const struct rs_glob glob = rs_glob_make(patterns[j], false);
			bool expected = header_matches(names[i], &glob, headers);

			if (rs_held_header(names[i], &glob, headers, &held) != expected ||
			    rs_held_header(names[i], &glob, headers, NULL) != expected)
				fail_msg("%s: %s in <%.*s>", names[i], patterns[j],
					 (int)headers.len, headers.at);
		}
	}
}

static void headers_are_found_as_by_a_search(void **state)
{
	(void)state;
	for (int i = 0; i < 600; i++) {
		char text[4000] = "";
		size_t len = 0;
		struct rs_span headers;

		for (size_t lines = below(i % 8 == 0 ? 60 : 8); lines > 0; lines--)
			len += add_line(text + len);
		if (len > 0 && i % 3 == 0)
			len -= 1 + below(2); /* the last line is not whole */
		headers = exactly(text, len);
		check_headers(headers);
		free((char *)headers.at);
	}
}

/* As many as there is room for, and one more. */
static void many_headers(void **state)
{
	const struct rs_glob first = rs_glob_make("0", false), last = rs_glob_make("last", false);

	(void)state;
	for (int count = RS_HELD_LINES_MOST - 2; count <= RS_HELD_LINES_MOST + 2; count++) {
		struct rs_held_headers held;
		char text[4000];
		size_t len = 0;

		for (int i = 0; i < count - 1; i++)
			len += (size_t)sprintf(text + len, "H%d: %d\r\n", i % 3, i);
		len += (size_t)sprintf(text + len, "Z: last\r\n");
		held.known = false;
		for (int i = 0; i < 2; i++) {
			const struct rs_span headers = { text, len };

			assert_true(rs_held_header("h0", &first, headers, &held));
			assert_false(rs_held_header("h1", &first, headers, &held));
			assert_true(rs_held_header("z", &last, headers, &held));
			assert_false(rs_held_header("zz", &last, headers, &held));
		}
		assert_int_equal(held.too_many, count > RS_HELD_LINES_MOST);
	}
}

/* By hand a rule may have no name of a header: then none is of that name. */
static void no_name(void **state)
{
	const struct rs_glob any = rs_glob_make("*", false);
	struct rs_held_headers held;

	(void)state;
	held.known = false;
	assert_false(rs_held_header("", &any, span("A: b\r\n"), &held));
	assert_false(rs_held_header("", &any, span(NULL), NULL));
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
		cmocka_unit_test(texts_are_found_as_by_a_search),
		cmocka_unit_test(a_text_is_found_everywhere),
		cmocka_unit_test(no_text_and_no_body),
		cmocka_unit_test(headers_are_found_as_by_a_search),
		cmocka_unit_test(many_headers),
		cmocka_unit_test(no_name),
		cmocka_unit_test(globs_match_as_ever),
	};

	return cmocka_run_group_tests_name("held", tests, NULL, NULL);
}
