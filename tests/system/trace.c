#include "trace.h"

#include <inttypes.h>
#include <string.h>

uint64_t trace_hash(uint64_t hash, const void *bytes, size_t len)
{
	const unsigned char *at = bytes;

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ at[i]) * UINT64_C(0x100000001b3);
	return hash;
}

void trace_flush(struct trace_run *run)
{
	if (run->who)
		(void)fprintf(stderr, "%s %s %zu bytes %016" PRIx64 "%s\n", run->who, run->data,
			      run->len, run->hash, run->oversized ? " OVERSIZED" : "");
	*run = (struct trace_run){ 0 };
}

void trace_body(struct trace_run *run, const char *who, const char *data, const char *bytes,
		size_t len)
{
	if (run->who != who || run->data != data) {
		trace_flush(run);
		*run = (struct trace_run){ .who = who, .data = data, .hash = TRACE_HASH_BEGIN };
	}
	run->len += len;
	run->hash = trace_hash(run->hash, bytes, len);
	run->oversized |= len > CURL_MAX_WRITE_SIZE;
}

static void put_text(const char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (bytes[i] >= ' ' && bytes[i] <= '~')
			(void)fputc(bytes[i], stderr);
		else
			(void)fprintf(stderr, "\\%02x", (unsigned)(unsigned char)bytes[i]);
	}
	(void)fputc('\n', stderr);
}

void trace_header(const char *who, const char *data, const char *bytes, size_t len)
{
	while (len > 0) {
		const char *end = memchr(bytes, '\n', len);
		size_t line = end ? (size_t)(end - bytes) + 1 : len;

		(void)fprintf(stderr, "%s %s ", who, data);
		put_text(bytes, line);
		bytes += line;
		len -= line;
	}
}

static void put_longs(CURL *easy, bool all)
{
	static const struct {
		const char *name;
		CURLINFO info;
		bool steady;
	} table[] = {
		{ "RESPONSE_CODE", CURLINFO_RESPONSE_CODE, true },
		{ "HTTP_CONNECTCODE", CURLINFO_HTTP_CONNECTCODE, true },
		{ "HTTP_VERSION", CURLINFO_HTTP_VERSION, true },
		{ "PROTOCOL", CURLINFO_PROTOCOL, true },
		{ "REDIRECT_COUNT", CURLINFO_REDIRECT_COUNT, true },
		{ "HEADER_SIZE", CURLINFO_HEADER_SIZE, true },
		{ "REQUEST_SIZE", CURLINFO_REQUEST_SIZE, true },
		{ "SSL_VERIFYRESULT", CURLINFO_SSL_VERIFYRESULT, true },
		{ "PROXY_SSL_VERIFYRESULT", CURLINFO_PROXY_SSL_VERIFYRESULT, true },
		{ "HTTPAUTH_AVAIL", CURLINFO_HTTPAUTH_AVAIL, true },
		{ "PROXYAUTH_AVAIL", CURLINFO_PROXYAUTH_AVAIL, true },
		{ "CONDITION_UNMET", CURLINFO_CONDITION_UNMET, true },
		{ "PROXY_ERROR", CURLINFO_PROXY_ERROR, true },
		{ "OS_ERRNO", CURLINFO_OS_ERRNO, false },
		{ "NUM_CONNECTS", CURLINFO_NUM_CONNECTS, false },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		long value = -99;

		if (!all && !table[i].steady)
			continue;
		(void)curl_easy_getinfo(easy, table[i].info, &value);
		(void)fprintf(stderr, "info %s %ld\n", table[i].name, value);
	}
}

static void put_offsets(CURL *easy)
{
	static const struct {
		const char *name;
		CURLINFO info, old;
	} table[] = {
		{ "SIZE_DOWNLOAD", CURLINFO_SIZE_DOWNLOAD_T, CURLINFO_SIZE_DOWNLOAD },
		{ "SIZE_UPLOAD", CURLINFO_SIZE_UPLOAD_T, CURLINFO_SIZE_UPLOAD },
		{ "CONTENT_LENGTH_DOWNLOAD", CURLINFO_CONTENT_LENGTH_DOWNLOAD_T,
		  CURLINFO_CONTENT_LENGTH_DOWNLOAD },
		{ "CONTENT_LENGTH_UPLOAD", CURLINFO_CONTENT_LENGTH_UPLOAD_T,
		  CURLINFO_CONTENT_LENGTH_UPLOAD },
		{ "FILETIME", CURLINFO_FILETIME_T, 0 },
		{ "RETRY_AFTER", CURLINFO_RETRY_AFTER, 0 },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		curl_off_t value = -99;
		double old = -99;

		(void)curl_easy_getinfo(easy, table[i].info, &value);
		if (table[i].old)
			(void)curl_easy_getinfo(easy, table[i].old, &old);
		(void)fprintf(stderr, "info %s %lld %.0f\n", table[i].name, (long long)value, old);
	}
}

