/* A URL taken apart. No secret survives in what is shown of it, and where libcurl can make sense of
 * the text we see the same host, port and scheme in it. */
#include <ctype.h>
#include <curl/curl.h>

#include "fuzz.h"
#include "retry/url.h"

static bool is_same(struct rs_span span, const char *text)
{
	return span.len == strlen(text) && strncasecmp(span.at ? span.at : "", text, span.len) == 0;
}

/* Taking the public form apart again gives the same, and there is no user in it any more. Where no
 * host or scheme was found the user may have kept what follows from looking like one. */
static void check_public(const char *text, const struct rs_url *url, bool for_log)
{
	size_t size = strlen(text) + 1;
	char *buf = malloc(size), *tight = malloc(size / 2 + 1);
	struct rs_url again;
	size_t len;

	MUST(buf && tight);
	len = rs_url_public(url, for_log, buf, size);
	MUST(len < size && buf[len] == '\0');
	MUST(rs_url_public(url, for_log, tight, size / 2 + 1) <= size / 2);
	again = rs_url_split(buf);
	if (url->scheme.at == text && url->host.len > 0) {
		MUST(again.host.len == url->host.len && again.port == url->port);
		MUST(!again.host.len || memcmp(again.host.at, url->host.at, again.host.len) == 0);
		MUST(again.before_user_info.len + again.after_user_info.len == len);
	}
	if (for_log)
		MUST(!strchr(buf, '?') && !strchr(buf, '#'));
	free(buf);
	free(tight);
}

static char *part(CURLU *parsed, CURLUPart what, unsigned flags)
{
	char *text = NULL;

	return curl_url_get(parsed, what, &text, flags) == CURLUE_OK ? text : NULL;
}

/* libcurl decodes and normalises hosts: only those that it leaves alone can be compared. */
static bool is_plain(const char *text)
{
	for (; *text; text++) {
		if (!isalpha((unsigned char)*text) && *text != '.' && *text != '-')
			return false;
	}
	return true;
}

/* "a:b//c@d": to libcurl it is a host and a path, but it may be a password with slashes in it, and
 * for us secrets come first. "-a://b": some releases of libcurl call "-a" a scheme, and refuse it.
 */
static bool is_doubtful(const char *text, const struct rs_url *url)
{
	return !isalpha((unsigned char)text[0]) ||
	       (url->scheme.at != text && strstr(text, "//") && strchr(text, '@'));
}

static void compare(const char *text, const struct rs_url *url)
{
	CURLU *parsed = curl_url();
	CURLUcode rc =
		curl_url_set(parsed, CURLUPART_URL, text,
			     CURLU_GUESS_SCHEME | CURLU_NON_SUPPORT_SCHEME | CURLU_PATH_AS_IS);
	char *host = rc ? NULL : part(parsed, CURLUPART_HOST, 0);
	char *port = rc ? NULL : part(parsed, CURLUPART_PORT, CURLU_DEFAULT_PORT);
	char *scheme = rc ? NULL : part(parsed, CURLUPART_SCHEME, 0);

	if (host && is_plain(host) && strcasecmp(scheme, "file") != 0 && !is_doubtful(text, url) &&
	    !memchr(url->host.at ? url->host.at : "", '%', url->host.len)) {
		MUST(is_same(url->host, host));
		MUST(is_same(url->scheme, scheme));
		MUST(!port || url->port == strtoul(port, NULL, 10));
	}
	curl_free(host);
	curl_free(port);
	curl_free(scheme);
	curl_url_cleanup(parsed);
}

/* It never gets longer than it was, but for an address. */
static void check_host(struct rs_span host)
{
	char buf[64];
	size_t len = rs_url_plain_host(host, buf, sizeof(buf));

	MUST(len < sizeof(buf) && (len == 0 || buf[len] == '\0'));
	MUST(len <= host.len || len <= strlen("255.255.255.255"));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = text_copy((struct rs_span){ (const char *)data, size });
	struct rs_url url = rs_url_split(text);

	check_public(text, &url, false);
	check_public(text, &url, true);
	check_host(url.host);
	compare(text, &url);
	free(text);
	return 0;
}
