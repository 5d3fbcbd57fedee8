#include "unit.h"

#include "retry/url.h"

struct url_case {
	const char *text;
	const char *scheme, *host, *path;
	int port;
	const char *public; /* without user info */
	const char *logged; /* without query and fragment too */
};

/* What libcurl makes of each was tried with curl_url_set(CURLU_GUESS_SCHEME). */
static const struct url_case plain_cases[] = {
	{ "http://example.com/a/b?c#d", "http", "example.com", "/a/b", 80,
	  "http://example.com/a/b?c#d", "http://example.com/a/b" },
	{ "https://example.com", "https", "example.com", "", 443, "https://example.com",
	  "https://example.com" },
	{ "HTTPS://EX.com:8443/", "HTTPS", "EX.com", "/", 8443, "HTTPS://EX.com:8443/",
	  "HTTPS://EX.com:8443/" },
	{ "http://h:/x", "http", "h", "/x", 80, "http://h:/x", "http://h:/x" },
	{ "http://h:080/x", "http", "h", "/x", 80, "http://h:080/x", "http://h:080/x" },
	{ "http://h?q=/a", "http", "h", "", 80, "http://h?q=/a", "http://h" },
	{ "http://h#f?g", "http", "h", "", 80, "http://h#f?g", "http://h" },
	{ "http://h/p#f?g", "http", "h", "/p", 80, "http://h/p#f?g", "http://h/p" },
	{ "http:/h/p", "http", "h", "/p", 80, "http:/h/p", "http:/h/p" },
	{ "http:///h/p", "http", "h", "/p", 80, "http:///h/p", "http:///h/p" },
	{ "http://[::1]:8080/p", "http", "::1", "/p", 8080, "http://[::1]:8080/p",
	  "http://[::1]:8080/p" },
	{ "http://[fe80::1%25eth0]/", "http", "fe80::1", "/", 80, "http://[fe80::1%25eth0]/",
	  "http://[fe80::1%25eth0]/" },
	{ "https://r.example/@scope/pkg", "https", "r.example", "/@scope/pkg", 443,
	  "https://r.example/@scope/pkg", "https://r.example/@scope/pkg" },
	{ "ldaps://h", "ldaps", "h", "", 636, "ldaps://h", "ldaps://h" },
	{ "unknown://h/x", "unknown", "h", "/x", 0, "unknown://h/x", "unknown://h/x" },
	{ "s+c-h.1://h/x", "s+c-h.1", "h", "/x", 0, "s+c-h.1://h/x", "s+c-h.1://h/x" },
};

static const struct url_case guessed_cases[] = {
	{ "example.com/x", "http", "example.com", "/x", 80, "http://example.com/x",
	  "example.com/x" },
	{ "localhost:8080/x?y", "http", "localhost", "/x", 8080, "http://localhost:8080/x?y",
	  "localhost:8080/x" },
	{ "FTP.example.com:22", "ftp", "FTP.example.com", "", 22, "ftp://FTP.example.com:22",
	  "FTP.example.com:22" },
	{ "ftp.example.com", "ftp", "ftp.example.com", "", 21, "ftp://ftp.example.com",
	  "ftp.example.com" },
	{ "dict.x", "dict", "dict.x", "", 2628, "dict://dict.x", "dict.x" },
	{ "ldap.x", "ldap", "ldap.x", "", 389, "ldap://ldap.x", "ldap.x" },
	{ "imap.x", "imap", "imap.x", "", 143, "imap://imap.x", "imap.x" },
	{ "smtp.x", "smtp", "smtp.x", "", 25, "smtp://smtp.x", "smtp.x" },
	{ "pop3.x", "pop3", "pop3.x", "", 110, "pop3://pop3.x", "pop3.x" },
	{ "ftpx.y", "http", "ftpx.y", "", 80, "http://ftpx.y", "ftpx.y" },
	{ "ftp", "http", "ftp", "", 80, "http://ftp", "ftp" },
	{ "u:p@ftp.x/y", "ftp", "ftp.x", "/y", 21, "ftp://ftp.x/y", "ftp.x/y" },
	{ "", "http", "", "", 80, "", "" },
	{ "/", "http", "", "/", 80, "/", "/" },
	{ "a{b/c", "http", "a{b", "/c", 80, "http://a{b/c", "a{b/c" },
	{ "1x://h/", "http", "1x", "//h/", 80, "http://1x://h/", "1x://h/" },
};

