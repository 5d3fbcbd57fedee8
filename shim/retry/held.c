#include "retry/held.h"

#include <string.h>

#include "retry/ascii.h"
#include "retry/retry_after.h"

/* Cheap, for where one text is held against many globs. */
static inline bool pairs_allow(const struct rs_glob *glob, struct rs_span text,
			       struct rs_held *held)
{
	if (!held->known)
		*held = (struct rs_held){ true, rs_pairs_of(text) };
	return rs_pairs_within(&glob->pairs, &held->pairs);
}

bool rs_held_glob(const struct rs_glob *glob, struct rs_span text, struct rs_held *held)
{
	if (held && glob->kind == RS_GLOB_BYTES && !pairs_allow(glob, text, held))
		return false;
	return rs_glob_matches(glob, text);
}

/* ---- headers ---- */

struct rs_header_matcher rs_header_matcher_make(const char *name, const char *pattern)
{
	const size_t len = strlen(name);

	return (struct rs_header_matcher){
		.name = { name, len },
		.name_hash = rs_ascii_hash(name, len),
		.value = rs_glob_make(pattern, false),
	};
}

/* A header may come more than once; any of them will do. */
static bool find_header(const char *name, const struct rs_glob *glob, struct rs_span headers)
{
	struct rs_span value = rs_header_value(headers, name);

	while (value.at) {
		const char *rest = value.at + value.len;

		if (rs_glob_matches(glob, value))
			return true;
		headers = (struct rs_span){ rest, (size_t)(headers.at + headers.len - rest) };
		value = rs_header_value(headers, name);
	}
	return false;
}

static uint8_t *first_of(struct rs_held_headers *held, uint32_t hash)
{
	return &held->first[hash % sizeof(held->first)];
}

static void note_line(struct rs_held_headers *held, struct rs_span name, struct rs_span value)
{
	const uint32_t hash = rs_ascii_hash(name.at, name.len);
	uint8_t *first = first_of(held, hash);

	held->too_many = held->count == RS_HELD_LINES_MOST;
	if (held->too_many)
		return;
	held->line[held->count] = (struct rs_held_line){
		.name = name,
		.value = value,
		.hash = hash,
		.next = *first,
	};
	*first = ++held->count;
}

static void note_lines(struct rs_held_headers *held, struct rs_span headers)
{
	struct rs_span name, value;

	held->known = true;
	held->too_many = false;
	held->count = 0;
	memset(held->first, 0, sizeof(held->first));
	while (!held->too_many && rs_header_next(&headers, &name, &value))
		note_line(held, name, value);
}

static bool same_name(struct rs_span a, struct rs_span b)
{
	return a.len == b.len && rs_ascii_same(a.at, b.at, a.len);
}

/* The hash tells nearly all names apart, and the value is cheaper to look at than the name. */
static bool line_matches(struct rs_held_line *line, const struct rs_header_matcher *matcher)
{
	return line->hash == matcher->name_hash &&
	       rs_held_glob(&matcher->value, line->value, &line->held) &&
	       same_name(line->name, matcher->name);
}

/* The same, but that it may be wrong where it says yes, and never takes long. */
static inline bool line_may_match(struct rs_held_line *line,
				  const struct rs_header_matcher *matcher)
{
	const struct rs_glob *glob = &matcher->value;

	if (line->hash != matcher->name_hash)
		return false;
	if (glob->kind == RS_GLOB_BYTES)
		return pairs_allow(glob, line->value, &line->held);
	return glob->kind == RS_GLOB_PATTERN || rs_glob_matches(glob, line->value);
}

static void note_once(struct rs_held_headers *held, struct rs_span headers)
{
	if (!held->known)
		note_lines(held, headers);
}

bool rs_held_may_have_header(const struct rs_header_matcher *matcher, struct rs_span headers,
			     struct rs_held_headers *held)
{
	bool may;

	note_once(held, headers);
	may = held->too_many;
	for (uint8_t i = *first_of(held, matcher->name_hash); i > 0 && !may;
	     i = held->line[i - 1].next)
		may = line_may_match(&held->line[i - 1], matcher);
	return may;
}

bool rs_held_header(const struct rs_header_matcher *matcher, struct rs_span headers,
		    struct rs_held_headers *held)
{
	if (held)
		note_once(held, headers);
	if (!held || held->too_many)
		return find_header(matcher->name.at, &matcher->value, headers);
	for (uint8_t i = *first_of(held, matcher->name_hash); i > 0; i = held->line[i - 1].next) {
		if (line_matches(&held->line[i - 1], matcher))
			return true;
	}
	return false;
}
