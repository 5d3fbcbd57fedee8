/*
 * Globs as fnmatch(3) in the C locale: a byte is a character. They are prepared so that the common
 * forms (no wildcard, prefix*, *suffix, *) are a length check and a memcmp. Most others are matched
 * here, too: fnmatch(3), which is left those with classes like [[:alpha:]], is slow and, in some
 * locales, allocates. Pure; safe anywhere.
 */
#ifndef RS_RETRY_GLOB_H
#define RS_RETRY_GLOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "retry/outcome.h"

/* Which pairs of neighbouring bytes a text has, without regard to ASCII case; and, since they are
 * hashed, some that it has not. */
#define RS_PAIRS_WORDS 4
struct rs_pairs {
	uint64_t bits[RS_PAIRS_WORDS];
};

enum rs_glob_kind {
	RS_GLOB_LITERAL,
	RS_GLOB_PREFIX,  /* "text*" */
	RS_GLOB_SUFFIX,  /* "*text" */
	RS_GLOB_ANY,     /* "*" */
	RS_GLOB_BYTES,   /* any of * ? [abc-z] [!a] and \x */
	RS_GLOB_PATTERN, /* anything else: for fnmatch(3) */
};

struct rs_glob {
	enum rs_glob_kind kind;
	bool fold;           /* compare without regard to ASCII case */
	const char *pattern; /* the whole pattern as written, NUL-terminated */
	struct rs_span text; /* its literal part, inside pattern; the leading one of several */

	/* RS_GLOB_BYTES */
	bool stars;            /* it has one */
	size_t least;          /* bytes of the shortest text that matches */
	size_t tail;           /* bytes of the literal part that ends it */
	const char *end;       /* where that begins */
	struct rs_pairs pairs; /* that every text has which matches */
};

/* Classify `pattern`, which must outlive the result. */
struct rs_glob rs_glob_make(const char *pattern, bool fold);

struct rs_pairs rs_pairs_of(struct rs_span text);

/* Those that every text has which matches. */
struct rs_pairs rs_glob_pairs(const struct rs_glob *glob);

/* Is each of these among those? */
static inline bool rs_pairs_within(const struct rs_pairs *these, const struct rs_pairs *those)
{
	return ((these->bits[0] & ~those->bits[0]) | (these->bits[1] & ~those->bits[1]) |
		(these->bits[2] & ~those->bits[2]) | (these->bits[3] & ~those->bits[3])) == 0;
}

/* Does the whole of `text` match? A text longer than fnmatch can be given (4 KiB) does not match
 * a PATTERN glob. */
bool rs_glob_matches(const struct rs_glob *glob, struct rs_span text);

#endif