static const struct url_case file_cases[] = {
	{ "file:///a/b@c", "file", "", "/a/b@c", 0, "file:///a/b@c", "file:///a/b@c" },
	{ "file:/a", "file", "", "/a", 0, "file:/a", "file:/a" },
	{ "file://localhost/a?b", "file", "localhost", "/a", 0, "file://localhost/a?b",
	  "file://localhost/a" },
	{ "file:////a", "file", "", "//a", 0, "file:////a", "file:////a" },
	{ "file://u:p@h/a", "file", "h", "/a", 0, "file://h/a", "file://h/a" },
};

/* In each of these the secret is s3cret. */
static const struct url_case secret_cases[] = {
	{ "http://u:s3cret@h/p", "http", "h", "/p", 80, "http://h/p", "http://h/p" },
	{ "http://s3cret@h:81/p?a@b", "http", "h", "/p", 81, "http://h:81/p?a@b", "http://h:81/p" },
	{ "http://h/?s3cret", "http", "h", "/", 80, NULL, "http://h/" },
	{ "http://h/#s3cret", "http", "h", "/", 80, NULL, "http://h/" },
	{ "http://h?s3cret@x", "http", "h", "", 80, NULL, "http://h" },
	{ "u:s3cret@h/p", "http", "h", "/p", 80, "http://h/p", "h/p" },
	{ "mailto:s3cret@h", "http", "h", "", 80, "http://h", "h" },
	/* several @: up to the last */
	{ "http://u:s3@cret@h/", "http", "h", "/", 80, "http://h/", "http://h/" },
	{ "http://u@s3cret@h/", "http", "h", "/", 80, "http://h/", "http://h/" },
	{ "http://@:s3cret@@h/", "http", "h", "/", 80, "http://h/", "http://h/" },
	/* backslashes are nothing special to libcurl */
	{ "http://u:s3cret\\@h/", "http", "h", "/", 80, "http://h/", "http://h/" },
	{ "http:\\\\u:s3cret@h/", "http", "h", "/", 80, "http://h/", "h/" },
	/* not URLs, but logged: a password with characters that end an authority */
	{ "http://u:s3cret?x@h/p", "http", "h", "/p", 80, "http://h/p", "http://h/p" },
	{ "http://u:s3cret#x@h/p", "http", "h", "/p", 80, "http://h/p", "http://h/p" },
	{ "http://u:s3cret/x@h/p", "http", "h", "/p", 80, "http://h/p", "http://h/p" },
	{ "http://u:99999/s3cret@h/p", "http", "h", "/p", 80, "http://h/p", "http://h/p" },
	{ "u:s3cret/x@h/p", "http", "h", "/p", 80, "http://h/p", "h/p" },
	{ "http:////u:s3cret@h/", "http", "h", "/", 80, "http:///h/", "http:///h/" },
	{ "http//u:s3cret@h/", "http", "h", "/", 80, "http://h/", "h/" },
	{ "://u:s3cret@h/", "http", "h", "/", 80, "http://h/", "h/" },
	{ "//u:s3cret@h/", "http", "h", "/", 80, "http://h/", "h/" },
	{ " http://u:s3cret@h/", "http", "h", "/", 80, "http://h/", "h/" },
	{ "1http://u:s3cret@h/", "http", "h", "/", 80, "http://h/", "h/" },
	{ "http://[::1/u:s3cret@h/", "http", "h", "/", 80, "http://h/", "http://h/" },
	{ "http://[/s3cret@h/", "http", "h", "/", 80, "http://h/", "http://h/" },
	{ "http://[::1]x/s3cret@h/", "http", "h", "/", 80, "http://h/", "http://h/" },
	{ "http://:80/s3cret@h/", "http", "h", "/", 80, "http://h/", "http://h/" },
	{ "http://u:s3cret/@", "http", "", "", 80, "http://", "http://" },
	{ "abcdefghijklmnopqrstuvwxyzabcdefghijklmno://u:s3cret@h/", "http", "h", "/", 80,
	  "http://h/", "h/" },
};

