#include "retry/held.h"

#include <string.h>

#include "retry/ascii.h"
#include "retry/retry_after.h"

bool rs_held_glob(const struct rs_glob *glob, struct rs_span text, struct rs_held *held)
{
	if (!held || glob->kind != RS_GLOB_BYTES)
		return rs_glob_matches(glob, text);
	if (!held->known)
		*held = (struct rs_held){ true, rs_pairs_of(text) };
	return rs_glob_may_match(glob, &held->pairs) && rs_glob_matches(glob, text);
}

/* ---- headers ---- */

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

/* Names are told apart by their lengths and their ends; none is empty. */
static uint8_t *first_of(struct rs_held_headers *held, struct rs_span name)
{
	unsigned hash = (unsigned)name.len * 5 + (unsigned char)rs_ascii_lower(name.at[0]) +
			(unsigned char)rs_ascii_lower(name.at[name.len - 1]) * 3U;

	return &held->first[hash % sizeof(held->first)];
}

static void note_line(struct rs_held_headers *held, struct rs_span name, struct rs_span value)
{
	uint8_t *first;

	if (name.len == 0)
		return;
	held->too_many = held->count == RS_HELD_LINES_MOST;
	if (held->too_many)
		return;
	first = first_of(held, name);
	held->line[held->count] = (struct rs_held_line){
		.name = name,
		.value = value,
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

bool rs_held_header(const char *name, const struct rs_glob *value, struct rs_span headers,
		    struct rs_held_headers *held)
{
	const struct rs_span wanted = { name, strlen(name) };

	if (held && !held->known)
		note_lines(held, headers);
	if (!held || held->too_many || wanted.len == 0)
		return find_header(name, value, headers);
	for (uint8_t i = *first_of(held, wanted); i > 0; i = held->line[i - 1].next) {
		struct rs_held_line *line = &held->line[i - 1];

		if (line->name.len == wanted.len &&
		    rs_ascii_same(line->name.at, wanted.at, wanted.len) &&
		    rs_held_glob(value, line->value, &line->held))
			return true;
	}
	return false;
}

/* ---- bodies ---- */

/* As many texts are searched for as it costs to note the runs, about. */
#define SEARCHED_FIRST 2

#define RUN         sizeof(uint32_t)
#define LONG_STRIDE 4
#define SHORT_BODY  4096 /* as many runs can be noted without filling the bits */

static unsigned hash_of_run(const char *at)
{
	uint32_t run;

	memcpy(&run, at, sizeof(run));
	return run * UINT32_C(2654435761) >> (32 - RS_HELD_RUN_BITS);
}

static void note_runs(struct rs_held_body *held, struct rs_span body)
{
	const unsigned stride = body.len <= SHORT_BODY ? 1 : LONG_STRIDE;

	held->known = true;
	held->stride = stride;
	memset(held->runs, 0, sizeof(held->runs));
	for (size_t i = 0; i + RUN <= body.len; i += stride) {
		unsigned hash = hash_of_run(body.at + i);

		held->runs[hash / 64] |= UINT64_C(1) << hash % 64;
	}
}

static bool has_run(const struct rs_held_body *held, const char *at)
{
	unsigned hash = hash_of_run(at);

	return (held->runs[hash / 64] >> hash % 64 & 1) != 0;
}

/* Are all the runs there, where the first that begins at a multiple of the stride is the text's
 * at `phase`? */
static bool has_runs(const struct rs_held_body *held, struct rs_span text, size_t phase)
{
	for (size_t i = phase; i + RUN <= text.len; i += held->stride) {
		if (!has_run(held, text.at + i))
			return false;
	}
	return true;
}

/* For certain not where false. A text too short to hold a run for every phase may always be there.
 */
static bool may_have(const struct rs_held_body *held, struct rs_span text)
{
	for (size_t phase = 0; phase < held->stride; phase++) {
		if (has_runs(held, text, phase))
			return true;
	}
	return false;
}

bool rs_held_text(struct rs_span text, struct rs_span body, struct rs_held_body *held)
{
	if (text.len == 0 || text.len > body.len)
		return text.len == 0;
	if (held && !held->known && held->asked++ == SEARCHED_FIRST)
		note_runs(held, body);
	if (held && held->known && !may_have(held, text))
		return false;
	return memmem(body.at, body.len, text.at, text.len) != NULL;
}
