#include "ops/line.h"

#include <string.h>

void rs_line_put(struct rs_line *line, const char *text, size_t len)
{
	if (line->cut || len > line->size - line->len) {
		line->cut = true;
		return;
	}
	if (len > 0)
		memcpy(line->text + line->len, text, len);
	line->len += len;
}

void rs_line_text(struct rs_line *line, const char *text)
{
	rs_line_put(line, text, strlen(text));
}

void rs_line_int(struct rs_line *line, int64_t value)
{
	char digits[24];
	char *at = digits + sizeof(digits);
	/* The magnitude of INT64_MIN is no int64_t. */
	uint64_t magnitude = value < 0 ? -(uint64_t)value : (uint64_t)value;

	do {
		*--at = (char)('0' + magnitude % 10);
		magnitude /= 10;
	} while (magnitude > 0);
	if (value < 0)
		*--at = '-';
	rs_line_put(line, at, (size_t)(digits + sizeof(digits) - at));
}

/* How many bytes of `at` are one well-formed UTF-8 character (RFC 3629); 0: none is. */
static size_t utf8_len(const unsigned char *at, size_t len)
{
	unsigned char lead = at[0];
	size_t want = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
	/* The second byte's range shuts out overlong forms, surrogates and what is past U+10FFFF.
	 */
	unsigned char low = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
	unsigned char high = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;

	if (want == 1)
		return 1;
	if (lead < 0xc2 || lead > 0xf4 || len < want || at[1] < low || at[1] > high)
		return 0;
	for (size_t i = 2; i < want; i++) {
		if ((at[i] & 0xc0) != 0x80)
			return 0;
	}
	return want;
}

static void put_escape(struct rs_line *line, unsigned code)
{
	static const char hex[] = "0123456789abcdef";
	char text[6] = { '\\', 'u', '0', '0', hex[code >> 4 & 15], hex[code & 15] };

	rs_line_put(line, text, sizeof(text));
}

static void put_ascii(struct rs_line *line, unsigned char byte)
{
	char pair[2] = { '\\', (char)byte };

	if (byte == '"' || byte == '\\')
		rs_line_put(line, pair, sizeof(pair));
	else if (byte == '\n')
		rs_line_text(line, "\\n");
	else if (byte == '\t')
		rs_line_text(line, "\\t");
	else if (byte < 0x20 || byte == 0x7f)
		put_escape(line, byte);
	else
		rs_line_put(line, pair + 1, 1);
}

void rs_line_escaped(struct rs_line *line, struct rs_span value)
{
	const unsigned char *at = (const unsigned char *)value.at;
	size_t left = value.len;

	while (left > 0 && !line->cut) {
		size_t len = utf8_len(at, left);

		if (len == 0)
			rs_line_text(line, "\\ufffd");
		else if (len == 1)
			put_ascii(line, *at);
		else if (at[0] == 0xc2 && at[1] < 0xa0)
			put_escape(line, at[1]); /* a control character of ISO 8859-1 */
		else
			rs_line_put(line, (const char *)at, len);
		len = len > 0 ? len : 1;
		at += len;
		left -= len;
	}
}