static void is(struct rs_span text, const char *wanted, const char *url)
{
	if (text.len != strlen(wanted) || memcmp(text.at, wanted, text.len) != 0)
		fail_msg("%s: %.*s is not %s", url, (int)text.len, text.at, wanted);
}

/* The text lies in memory of exactly its size, so that reading past its NUL shows. */
static void check(const struct url_case *c)
{
	char *text = strdup(c->text);
	char buf[256];
	struct rs_url url;

	assert_non_null(text);
	url = rs_url_split(text);
	is(url.scheme, c->scheme, c->text);
	is(url.host, c->host, c->text);
	is(url.path, c->path, c->text);
	assert_int_equal(url.port, c->port);
	if (c->public) {
		assert_int_equal(rs_url_public(&url, false, buf, sizeof(buf)), strlen(c->public));
		assert_string_equal(buf, c->public);
	}
	assert_int_equal(rs_url_public(&url, true, buf, sizeof(buf)), strlen(c->logged));
	assert_string_equal(buf, c->logged);
	free(text);
}

static void takes_urls_apart(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(plain_cases); i++)
		check(&plain_cases[i]);
}

static void guesses_schemes(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(guessed_cases); i++)
		check(&guessed_cases[i]);
}

/* Where the program has named one there is nothing to guess. */
static void a_scheme_by_default(void **state)
{
	struct rs_url url = rs_url_split_as("u:p@ftp.x/y", "https");
	char buf[64];

	(void)state;
	is(url.scheme, "https", "by default");
	assert_int_equal(url.port, 443);
	rs_url_public(&url, false, buf, sizeof(buf));
	assert_string_equal(buf, "https://ftp.x/y");
	url = rs_url_split_as("http://h:81/y", "https");
	is(url.scheme, "http", "written");
	assert_int_equal(url.port, 81);
	url = rs_url_split_as("ftp.x", "");
	is(url.scheme, "ftp", "guessed");
}

static void files(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(file_cases); i++)
		check(&file_cases[i]);
}

static void keeps_secrets(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(secret_cases); i++) {
		struct rs_url url = rs_url_split(secret_cases[i].text);
		char buf[256];

		check(&secret_cases[i]);
		rs_url_public(&url, true, buf, sizeof(buf));
		assert_null(strstr(buf, "s3"));
		assert_null(strstr(buf, "cret"));
	}
}

