#include "ops/target_text.h"

#include <string.h>

struct text {
	char *at;
	size_t len;
};

static void put(struct text *text, const char *at, size_t len)
{
	size_t room = RS_TARGET_TEXT_SIZE - text->len;

	len = len < room ? len : room;
	if (len > 0)
		memcpy(text->at + text->len, at, len);
	text->len += len;
}

static void put_char(struct text *text, char byte)
{
	put(text, &byte, 1);
}

static void put_number(struct text *text, unsigned value, unsigned base)
{
	static const char digit[] = "0123456789abcdef";

	if (value >= base)
		put_number(text, value / base, base);
	put_char(text, digit[value % base]);
}

static void put_ipv4(struct text *text, const uint8_t ip[4])
{
	for (int i = 0; i < 4; i++) {
		if (i > 0)
			put_char(text, '.');
		put_number(text, ip[i], 10);
	}
}

static unsigned group(const uint8_t ip[16], int i)
{
	return (unsigned)ip[2 * i] << 8 | ip[2 * i + 1];
}

static int zeros_at(const uint8_t ip[16], int i)
{
	int len = 0;

	while (i + len < 8 && group(ip, i + len) == 0)
		len++;
	return len;
}

/* RFC 5952: the longest run of at least two zero groups, the first of equals, becomes "::". */
static void put_ipv6(struct text *text, const uint8_t ip[16])
{
	int longest = 8, longest_len = 1;

	for (int i = 0; i < 8; i++) {
		if (zeros_at(ip, i) > longest_len) {
			longest = i;
			longest_len = zeros_at(ip, i);
		}
	}
	for (int i = 0; i < 8; i++) {
		if (i == longest) {
			put(text, "::", 2);
			i += longest_len - 1;
			continue;
		}
		if (i > 0 && i != longest + longest_len)
			put_char(text, ':');
		put_number(text, group(ip, i), 16);
	}
}

static void put_host(struct text *text, struct rs_span host)
{
	bool bare_ipv6 = host.len > 0 && host.at[0] != '[' && memchr(host.at, ':', host.len);

	if (bare_ipv6)
		put_char(text, '[');
	put(text, host.at, host.len);
	if (bare_ipv6)
		put_char(text, ']');
}

struct rs_span rs_target_text(const struct rs_target *target, char buf[RS_TARGET_TEXT_SIZE])
{
	struct text text = { buf, 0 };

	switch (target->address.family) {
	case RS_ADDRESS_NONE:
		put_host(&text, target->host);
		break;
	case RS_ADDRESS_IPV4:
		put_ipv4(&text, target->address.ip);
		break;
	case RS_ADDRESS_IPV6:
		put_char(&text, '[');
		put_ipv6(&text, target->address.ip);
		put_char(&text, ']');
		break;
	case RS_ADDRESS_UNIX:
		put(&text, "unix:", 5);
		put(&text, target->address.path.at, target->address.path.len);
		break;
	}
	if (target->port > 0) {
		put_char(&text, ':');
		put_number(&text, target->port, 10);
	}
	return (struct rs_span){ buf, text.len };
}
