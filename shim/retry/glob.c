#include "retry/glob.h"

#include <fnmatch.h>
#include <string.h>

#include "retry/ascii.h"

/* fnmatch(3) wants a terminated string; spans are not. */
#define TEXT_LIMIT 4096

static bool has_wildcard(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (strchr("*?[\\", text[i]))
			return true;
	}
	return false;
}

struct rs_glob rs_glob_make(const char *pattern, bool fold)
{
	size_t len = strlen(pattern);
	struct rs_glob glob = {
		.kind = RS_GLOB_PATTERN,
		.fold = fold,
		.pattern = pattern,
		.text = { pattern, len },
	};

	if (!has_wildcard(pattern, len)) {
		glob.kind = RS_GLOB_LITERAL;
	} else if (len == 1 && pattern[0] == '*') {
		glob.kind = RS_GLOB_ANY;
	} else if (pattern[len - 1] == '*' && !has_wildcard(pattern, len - 1)) {
		glob.kind = RS_GLOB_PREFIX;
		glob.text.len = len - 1;
	} else if (pattern[0] == '*' && !has_wildcard(pattern + 1, len - 1)) {
		glob.kind = RS_GLOB_SUFFIX;
		glob.text = (struct rs_span){ pattern + 1, len - 1 };
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

/* The last `len` bytes; NULL + 0 is no pointer to compute. */
static const char *tail(struct rs_span text, size_t len)
{
	return text.at ? text.at + (text.len - len) : NULL;
}

static bool pattern_matches(const struct rs_glob *glob, struct rs_span text)
{
	char copy[TEXT_LIMIT];

	if (text.len >= sizeof(copy))
		return false;
	if (text.len > 0)
		memcpy(copy, text.at, text.len);
	copy[text.len] = '\0';
	return fnmatch(glob->pattern, copy, glob->fold ? FNM_CASEFOLD : 0) == 0;
}

bool rs_glob_matches(const struct rs_glob *glob, struct rs_span text)
{
	switch (glob->kind) {
	case RS_GLOB_ANY:
		return true;
	case RS_GLOB_LITERAL:
		return text.len == glob->text.len && same(glob, text.at);
	case RS_GLOB_PREFIX:
		return text.len >= glob->text.len && same(glob, text.at);
	case RS_GLOB_SUFFIX:
		return text.len >= glob->text.len && same(glob, tail(text, glob->text.len));
	case RS_GLOB_PATTERN:
		break;
	}
	return pattern_matches(glob, text);
}
