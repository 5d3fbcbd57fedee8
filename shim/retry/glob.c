#include "retry/glob.h"

#include <fnmatch.h>
#include <string.h>

#include "retry/ascii.h"

/* fnmatch(3) wants a terminated string; spans are not. Most are short, and the stack of a thread
 * may be small. */
#define SHORT_LIMIT 512
#define TEXT_LIMIT  4096

static const char wildcards[] = "*?[\\";

/* ---- preparing ---- */

static bool is_wildcard(char c)
{
	return c == '*' || c == '?' || c == '[' || c == '\\';
}

static bool is_class(const char *at)
{
	return at[0] == '[' && (at[1] == ':' || at[1] == '=' || at[1] == '.');
}

/* A member of a set at *at, which is moved behind it; -1: not one byte. */
static int read_member(const char **at)
{
	if (is_class(*at))
		return -1;
	if (**at == '\\')
		++*at;
	return **at ? (unsigned char)*(*at)++ : -1;
}

/* A byte, or a range of them: the same, with the last one. */
static int read_range(const char **at, int *last)
{
	int first = read_member(at);

	*last = first;
	if (first < 0 || **at != '-' || (*at)[1] == ']')
		return first;
	++*at;
	*last = read_member(at);
	return *last < 0 ? -1 : first;
}

static int folded(int byte, bool fold)
{
	return fold ? (unsigned char)rs_ascii_lower((char)byte) : byte;
}

/* Is the byte in the set that begins behind a '['? Returns what is behind its ']', or NULL where it
 * has none, or names classes. A ']' that comes first is a member. */
static const char *read_set(const char *at, char byte, bool fold, bool *is_in)
{
	const bool without = *at == '!' || *at == '^';
	const int wanted = folded((unsigned char)byte, fold);
	bool found = false;

	at += without;
	do {
		int last, first = read_range(&at, &last);

		if (first < 0)
			return NULL;
		found |= folded(first, fold) <= wanted && wanted <= folded(last, fold);
	} while (*at != ']');
	*is_in = found != without;
	return at + 1;
}

/* Both in lower case. */
static void add_pair(struct rs_pairs *pairs, unsigned char first, unsigned char second)
{
	unsigned hash = first * 37U + second * 11U;

	pairs->bits[hash / 64 % RS_PAIRS_WORDS] |= UINT64_C(1) << hash % 64;
}

static unsigned char lower(char c)
{
	return (unsigned char)rs_ascii_lower(c);
}

struct rs_pairs rs_pairs_of(struct rs_span text)
{
	struct rs_pairs pairs = { { 0 } };
	unsigned char before = text.len > 0 ? lower(text.at[0]) : 0;

	for (size_t i = 1; i < text.len; i++) {
		const unsigned char now = lower(text.at[i]);

		add_pair(&pairs, before, now);
		before = now;
	}
	return pairs;
}

/* Note that the next byte can only be this one. */
static void note_byte(struct rs_glob *glob, char byte, int *before)
{
	const unsigned char now = lower(byte);

	if (*before >= 0)
		add_pair(&glob->pairs, (unsigned char)*before, now);
	*before = now;
}

/* Note the element that the pattern begins with, and return what is behind it; NULL where
 * fnmatch(3) has to know. *before is the byte that stands before it, or -1 where there may be any.
 */
static const char *note_element(struct rs_glob *glob, const char *pattern, int *before)
{
	bool ignored;

	switch (*pattern) {
	case '*':
		glob->stars = true;
		*before = -1;
		return pattern + 1;
	case '?':
		*before = -1;
		break;
	case '[':
		*before = -1;
		glob->least++;
		return read_set(pattern + 1, '\0', false, &ignored);
	case '\\':
		if (!*++pattern)
			return NULL;
		note_byte(glob, *pattern, before);
		break;
	default:
		note_byte(glob, *pattern, before);
	}
	glob->least++;
	return pattern + 1;
}

