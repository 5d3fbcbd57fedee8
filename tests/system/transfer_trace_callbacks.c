/*
 * The callbacks of transfer-trace: they write down what they get, and one of them does what it was
 * told to, once.
 */
#include <stdio.h>
#include <string.h>

#include "transfer_trace.h"

static const char *name_of(const void *data)
{
	if (data == tracing.write_data)
		return "to-write-data";
	if (data == tracing.header_data)
		return "to-header-data";
	return data == stdout ? "to-stdout" : data ? "to-elsewhere" : "to-null";
}

static size_t plain_write(char *bytes, size_t size, size_t count, void *data)
{
	trace_body(&tracing.run, "write", name_of(data), bytes, size * count);
	return size * count;
}

static size_t other_write(char *bytes, size_t size, size_t count, void *data)
{
	trace_body(&tracing.run, "other-write", name_of(data), bytes, size * count);
	return size * count;
}

static size_t ignore(char *bytes, size_t size, size_t count, void *data)
{
	(void)bytes;
	(void)data;
	return size * count;
}

static void nest(void)
{
	CURL *inner = curl_easy_init();
	long status = 0;

	(void)curl_easy_setopt(inner, CURLOPT_URL, tracing.nested);
	(void)curl_easy_setopt(inner, CURLOPT_WRITEFUNCTION, ignore);
	(void)fprintf(stderr, "nested %d", (int)curl_easy_perform(inner));
	(void)curl_easy_getinfo(inner, CURLINFO_RESPONSE_CODE, &status);
	(void)fprintf(stderr, " %ld\n", status);
	curl_easy_cleanup(inner);
}

/* The copy has the program's own options, whatever is in force for the transfer. */
static void duplicate(void)
{
	CURL *copy = curl_easy_duphandle(tracing.easy);

	(void)curl_easy_setopt(copy, CURLOPT_NOPROGRESS, 1L);
	if (tracing.nested)
		(void)curl_easy_setopt(copy, CURLOPT_URL, tracing.nested);
	if (tracing.later > 0) {
		(void)curl_easy_setopt(copy, CURLOPT_WRITEFUNCTION, ignore);
		(void)curl_easy_setopt(copy, CURLOPT_HEADERFUNCTION, ignore);
	}
	(void)fprintf(stderr, "duplicate %d\n", (int)curl_easy_perform(copy));
	curl_easy_cleanup(copy);
}

