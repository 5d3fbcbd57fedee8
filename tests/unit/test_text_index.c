/* The index of texts must find exactly what a plain search finds, whatever the texts and the body.
 */
#include "chance.h"

#include "retry/text_index.h"
#include "rules/index_texts.h"

#define RULES_MOST 60
#define BODY_MOST  6000

static bool occurs(struct rs_span text, struct rs_span body)
{
	for (size_t i = 0; i + text.len <= body.len; i++) {
		if (memcmp(body.at + i, text.at, text.len) == 0)
			return true;
	}
	return false;
}

/* Rules of one text each, and their index. */
struct indexed {
	struct rs_arena arena;
	struct rs_rule *rules;
	struct rs_rules all;
};

static struct indexed index_of(const struct rs_span *texts, size_t count)
{
	struct indexed indexed = { .rules = calloc(count, sizeof(struct rs_rule)) };
	struct rs_arena scratch = { 0 };

	assert_non_null(indexed.rules);
	for (size_t i = 0; i < count; i++)
		indexed.rules[i].body = (struct rs_texts){ &texts[i], 1 };
	indexed.all.rules = indexed.rules;
	indexed.all.rule_count = count;
	assert_true(rs_index_texts(&indexed.all, &indexed.arena, &scratch));
	rs_arena_free(&scratch);
	return indexed;
}

static void free_index(struct indexed *indexed)
{
	rs_arena_free(&indexed->arena);
	free(indexed->rules);
}

static bool is_found(const struct indexed *indexed, size_t rule, struct rs_span body,
		     struct rs_found_texts *found)
{
	return rs_text_found(indexed->all.texts, indexed->rules[rule].text_numbers[0], body, found);
}

/* ---- one text ---- */

static void check_one(struct rs_span text, struct rs_span body)
{
	if (rs_text_occurs(text, body) != occurs(text, body))
		fail_msg("'%.*s' in a body of %zu", (int)text.len, text.at, body.len);
}

static void one_text_is_found_as_by_a_search(void **state)
{
	static const char *const alphabets[] = { "a", "ab", "<Code>Slow", "0123456789abcdef" };

	(void)state;
	for (int i = 0; i < 3000; i++) {
		const char *alphabet = alphabets[below(COUNT(alphabets))];
		char bytes[700], other[20];
		size_t len = below(sizeof(bytes)), text_len = below(sizeof(other));
		struct rs_span body, text;

		fill(bytes, len, alphabet);
		body = exactly(bytes, len);
		fill(other, text_len, alphabet);
		text = exactly(other, text_len);
		check_one(text, body);
		if (text_len <= len)
			check_one((struct rs_span){ body.at + below(len - text_len + 1), text_len },
				  body);
		free((char *)text.at);
		free((char *)body.at);
	}
}

static void no_text_and_no_body(void **state)
{
	const struct rs_span nothing = { NULL, 0 };

	(void)state;
	assert_true(rs_text_occurs(nothing, nothing));
	assert_true(rs_text_occurs(nothing, span("a")));
	assert_false(rs_text_occurs(span("a"), nothing));
}

/* ---- many ---- */

/* Of the body, of the body but for a byte, of an earlier text, or of anything. */
static struct rs_span some_text(const char *body, size_t len, const struct rs_span *before,
				size_t count, size_t least, size_t most, const char *alphabet)
{
	char text[64];
	size_t text_len = least + below(most - least + 1);
	size_t kind = below(8);

	if (kind == 0 && count > 0)
		return exactly(before[count - 1].at, before[count - 1].len);
	fill(text, text_len, alphabet);
	if (kind < 6 && text_len <= len) {
		memcpy(text, body + below(len - text_len + 1), text_len);
		if (kind > 2 && text_len > 0)
			text[below(text_len)] ^= 1;
	}
	return exactly(text, text_len);
}

static bool known_missing(const uint32_t *numbers, size_t count, const struct rs_found_texts *found)
{
	const struct rs_text_set set = rs_text_set_of(numbers, count);

	return found->passed && rs_texts_known_missing(&set, found);
}

/* In any order, each more than once. */
static void check_all(const struct indexed *indexed, const struct rs_span *texts, size_t count,
		      struct rs_span body)
{
	struct rs_found_texts found;

	found.begun = found.passed = false;
	for (size_t i = 0; i < 2 * count; i++) {
		size_t rule = below(count);
		const uint32_t *number = indexed->rules[rule].text_numbers;
		bool expected = occurs(texts[rule], body);

		if (known_missing(number, 1, &found))
			assert_false(expected);
		if (is_found(indexed, rule, body, &found) != expected)
			fail_msg("'%.*s' in a body of %zu", (int)texts[rule].len, texts[rule].at,
				 body.len);
		assert_int_equal(known_missing(number, 1, &found), found.passed && !expected);
	}
}