/* What ends the pattern, which has a wildcard, and stands for itself. */
static size_t tail_len(const char *pattern, size_t len)
{
	size_t tail = 0;

	while (!is_wildcard(pattern[len - tail - 1]) && pattern[len - tail - 1] != ']')
		tail++;
	/* What a backslash stands before belongs to it. */
	return tail > 0 && pattern[len - tail - 1] == '\\' ? tail - 1 : tail;
}

/* Measure a pattern that is matched here; false where fnmatch(3) has to. */
static bool measure(struct rs_glob *glob, size_t len)
{
	const char *at = glob->pattern;
	int before = -1;

	while (at && *at)
		at = note_element(glob, at, &before);
	glob->tail = tail_len(glob->pattern, len);
	glob->end = glob->pattern + len - glob->tail;
	return at != NULL;
}

struct rs_glob rs_glob_make(const char *pattern, bool fold)
{
	const size_t len = strlen(pattern), begin = strcspn(pattern, wildcards);
	struct rs_glob glob = {
		.kind = RS_GLOB_PATTERN,
		.fold = fold,
		.pattern = pattern,
		.text = { pattern, begin },
	};

	if (begin == len) {
		glob.kind = RS_GLOB_LITERAL;
	} else if (strcmp(pattern, "*") == 0) {
		glob.kind = RS_GLOB_ANY;
	} else if (begin == len - 1 && pattern[begin] == '*') {
		glob.kind = RS_GLOB_PREFIX;
	} else if (pattern[0] == '*' && strcspn(pattern + 1, wildcards) == len - 1) {
		glob.kind = RS_GLOB_SUFFIX;
		glob.text = (struct rs_span){ pattern + 1, len - 1 };
	} else if (measure(&glob, len)) {
		glob.kind = RS_GLOB_BYTES;
	}
	return glob;
}

struct rs_pairs rs_glob_pairs(const struct rs_glob *glob)
{
	switch (glob->kind) {
	case RS_GLOB_LITERAL:
	case RS_GLOB_PREFIX:
	case RS_GLOB_SUFFIX:
		return rs_pairs_of(glob->text);
	case RS_GLOB_BYTES:
		return glob->pairs;
	case RS_GLOB_ANY:
	case RS_GLOB_PATTERN:
		break;
	}
	return (struct rs_pairs){ { 0 } };
}

/* ---- matching ---- */

static bool same_text(const char *pattern, const char *text, size_t len, bool fold)
{
	/* An empty span may be NULL, which the functions below may not be given. */
	if (len == 0)
		return true;
	if (fold)
		return rs_ascii_same(pattern, text, len);
	return memcmp(pattern, text, len) == 0;
}

static bool same(const struct rs_glob *glob, const char *text)
{
	return same_text(glob->text.at, text, glob->text.len, glob->fold);
}

static bool same_byte(const struct rs_glob *glob, char a, char b)
{
	return a == b || (glob->fold && rs_ascii_lower(a) == rs_ascii_lower(b));
}

/* The last `len` bytes. */
static const char *tail(struct rs_span text, size_t len)
{
	return text.at + (text.len - len);
}

/* What is behind the element of the pattern, if the byte matches it; else NULL. */
static const char *match_element(const struct rs_glob *glob, const char *pattern, char byte)
{
	const char *behind;
	bool is_in = false;

	switch (*pattern) {
	case '?':
		return pattern + 1;
	case '[':
		behind = read_set(pattern + 1, byte, glob->fold, &is_in);
		return is_in ? behind : NULL;
	case '\\':
		return same_byte(glob, pattern[1], byte) ? pattern + 2 : NULL;
	default:
		return same_byte(glob, *pattern, byte) ? pattern + 1 : NULL;
	}
}

/* A place in the pattern, and the place in the text that it is held against. */
struct place {
	const char *pattern, *text;
};

/* Go on as long as the text is what the pattern says, up to a star. Most of a pattern is plain. */
static struct place follow(const struct rs_glob *glob, struct place place, const char *end)
{
	const char *behind;

