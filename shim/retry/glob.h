/*
 * Globs as fnmatch(3), prepared so that the common forms (no wildcard, prefix*, *suffix, *) are
 * a length check and a memcmp, and those with more stars need no fnmatch(3), which is slow and, in
 * some locales, allocates. Pure; safe anywhere.
 */
#ifndef RS_RETRY_GLOB_H
#define RS_RETRY_GLOB_H

#include <stdbool.h>
#include <stddef.h>

#include "retry/outcome.h"

enum rs_glob_kind {
	RS_GLOB_LITERAL,
	RS_GLOB_PREFIX,  /* "text*" */
	RS_GLOB_SUFFIX,  /* "*text" */
	RS_GLOB_ANY,     /* "*" */
	RS_GLOB_STARS,   /* "a*b*": no other wildcard than stars */
	RS_GLOB_PATTERN, /* anything else */
};

struct rs_glob {
	enum rs_glob_kind kind;
	bool fold;           /* compare without regard to ASCII case */
	const char *pattern; /* the whole pattern as written, NUL-terminated */
	struct rs_span text; /* its literal part, inside pattern; the leading one of several */
};

/* Classify `pattern`, which must outlive the result. */
struct rs_glob rs_glob_make(const char *pattern, bool fold);

/* Does the whole of `text` match? A text longer than fnmatch can be given (4 KiB) does not match
 * a PATTERN glob. */
bool rs_glob_matches(const struct rs_glob *glob, struct rs_span text);

#endif