static void default_ports(void **state)
{
	static const struct {
		const char *url;
		int port;
	} cases[] = {
		{ "ftp://h", 21 },
		{ "FTPS://h", 990 },
		{ "sftp://h", 22 },
		{ "scp://h", 22 },
		{ "ws://h", 80 },
		{ "wss://h", 443 },
		{ "smtp://h", 25 },
		{ "smtps://h", 465 },
		{ "imap://h", 143 },
		{ "imaps://h", 993 },
		{ "pop3://h", 110 },
		{ "pop3s://h", 995 },
		{ "ldap://h", 389 },
		{ "dict://h", 2628 },
		{ "tftp://h", 69 },
		{ "telnet://h", 23 },
		{ "rtsp://h", 554 },
		{ "gopher://h", 70 },
		{ "mqtt://h", 1883 },
		{ "smb://h", 445 },
		{ "rtmps://h", 443 },
		{ "http://h:0", 0 },
		{ "http://h:65535", 65535 },
		{ "http://h:1", 1 },
		{ "http://h:x", 80 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		assert_int_equal(rs_url_split(cases[i].url).port, cases[i].port);
}

/* Tried with curl_url_get(CURLUPART_HOST). */
static void hosts_in_other_spellings(void **state)
{
	static const char *const cases[][2] = {
		{ "127.1", "127.0.0.1" },
		{ "0x7f.0.1", "127.0.0.1" },
		{ "017700000001", "127.0.0.1" },
		{ "2130706433", "127.0.0.1" },
		{ "%6cocal%68ost", "localhost" },
		{ "1%2e2", "1.2" },
		{ "a%2Dx%", "a-x%" },
		{ "a%6", "a%6" },
		{ "a%6z%zz", "a%6z%zz" },
		{ "a%0ab", "" },
		{ "1.2.3.4.5", "1.2.3.4.5" },
		{ "example.com", "" },
		{ "", "" },
	};
	char buf[16];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		size_t len = rs_url_plain_host(span(cases[i][0]), buf, sizeof(buf));

		assert_int_equal(len, strlen(cases[i][1]));
		assert_memory_equal(buf, cases[i][1], len);
	}
	assert_int_equal(rs_url_plain_host(span("127.1"), buf, 8), 5); /* as it was */
	assert_int_equal(rs_url_plain_host(span("%61234567890123456789"), buf, sizeof(buf)), 0);
}

static void cuts_what_does_not_fit(void **state)
{
	const struct rs_url url = rs_url_split("http://u:p@host/path");
	const char whole[] = "http://host/path";
	char buf[32];

	(void)state;
	for (size_t size = 1; size < sizeof(buf); size++) {
		size_t wanted = size - 1 < strlen(whole) ? size - 1 : strlen(whole);

		memset(buf, 'x', sizeof(buf));
		assert_int_equal(rs_url_public(&url, true, buf, size), wanted);
		assert_memory_equal(buf, whole, wanted);
		assert_int_equal(buf[wanted], '\0');
		if (size < sizeof(buf))
			assert_int_equal(buf[size], 'x');
	}
	buf[0] = 'x';
	assert_int_equal(rs_url_public(&url, true, buf, 0), 0);
	assert_int_equal(buf[0], 'x');
}

/* Whatever the text: no reading beyond it, and no user info in what is shown. */
static void random_texts(void **state)
{
	static const char alphabet[] = "hf:://@@?#[]\\%80.-";
	uint64_t seed = 7;

	(void)state;
	for (int round = 0; round < 100000; round++) {
		size_t len = next_random(&seed) % 24;
		char *text = malloc(len + 1);
		struct rs_url url;
		char buf[32];
		size_t used;

		assert_non_null(text);
		for (size_t i = 0; i < len; i++)
			text[i] = alphabet[next_random(&seed) % (sizeof(alphabet) - 1)];
		text[len] = '\0';
		url = rs_url_split(text);
		used = rs_url_public(&url, true, buf, sizeof(buf));
		assert_int_equal(strlen(buf), used);
		assert_true(used <= len);
		assert_null(strpbrk(buf, "?#"));
		/* An @ may be left in a path alone. */
		if (strchr(buf, '@'))
			assert_true(memchr(url.path.at, '@', url.path.len) != NULL);
		free(text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_urls_apart),
		cmocka_unit_test(guesses_schemes),
		cmocka_unit_test(a_scheme_by_default),
		cmocka_unit_test(files),
		cmocka_unit_test(keeps_secrets),
		cmocka_unit_test(default_ports),
		cmocka_unit_test(hosts_in_other_spellings),
		cmocka_unit_test(cuts_what_does_not_fit),
		cmocka_unit_test(random_texts),
	};

	return cmocka_run_group_tests_name("url", tests, NULL, NULL);
}