	while (place.text < end && place.pattern < glob->end) {
		if (*place.pattern == *place.text && !is_wildcard(*place.pattern))
			behind = place.pattern + 1;
		else if (*place.pattern == '*')
			break;
		else
			behind = match_element(glob, place.pattern, *place.text);
		if (!behind)
			break;
		place = (struct place){ behind, place.text + 1 };
	}
	return place;
}

/* Where what is behind a star may begin, at the earliest; NULL: nowhere. */
static const char *begin_behind_star(const struct rs_glob *glob, const char *pattern,
				     const char *from, const char *end)
{
	if (glob->fold || is_wildcard(*pattern))
		return from;
	return from < end ? memchr(from, *pattern, (size_t)(end - from)) : NULL;
}

/*
 * The pattern between its literal ends against the text between them. Where the text departs from
 * the pattern, the last star takes one byte more. An earlier star need not: what follows it has
 * matched as soon as it could.
 */
static bool middle_matches(const struct rs_glob *glob, const char *text, const char *end)
{
	struct place at = { glob->pattern + glob->text.len, text };
	struct place after_star = { NULL, NULL };

	for (;;) {
		at = follow(glob, at, end);
		if (at.pattern < glob->end && *at.pattern == '*') {
			after_star = (struct place){ at.pattern + 1, at.text };
			if (after_star.pattern == glob->end)
				return true;
		} else if (at.text == end) {
			return at.pattern == glob->end;
		} else if (!after_star.pattern) {
			return false;
		} else {
			after_star.text++;
		}
		after_star.text = begin_behind_star(glob, after_star.pattern, after_star.text, end);
		if (!after_star.text)
			return false;
		at = after_star;
	}
}

static bool bytes_match(const struct rs_glob *glob, struct rs_span text)
{
	if (text.len < glob->least || (text.len > glob->least && !glob->stars))
		return false;
	return same(glob, text.at) &&
	       same_text(glob->end, tail(text, glob->tail), glob->tail, glob->fold) &&
	       middle_matches(glob, text.at + glob->text.len, text.at + text.len - glob->tail);
}

static bool copy_matches(const struct rs_glob *glob, struct rs_span text, char *copy)
{
	if (text.len > 0)
		memcpy(copy, text.at, text.len);
	copy[text.len] = '\0';
	return fnmatch(glob->pattern, copy, glob->fold ? FNM_CASEFOLD : 0) == 0;
}

__attribute__((noinline)) static bool long_matches(const struct rs_glob *glob, struct rs_span text)
{
	char copy[TEXT_LIMIT];

	return text.len < sizeof(copy) && copy_matches(glob, text, copy);
}

__attribute__((noinline)) static bool short_matches(const struct rs_glob *glob, struct rs_span text)
{
	char copy[SHORT_LIMIT];

	return copy_matches(glob, text, copy);
}

static bool pattern_matches(const struct rs_glob *glob, struct rs_span text)
{
	if (text.len < glob->text.len || !same(glob, text.at))
		return false;
	return text.len < SHORT_LIMIT ? short_matches(glob, text) : long_matches(glob, text);
}

bool rs_glob_matches(const struct rs_glob *glob, struct rs_span text)
{
	if (!text.at)
		text = (struct rs_span){ "", 0 };
	switch (glob->kind) {
	case RS_GLOB_ANY:
		return true;
	case RS_GLOB_LITERAL:
		return text.len == glob->text.len && same(glob, text.at);
	case RS_GLOB_PREFIX:
		return text.len >= glob->text.len && same(glob, text.at);
	case RS_GLOB_SUFFIX:
		return text.len >= glob->text.len && same(glob, tail(text, glob->text.len));
	case RS_GLOB_BYTES:
		return bytes_match(glob, text);
	case RS_GLOB_PATTERN:
		break;
	}
	return pattern_matches(glob, text);
}
