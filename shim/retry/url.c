#include "retry/url.h"

#include <arpa/inet.h>
#include <string.h>

#include "retry/ascii.h"

#define SCHEME_LIMIT 40 /* libcurl's: longer is no scheme */

struct scheme {
	char name[8]; /* not a pointer: see rules/keys.h */
	uint16_t port;
};

static const struct scheme known_schemes[] = {
	{ "http", 80 },    { "https", 443 },  { "ftp", 21 },     { "ftps", 990 },  { "sftp", 22 },
	{ "scp", 22 },     { "ws", 80 },      { "wss", 443 },    { "smtp", 25 },   { "smtps", 465 },
	{ "imap", 143 },   { "imaps", 993 },  { "pop3", 110 },   { "pop3s", 995 }, { "ldap", 389 },
	{ "ldaps", 636 },  { "dict", 2628 },  { "tftp", 69 },    { "telnet", 23 }, { "rtsp", 554 },
	{ "gopher", 70 },  { "gophers", 70 }, { "mqtt", 1883 },  { "smb", 445 },   { "smbs", 445 },
	{ "rtmp", 1935 },  { "rtmpt", 80 },   { "rtmpe", 1935 }, { "rtmpte", 80 }, { "rtmps", 443 },
	{ "rtmpts", 443 },
};

static const char guessed_schemes[][5] = { "ftp", "dict", "ldap", "imap", "smtp", "pop3" };

static struct rs_span between(const char *from, const char *to)
{
	return (struct rs_span){ from, (size_t)(to - from) };
}

static bool span_is(struct rs_span span, const char *text)
{
	return span.len == strlen(text) && rs_ascii_same(span.at, text, span.len);
}