static void check_some(size_t least, size_t most, size_t few_least, size_t len,
		       const char *alphabet)
{
	struct rs_span texts[RULES_MOST];
	const size_t count = 1 + below(RULES_MOST);
	char bytes[BODY_MOST];
	struct indexed indexed;

	fill(bytes, len, alphabet);
	for (size_t i = 0; i < count; i++)
		texts[i] = some_text(bytes, len, texts, i, i % 9 == 5 ? few_least : least, most,
				     alphabet);
	indexed = index_of(texts, count);
	/* Also while it arrives. */
	for (int i = 0; i < 4; i++) {
		struct rs_span body = exactly(bytes, i == 0 ? len : below(len + 1));

		check_all(&indexed, texts, count, body);
		free((char *)body.at);
	}
	free_index(&indexed);
	for (size_t i = 0; i < count; i++)
		free((char *)texts[i].at);
}

static void texts_are_found_as_by_a_search(void **state)
{
	static const char *const alphabets[] = { "a", "ab", "<Code>Slow/E", "0123456789abcdef" };
	static const struct {
		size_t least, most, few_least;
	} lengths[] = {
		{ 0, 3, 1 }, { 1, 7, 1 }, { 4, 8, 2 }, { 7, 15, 1 }, { 8, 40, 3 }, { 15, 60, 7 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(lengths); i++) {
		for (size_t j = 0; j < 150; j++)
			check_some(lengths[i].least, lengths[i].most, lengths[i].few_least,
				   below(j % 8 ? 300 : BODY_MOST), alphabets[j % 4]);
	}
}

/* Wherever it stands, and by whatever stride. */
static void a_text_is_found_everywhere(void **state)
{
	static const char *const words[] = { "<Code>SlowDown</Code>", "SlowDown", "Slow" };
	static const enum rs_stride strides[] = { RS_STRIDE_LONG, RS_STRIDE_MEDIUM,
						  RS_STRIDE_SHORT };

	(void)state;
	for (size_t i = 0; i < COUNT(words); i++) {
		struct rs_span texts[20];
		char others[19][32], bytes[100];
		struct indexed indexed;

		for (size_t j = 0; j < 19; j++) {
			snprintf(others[j], sizeof(others[j]), "%s", words[i]);
			others[j][strlen(words[i]) / 2] = (char)('a' + j);
			texts[j] = span(others[j]);
		}
		texts[19] = span(words[i]);
		indexed = index_of(texts, 20);
		assert_int_equal(indexed.all.texts->stride, strides[i]);
		for (size_t at = 0; at + texts[19].len <= sizeof(bytes); at++) {
			struct rs_found_texts found;
			const struct rs_span body = { bytes, sizeof(bytes) };

			memset(bytes, '.', sizeof(bytes));
			memcpy(bytes + at, words[i], texts[19].len);
			found.begun = found.passed = false;
			assert_false(is_found(&indexed, 0, body, &found));
			assert_true(found.passed);
			assert_true(is_found(&indexed, 19, body, &found));
		}
		free_index(&indexed);
	}
}

/* Texts that nothing tells apart, in a body that is full of what they share. */
static void what_costs_too_much_is_given_up(void **state)
{
	static char text[400], body[4000];
	struct rs_span texts[400];
	struct rs_found_texts found;
	struct indexed indexed;

	(void)state;
	memset(text, 'a', sizeof(text));
	memset(body, 'a', sizeof(body));
	for (size_t i = 0; i < COUNT(texts); i++)
		texts[i] = (struct rs_span){ text, i + 1 };
	indexed = index_of(texts, COUNT(texts));
	for (size_t len = 0; len <= 600; len += 60) {
		found.begun = found.passed = false;
		for (size_t i = 0; i < COUNT(texts); i++)
			assert_int_equal(
				is_found(&indexed, i, (struct rs_span){ body, len }, &found),
				texts[i].len <= len);
	}
	/* An end to each of its halves: what is too long is not there. */
	body[200] = 'b';
	found.begun = found.passed = false;
	assert_false(is_found(&indexed, 399, (struct rs_span){ body, 500 }, &found));
	assert_true(found.passed);
	assert_true(is_found(&indexed, 298, (struct rs_span){ body, 500 }, &found));
	assert_false(is_found(&indexed, 299, (struct rs_span){ body, 500 }, &found));
	free_index(&indexed);
}

/* A body that is full of what all texts share is to cost no more than another. */
static void texts_are_known_by_what_they_do_not_share(void **state)
{
	char words[100][32];
	struct rs_span texts[100];
	struct indexed indexed;

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++) {
		snprintf(words[i], sizeof(words[i]), "<Code>Error%zu</Code>", i);
		texts[i] = span(words[i]);
	}
	indexed = index_of(texts, COUNT(texts));
	for (size_t i = 0; i < COUNT(texts); i++) {
		const size_t begin = indexed.all.texts->begin[i], digits = strlen("<Code>Error");

		/* Each block of eight bytes has a digit. */
		assert_in_range(begin, digits - 7, digits + (i > 9) - 7);
	}
	free_index(&indexed);
}