/* Servers get another port in each run: only what follows it counts. */
static const char *without_port(const char *text)
{
	const char *host = strstr(text, "127.0.0.1:");

	return host ? host + strcspn(host, "/") : text;
}

static void put_strings(CURL *easy)
{
	static const struct {
		const char *name;
		CURLINFO info;
	} table[] = {
		{ "CONTENT_TYPE", CURLINFO_CONTENT_TYPE },
		{ "EFFECTIVE_URL", CURLINFO_EFFECTIVE_URL },
		{ "EFFECTIVE_METHOD", CURLINFO_EFFECTIVE_METHOD },
		{ "REDIRECT_URL", CURLINFO_REDIRECT_URL },
		{ "PRIMARY_IP", CURLINFO_PRIMARY_IP },
		{ "REFERER", CURLINFO_REFERER },
		{ "SCHEME", CURLINFO_SCHEME },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		const char *text = NULL;

		(void)curl_easy_getinfo(easy, table[i].info, &text);
		(void)fprintf(stderr, "info %s %s\n", table[i].name,
			      text ? without_port(text) : "(null)");
	}
}

static void put_headers(CURL *easy, int request)
{
	const unsigned int any = CURLH_HEADER | CURLH_TRAILER | CURLH_CONNECT | CURLH_1XX;
	struct curl_header *header = NULL, *named;

	while ((header = curl_easy_nextheader(easy, any, request, header)) != NULL) {
		int code = (int)curl_easy_header(easy, header->name, header->index, CURLH_HEADER,
						 request, &named);

		(void)fprintf(stderr, "stored %d %u %zu of %zu %s: %s\n", request, header->origin,
			      header->index, header->amount, header->name, header->value);
		(void)fprintf(stderr, "stored by name %d %s\n", code,
			      code == 0 ? named->value : "");
	}
	for (int i = 0; i < 2; i++)
		(void)fprintf(stderr, "stored by another name %d\n",
			      (int)curl_easy_header(easy, i ? "ETag" : "X-None", i ? 9 : 0, any,
						    request, &named));
}

void trace_info(CURL *easy, bool all)
{
	put_longs(easy, all);
	put_offsets(easy);
	put_strings(easy);
	for (int request = -1; request < 3; request++)
		put_headers(easy, request);
}

void trace_result(CURLcode result, const char *error_buffer)
{
	(void)fprintf(stderr, "result %d %s\nerror %s\n", (int)result, curl_easy_strerror(result),
		      error_buffer);
}

static const char *next_line(const char *line)
{
	line += strcspn(line, "\n");
	return *line ? line + 1 : line;
}

static bool begins_with_one(const char *line, const char *words)
{
	while (words) {
		size_t len = strcspn(words, "|");

		if (strncmp(line, words, len) == 0)
			return true;
		words = words[len] ? words + len + 1 : NULL;
	}
	return false;
}

static const char *skip_apart(const char *line, const char *apart)
{
	while (*line && begins_with_one(line, apart))
		line = next_line(line);
	return line;
}

bool trace_differs(const char *got, const char *wanted, const char *apart,
		   struct trace_difference *at)
{
	for (;;) {
		got = skip_apart(got, apart);
		wanted = skip_apart(wanted, apart);
		if (!*wanted || strncmp(got, wanted, strcspn(wanted, "\n") + 1) != 0)
			break;
		got = next_line(got);
		wanted = next_line(wanted);
	}
	*at = (struct trace_difference){
		.got = got,
		.got_len = (int)strcspn(got, "\n"),
		.wanted = wanted,
		.wanted_len = (int)strcspn(wanted, "\n"),
	};
	return *got || *wanted;
}