static bool is_alpha(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* libcurl takes "name:" for a scheme where a slash follows: "host:80" is none. */
static struct rs_span scheme_of(const char *text)
{
	const struct rs_span none = { NULL, 0 };
	size_t len = 0;

	if (!is_alpha(text[0]))
		return none;
	while (is_alpha(text[len]) || is_digit(text[len]) ||
	       (text[len] && strchr("+-.", text[len])))
		len++;
	if (text[len] != ':' || text[len + 1] != '/' || len > SCHEME_LIMIT)
		return none;
	return (struct rs_span){ text, len };
}

/* Where the authority begins. libcurl bears one to three slashes; a file's third is its path's. */
static const char *authority_of(const char *text, struct rs_span scheme)
{
	const char *at = scheme.at ? text + scheme.len + 1 : text;

	if (!scheme.at)
		return at;
	if (span_is(scheme, "file"))
		return strncmp(at, "//", 2) == 0 ? at + 2 : at;
	for (int i = 0; i < 3 && *at == '/'; i++)
		at++;
	return at;
}

static const char *end_of_authority(const char *authority)
{
	return authority + strcspn(authority, "/?#");
}

static const char *end_of_user_info(const char *authority, const char *end)
{
	const char *at = memrchr(authority, '@', (size_t)(end - authority));

	return at ? at + 1 : authority;
}

/* ":80" or nothing; *port is left alone where none is written. */
static bool take_port(const char *at, const char *end, uint16_t *port)
{
	unsigned value = 0;

	if (at == end)
		return true;
	if (*at++ != ':')
		return false;
	if (at == end)
		return true;
	for (; at < end; at++) {
		if (!is_digit(*at))
			return false;
		value = value * 10 + (unsigned)(*at - '0');
		if (value > UINT16_MAX)
			return false;
	}
	*port = (uint16_t)value;
	return true;
}

/* The host at `at`; returns where its port would begin. */
static const char *take_host(const char *at, const char *end, struct rs_span *host)
{
	const char stop = *at == '[' ? ']' : ':';
	const char *begin = *at == '[' ? at + 1 : at;
	const char *stopped = memchr(at, stop, (size_t)(end - at));
	const char *zone;

	*host = between(begin, stopped ? stopped : end);
	if (stop == ':')
		return stopped ? stopped : end;
	zone = memchr(host->at, '%', host->len);
	if (zone)
		host->len = (size_t)(zone - host->at);
	return stopped ? stopped + 1 : at;
}

static uint16_t default_port(struct rs_span scheme)
{
	for (size_t i = 0; i < sizeof(known_schemes) / sizeof(known_schemes[0]); i++) {
		if (span_is(scheme, known_schemes[i].name))
			return known_schemes[i].port;
	}
	return 0;
}

static struct rs_span guessed_scheme(struct rs_span host)
{
	for (size_t i = 0; i < sizeof(guessed_schemes) / sizeof(guessed_schemes[0]); i++) {
		const char *name = guessed_schemes[i];
		const size_t len = strlen(name);

		if (host.len > len && host.at[len] == '.' && rs_ascii_same(host.at, name, len))
			return (struct rs_span){ name, len };
	}
	return (struct rs_span){ "http", 4 };
}

/* Host, port and path from `at`, where the user info has been passed. False where libcurl would
 * not take it for a host and a port. */
static bool take_location(struct rs_url *url, const char *at, const char *scheme)
{
	const char *end = end_of_authority(at);
	const char *port = take_host(at, end, &url->host);

	if (!url->scheme_is_written && scheme && *scheme)
		url->scheme = between(scheme, scheme + strlen(scheme));
	else if (!url->scheme_is_written)
		url->scheme = guessed_scheme(url->host);
	url->port = default_port(url->scheme);
	url->path = between(end, end + strcspn(end, "?#"));
	url->after_user_info = between(at, at + strlen(at));
	return take_port(port, end, &url->port) &&
	       (url->host.len > 0 || span_is(url->scheme, "file")) &&
	       (url->scheme_is_written || strncmp(end, "//", 2) != 0);
}

struct rs_url rs_url_split_as(const char *text, const char *scheme)
{
	struct rs_url url = { .scheme = scheme_of(text) };
	const char *authority = authority_of(text, url.scheme);
	const char *host = end_of_user_info(authority, end_of_authority(authority));

	url.scheme_is_written = url.scheme.at != NULL;
	url.before_user_info = between(text, authority);
	if (!take_location(&url, host, scheme)) {
		/* Perhaps a password with a slash or a question mark in it. Nothing can be
		 * transferred, but it may be logged: all up to the last @ counts as secret. */
		const char *last_at = strrchr(host, '@');

		if (last_at)
			take_location(&url, last_at + 1, scheme);
	}
	return url;
}

struct rs_url rs_url_split(const char *text)
{
	return rs_url_split_as(text, NULL);
}

/* The value of two hexadecimal digits, or -1. */
static int escaped_byte(const char *digits)
{
	static const char hex[] = "0123456789abcdef";
	const char *high = digits[0] ? strchr(hex, rs_ascii_lower(digits[0])) : NULL;
	const char *low = high && digits[1] ? strchr(hex, rs_ascii_lower(digits[1])) : NULL;

	return low ? (int)((high - hex) << 4 | (low - hex)) : -1;
}

/* In place. A control character makes no host. */
static size_t unescape(char *text)
{
	char *to = text;

	for (const char *at = text; *at; at++, to++) {
		int byte = *at == '%' ? escaped_byte(at + 1) : -1;

		if (byte >= 0 && byte < 0x20)
			return 0;
		*to = byte < 0 ? *at : (char)byte;
		at += byte < 0 ? 0 : 2;
	}
	*to = '\0';
	return (size_t)(to - text);
}

size_t rs_url_plain_host(struct rs_span host, char *buf, size_t size)
{
	char numbers[INET_ADDRSTRLEN];
	struct in_addr address;

	if (host.len == 0 || host.len >= size ||
	    !(is_digit(host.at[0]) || memchr(host.at, '%', host.len)))
		return 0;
	memcpy(buf, host.at, host.len);
	buf[host.len] = '\0';
	if (!is_digit(buf[0]))
		return unescape(buf);
	if (!inet_aton(buf, &address))
		return unescape(buf);
	(void)inet_ntop(AF_INET, &address, numbers, sizeof(numbers));
	if (strlen(numbers) < size)
		memcpy(buf, numbers, strlen(numbers) + 1);
	return strlen(buf);
}

static size_t append(struct rs_span text, char *buf, size_t used, size_t size)
{
	size_t room = size - used - 1;
	size_t len = text.len < room ? text.len : room;

	memcpy(buf + used, text.at, len);
	return used + len;
}

size_t rs_url_public(const struct rs_url *url, bool for_log, char *buf, size_t size)
{
	struct rs_span rest = url->after_user_info;
	size_t used = 0;

	if (size == 0)
		return 0;
	if (for_log)
		rest.len = (size_t)(url->path.at - rest.at) + url->path.len;
	if (!for_log && !url->scheme_is_written && url->host.len > 0) {
		used = append(url->scheme, buf, used, size);
		used = append((struct rs_span){ "://", 3 }, buf, used, size);
	}
	used = append(url->before_user_info, buf, used, size);
	used = append(rest, buf, used, size);
	buf[used] = '\0';
	return used;
}