static void inform(void)
{
	curl_off_t length = -99;
	long status = -99;

	(void)curl_easy_getinfo(tracing.easy, CURLINFO_RESPONSE_CODE, &status);
	(void)curl_easy_getinfo(tracing.easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
	(void)fprintf(stderr, "inside %ld %lld\n", status, (long long)length);
}

static void set_options(void)
{
	(void)curl_easy_setopt(tracing.easy, CURLOPT_WRITEFUNCTION, other_write);
	(void)curl_easy_setopt(tracing.easy, CURLOPT_WRITEDATA, tracing.header_data);
	(void)curl_easy_setopt(tracing.easy, CURLOPT_HEADERDATA, tracing.write_data);
	(void)curl_easy_setopt(tracing.easy, CURLOPT_USERAGENT, "set-inside");
}

/* What the callback is to return in place of `len`. */
static size_t act(const char *callback, size_t len)
{
	size_t at_len = strlen(callback);

	if (tracing.acted || !tracing.at || strncmp(tracing.at, callback, at_len) != 0 ||
	    tracing.at[at_len] != ':')
		return len;
	tracing.acted = true;
	if (strcmp(callback, "later") != 0)
		trace_flush(&tracing.run);
	(void)fprintf(stderr, "%s %s\n", callback, tracing.action);
	if (strcmp(tracing.action, "pause") == 0) {
		tracing.paused = true;
		return CURL_WRITEFUNC_PAUSE;
	}
	if (strcmp(tracing.action, "halt") == 0)
		return CURL_WRITEFUNC_PAUSE;
	if (strcmp(tracing.action, "short") == 0)
		return len - 1;
	if (strcmp(tracing.action, "abort") == 0)
		return CURL_READFUNC_ABORT;
	if (strcmp(tracing.action, "info") == 0)
		inform();
	else if (strcmp(tracing.action, "set") == 0)
		set_options();
	else if (strcmp(tracing.action, "nest") == 0)
		nest();
	else if (strcmp(tracing.action, "dup") == 0)
		duplicate();
	return len;
}

size_t trace_on_write(char *bytes, size_t size, size_t count, void *data)
{
	size_t len = size * count;
	bool is_later = tracing.later > 0 && tracing.received >= tracing.later;
	size_t answer = act(is_later ? "later" : "write", len);

	if (answer != len)
		return answer;
	tracing.received += len;
	return plain_write(bytes, size, count, data);
}

/* After the line that is next. */
static void once_more(void)
{
	tracing.later += tracing.again;
	tracing.again = 0;
	tracing.acted = false;
}

/* Of the response that the line is of. At its end only, where the whole of it counts. */
static void tell(bool ends)
{
	const char *url = "", *type = NULL;
	long numbers[3] = { -99, -99, -99 };
	struct curl_header *found = NULL;

	(void)curl_easy_getinfo(tracing.easy, CURLINFO_RESPONSE_CODE, &numbers[0]);
	(void)curl_easy_getinfo(tracing.easy, CURLINFO_HTTP_CONNECTCODE, &numbers[1]);
	(void)curl_easy_getinfo(tracing.easy, CURLINFO_REDIRECT_COUNT, &numbers[2]);
	(void)curl_easy_getinfo(tracing.easy, CURLINFO_EFFECTIVE_URL, &url);
	if (numbers[0] / 100 == 1)
		tracing.early_url = url;
	if (ends) {
		(void)curl_easy_getinfo(tracing.easy, CURLINFO_CONTENT_TYPE, &type);
		if (curl_easy_header(tracing.easy, "X-Of", 0, CURLH_HEADER, -1, &found) !=
		    CURLHE_OK)
			found = NULL;
	}
	(void)fprintf(stderr, "told %ld %ld %ld %s %s %s\n", numbers[0], numbers[1], numbers[2],
		      strrchr(url, '/'), type ? type : "-", found ? found->value : "-");
}

size_t trace_on_header(char *bytes, size_t size, size_t count, void *data)
{
	size_t len = size * count;
	bool is_later = tracing.later > 0 && tracing.lines >= tracing.later;
	size_t answer = act(is_later ? "line" : "header", len);

	if (answer == len)
		tracing.lines += len;
	else if (tracing.again > 0)
		once_more();
	trace_flush(&tracing.run);
	if (answer == len)
		trace_header("header", name_of(data), bytes, len);
	if (tracing.told)
		tell(len == 2);
	return answer;
}

int trace_on_progress(void *data, curl_off_t dltotal, curl_off_t dlnow, curl_off_t ultotal,
		      curl_off_t ulnow)
{
	const curl_off_t now[4] = { dltotal, dlnow, ultotal, ulnow };

	if (data != &tracing.progress)
		(void)fprintf(stderr, "progress: another pointer\n");
	memcpy(tracing.progress, now, sizeof(now));
	for (int i = 0; i < 2; i++) {
		if (tracing.most[i] < now[i])
			tracing.most[i] = now[i];
	}
	if (tracing.paused) {
		tracing.paused = false;
		(void)curl_easy_pause(tracing.easy, CURLPAUSE_CONT);
	}
	return act("progress", 0) != 0;
}

size_t trace_on_read(char *bytes, size_t size, size_t count, void *data)
{
	size_t left = tracing.upload_len - tracing.uploaded;
	size_t len = left < size * count ? left : size * count;
	size_t answer = act("read", len);

	if (data != &tracing.upload)
		(void)fprintf(stderr, "read: another pointer\n");
	if (answer != len)
		return answer;
	memcpy(bytes, tracing.upload + tracing.uploaded, len);
	tracing.uploaded += len;
	return len;
}

int trace_on_trailers(struct curl_slist **list, void *data)
{
	(void)data;
	(void)fprintf(stderr, "trailers\n");
	*list = curl_slist_append(NULL, "X-Trailer: one");
	return *list ? CURL_TRAILERFUNC_OK : CURL_TRAILERFUNC_ABORT;
}

int trace_on_seek(void *data, curl_off_t offset, int whence)
{
	if (data != &tracing.upload || whence != SEEK_SET ||
	    offset > (curl_off_t)tracing.upload_len)
		return CURL_SEEKFUNC_FAIL;
	tracing.uploaded = (size_t)offset;
	return CURL_SEEKFUNC_OK;
}
