#include "cli/json.h"

#include <stdint.h>
#include <stdio.h>

/* How many bytes the UTF-8 sequence at `at` has, 0 where there is none (RFC 3629 §4). */
static int sequence(const unsigned char *at)
{
	int len = at[0] < 0x80                     ? 1
		  : at[0] >= 0xc2 && at[0] <= 0xdf ? 2
		  : (at[0] & 0xf0) == 0xe0         ? 3
		  : at[0] >= 0xf0 && at[0] <= 0xf4 ? 4
						   : 0;

	for (int i = 1; i < len; i++) {
		if ((at[i] & 0xc0) != 0x80)
			return 0;
	}
	if ((at[0] == 0xe0 && at[1] < 0xa0) || (at[0] == 0xed && at[1] > 0x9f) ||
	    (at[0] == 0xf0 && at[1] < 0x90) || (at[0] == 0xf4 && at[1] > 0x8f))
		return 0;
	return len;
}

static int put_one(const unsigned char *at)
{
	int len = sequence(at);

	if (len == 0)
		fputs("\\ufffd", stdout);
	else if (*at == '"' || *at == '\\')
		printf("\\%c", *at);
	else if (*at < 0x20 || *at == 0x7f)
		printf("\\u%04x", *at);
	else
		fwrite(at, 1, (size_t)len, stdout);
	return len ? len : 1;
}

void rs_json_text(const char *text)
{
	if (!text) {
		fputs("null", stdout);
		return;
	}
	putchar('"');
	for (const unsigned char *at = (const unsigned char *)text; *at;)
		at += put_one(at);
	putchar('"');
}

void rs_json_key(const char *key, bool first)
{
	if (!first)
		putchar(',');
	rs_json_text(key);
	putchar(':');
}
