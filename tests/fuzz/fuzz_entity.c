/* What headers say of the thing a response carries. A range that is taken for one is written as it
 * was read; what can be continued has a strong validator. */
#include "fuzz.h"
#include "transfer/entity.h"

static void check_range(const struct rs_entity *entity)
{
	struct rs_byte_range range, again;
	struct rs_entity rewritten;
	char line[128];
	int len;

	if (!rs_entity_range(entity, &range))
		return;
	MUST(range.first >= 0 && range.first <= range.last);
	MUST(range.total == RS_UNKNOWN_LENGTH || range.last < range.total);
	len = snprintf(line, sizeof(line), "content-range:bytes %lld-%lld/", (long long)range.first,
		       (long long)range.last);
	if (range.total == RS_UNKNOWN_LENGTH)
		len += snprintf(line + len, sizeof(line) - (size_t)len, "*");
	else
		len += snprintf(line + len, sizeof(line) - (size_t)len, "%lld",
				(long long)range.total);
	rs_entity_clear(&rewritten);
	rs_entity_note(&rewritten, line, (size_t)len);
	MUST(rs_entity_range(&rewritten, &again));
	MUST(again.first == range.first && again.last == range.last && again.total == range.total);
}

static void check_validator(const struct rs_entity *entity)
{
	struct rs_span validator = rs_entity_validator(entity, 1700000000);

	if (!validator.at)
		return;
	MUST(validator.len > 0 && validator.len <= sizeof(entity->etag.text));
	MUST(!memchr(validator.at, '\n', validator.len) || validator.at[0] == '"');
	MUST(validator.len < 2 || memcmp(validator.at, "W/", 2) != 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = input_of(data, size);
	struct rs_entity entity, empty;

	rs_entity_clear(&entity);
	empty = entity;
	while (in.left) {
		const char *start = in.at;
		struct rs_span line = take_until(&in, '\n');
		char *bytes;

		line.len = (size_t)(in.at - start); /* with its end, as libcurl gives it */
		bytes = exact_copy(line);
		rs_entity_note(&entity, bytes, line.len);
		free(bytes);
		MUST(entity.length >= RS_UNKNOWN_LENGTH);
		check_range(&entity);
		check_validator(&entity);
		MUST(rs_entity_confirms(&entity, &entity) ||
		     !rs_entity_validator(&entity, 1700000000).at);
		MUST(!rs_entity_confirms(&entity, &empty));
	}
	return 0;
}
