#include "transfer/entity.h"

#include <string.h>

#include "retry/ascii.h"
#include "retry/retry_after.h"

void rs_entity_clear(struct rs_entity *entity)
{
	entity->etag.len = entity->last_modified.len = entity->date.len = entity->range.len = 0;
	entity->length = RS_UNKNOWN_LENGTH;
	entity->coded = false;
}

/* The trimmed value where the line is of header `name`; {NULL, 0} otherwise. */
static struct rs_span value_of(const char *line, size_t len, const char *name)
{
	size_t at = strlen(name);

	if (len <= at || line[at] != ':' || !rs_ascii_same(line, name, at))
		return (struct rs_span){ NULL, 0 };
	at++;
	while (at < len && (line[at] == ' ' || line[at] == '\t'))
		at++;
	while (len > at && strchr(" \t\r\n", line[len - 1]))
		len--;
	return (struct rs_span){ line + at, len - at };
}

static void keep(struct rs_short_text *to, struct rs_span value)
{
	if (!value.at)
		return;
	to->len = value.len <= sizeof(to->text) ? (uint8_t)value.len : 0;
	memcpy(to->text, value.at, to->len);
}

/* Digits from *at on, which is moved past them; -1 where there are none or too many. */
static int64_t number(const char **at, const char *end)
{
	int64_t value = 0;
	const char *start = *at;

	while (*at < end && **at >= '0' && **at <= '9') {
		if (__builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, **at - '0', &value))
			return -1;
		(*at)++;
	}
	return *at > start ? value : -1;
}

static void note_length(struct rs_entity *entity, struct rs_span value)
{
	const char *at = value.at;

	if (at)
		entity->length = number(&at, value.at + value.len);
}

static void note_coding(struct rs_entity *entity, struct rs_span value)
{
	if (value.at && !(value.len == 8 && rs_ascii_same(value.at, "identity", 8)))
		entity->coded = true;
}

void rs_entity_note(struct rs_entity *entity, const char *line, size_t len)
{
	switch (line[0]) {
	case 'E':
	case 'e':
		keep(&entity->etag, value_of(line, len, "ETag"));
		break;
	case 'L':
	case 'l':
		keep(&entity->last_modified, value_of(line, len, "Last-Modified"));
		break;
	case 'D':
	case 'd':
		keep(&entity->date, value_of(line, len, "Date"));
		break;
	case 'C':
	case 'c':
		keep(&entity->range, value_of(line, len, "Content-Range"));
		note_length(entity, value_of(line, len, "Content-Length"));
		note_coding(entity, value_of(line, len, "Content-Encoding"));
		break;
	default:
		break;
	}
}

static struct rs_span span_of(const struct rs_short_text *text)
{
	return (struct rs_span){ text->text, text->len };
}

/* A dated copy made within the same second as the change may differ from the next one. */
static bool is_strong_date(const struct rs_entity *entity, int64_t now_s)
{
	int64_t changed_s = rs_http_date_s(span_of(&entity->last_modified), now_s);
	int64_t date_s = rs_http_date_s(span_of(&entity->date), now_s);

	return changed_s >= 0 && date_s >= 0 && date_s - changed_s >= 1;
}

static bool has_strong_etag(const struct rs_entity *entity)
{
	return entity->etag.len >= 2 && entity->etag.text[0] == '"';
}

struct rs_span rs_entity_validator(const struct rs_entity *entity, int64_t now_s)
{
	if (has_strong_etag(entity))
		return span_of(&entity->etag);
	if (is_strong_date(entity, now_s))
		return span_of(&entity->last_modified);
	return (struct rs_span){ NULL, 0 };
}

static bool same_where_both(const struct rs_short_text *a, const struct rs_short_text *b)
{
	return a->len == 0 || b->len == 0 ||
	       (a->len == b->len && memcmp(a->text, b->text, a->len) == 0);
}

bool rs_entity_confirms(const struct rs_entity *original, const struct rs_entity *part)
{
	bool named = has_strong_etag(original) ? part->etag.len > 0 : part->last_modified.len > 0;

	return named && same_where_both(&original->etag, &part->etag) &&
	       same_where_both(&original->last_modified, &part->last_modified) &&
	       original->coded == part->coded;
}

bool rs_entity_range(const struct rs_entity *entity, struct rs_byte_range *range)
{
	const char *at = entity->range.text, *end = at + entity->range.len;

	if (entity->range.len < 6 || !rs_ascii_same(at, "bytes ", 6))
		return false;
	at += 6;
	range->first = number(&at, end);
	if (range->first < 0 || at == end || *at++ != '-')
		return false;
	range->last = number(&at, end);
	if (range->last < range->first || at == end || *at++ != '/')
		return false;
	range->total = RS_UNKNOWN_LENGTH;
	if (end - at == 1 && *at == '*')
		return true;
	range->total = number(&at, end);
	return at == end && range->total > range->last;
}