/* The same text of many rules has one number, and is searched for once. */
static void a_text_has_one_number(void **state)
{
	const struct rs_span texts[] = { span("SlowDown"), span("Busy"), span("SlowDown") };
	struct indexed indexed = index_of(texts, COUNT(texts));

	(void)state;
	assert_int_equal(indexed.all.texts->count, 2);
	assert_int_equal(indexed.rules[0].text_numbers[0], indexed.rules[2].text_numbers[0]);
	free_index(&indexed);
}

static void there_may_be_no_texts(void **state)
{
	struct indexed indexed = index_of(NULL, 0);

	(void)state;
	assert_null(indexed.all.texts);
	free_index(&indexed);
}

/* More than there are numbers for. */
static void very_many_texts(void **state)
{
	const size_t count = RS_TEXTS_MOST + 10;
	struct rs_span *texts = calloc(count, sizeof(*texts));
	char(*words)[24] = calloc(count, sizeof(*words));
	struct rs_found_texts found = { .begun = false };
	struct indexed indexed;

	(void)state;
	assert_true(texts && words);
	for (size_t i = 0; i < count; i++) {
		snprintf(words[i], sizeof(words[i]), "<Code>E%zu</Code>", i);
		texts[i] = span(words[i]);
	}
	indexed = index_of(texts, count);
	assert_int_equal(indexed.all.texts->count, RS_TEXTS_MOST);
	for (size_t i = 0; i < count; i += i < RS_TEXTS_MOST - 1000 ? 1000 : 1) {
		const uint32_t *number = indexed.rules[i].text_numbers;

		assert_int_equal(*number, i < RS_TEXTS_MOST ? i : RS_TEXT_NO_INDEX);
		if (i < RS_TEXTS_MOST)
			assert_int_equal(is_found(&indexed, i, span("<Code>E7000</Code>"), &found),
					 i == 7000);
		else
			assert_false(known_missing(number, 1, &found));
	}
	free_index(&indexed);
	free(texts);
	free(words);
}

/* All have to be missing, and to be of one word: of others nothing is known. */
static void some_texts_together(void **state)
{
	static const uint32_t none_found[] = { 64, 66, 127 }, one_found[] = { 64, 65 },
			      one_unknown[] = { 64, 67 }, two_words[] = { 63, 64 },
			      no_index[] = { 64, RS_TEXT_NO_INDEX };
	struct rs_found_texts found = { .begun = true, .passed = true };

	(void)state;
	found.known[0] = UINT64_MAX;
	found.known[1] = ~(UINT64_C(1) << (67 - 64));
	found.found[1] = UINT64_C(1) << (65 - 64);
	assert_true(known_missing(none_found, COUNT(none_found), &found));
	assert_false(known_missing(one_found, COUNT(one_found), &found));
	assert_false(known_missing(one_unknown, COUNT(one_unknown), &found));
	assert_false(known_missing(two_words, COUNT(two_words), &found));
	assert_false(known_missing(no_index, COUNT(no_index), &found));
	assert_false(known_missing(none_found, 0, &found));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_text_is_found_as_by_a_search),
		cmocka_unit_test(no_text_and_no_body),
		cmocka_unit_test(texts_are_found_as_by_a_search),
		cmocka_unit_test(some_texts_together),
		cmocka_unit_test(a_text_is_found_everywhere),
		cmocka_unit_test(what_costs_too_much_is_given_up),
		cmocka_unit_test(texts_are_known_by_what_they_do_not_share),
		cmocka_unit_test(a_text_has_one_number),
		cmocka_unit_test(there_may_be_no_texts),
		cmocka_unit_test(very_many_texts),
	};

	return cmocka_run_group_tests_name("text_index", tests, NULL, NULL);
}
