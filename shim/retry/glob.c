#include "retry/glob.h"

#include <fnmatch.h>
#include <string.h>

#include "retry/ascii.h"

/* fnmatch(3) wants a terminated string; spans are not. */
#define TEXT_LIMIT 4096

static const char wildcards[] = "*?[\\";

static bool is_literal(const char *text, size_t len)
{
	return strcspn(text, wildcards) >= len;
}

struct rs_glob rs_glob_make(const char *pattern, bool fold)
{
	size_t len = strlen(pattern);
	struct rs_glob glob = {
		.kind = RS_GLOB_PATTERN,
		.fold = fold,
		.pattern = pattern,
		.text = { pattern, strcspn(pattern, wildcards) },
	};

	if (is_literal(pattern, len)) {
		glob.kind = RS_GLOB_LITERAL;
	} else if (len == 1 && pattern[0] == '*') {
		glob.kind = RS_GLOB_ANY;
	} else if (pattern[len - 1] == '*' && is_literal(pattern, len - 1)) {
		glob.kind = RS_GLOB_PREFIX;
	} else if (pattern[0] == '*' && is_literal(pattern + 1, len - 1)) {
		glob.kind = RS_GLOB_SUFFIX;
		glob.text = (struct rs_span){ pattern + 1, len - 1 };
	} else if (!strpbrk(pattern, wildcards + 1)) {
		glob.kind = RS_GLOB_STARS;
	}
	return glob;
}

static bool same(const struct rs_glob *glob, const char *text)
{
	/* An empty span may be NULL, which the functions below may not be given. */
	if (glob->text.len == 0)
		return true;
	if (glob->fold)
		return rs_ascii_same(glob->text.at, text, glob->text.len);
	return memcmp(glob->text.at, text, glob->text.len) == 0;
}

static bool same_byte(const struct rs_glob *glob, char a, char b)
{
	return a == b || (glob->fold && rs_ascii_lower(a) == rs_ascii_lower(b));
}

/* The last `len` bytes; NULL + 0 is no pointer to compute. */
static const char *tail(struct rs_span text, size_t len)
{
	return text.at ? text.at + (text.len - len) : NULL;
}

/* Where the text departs from the pattern, the last star takes one byte more. An earlier star need
 * not: what follows it has matched as soon as it could. */
static bool stars_match(const struct rs_glob *glob, struct rs_span text)
{
	const char *pattern = glob->pattern, *after_star = NULL;
	size_t at = 0, retry_at = 0;

	while (at < text.len) {
		if (*pattern == '*') {
			after_star = ++pattern;
			retry_at = at;
		} else if (*pattern && same_byte(glob, *pattern, text.at[at])) {
			pattern++;
			at++;
		} else if (after_star) {
			pattern = after_star;
			at = ++retry_at;
		} else {
			return false;
		}
	}
	return pattern[strspn(pattern, "*")] == '\0';
}

static bool pattern_matches(const struct rs_glob *glob, struct rs_span text)
{
	char copy[TEXT_LIMIT];

	if (text.len >= sizeof(copy) || text.len < glob->text.len || !same(glob, text.at))
		return false;
	if (text.len > 0)
		memcpy(copy, text.at, text.len);
	copy[text.len] = '\0';
	return fnmatch(glob->pattern, copy, glob->fold ? FNM_CASEFOLD : 0) == 0;
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
	case RS_GLOB_STARS:
		return stars_match(glob, text);
	case RS_GLOB_PATTERN:
		break;
	}
	return pattern_matches(glob, text);
}
