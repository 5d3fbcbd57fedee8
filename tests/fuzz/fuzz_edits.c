/*
 * What a recover command prints, byte for byte as it comes out of a pipe. It is taken apart whole
 * or refused; no edit carries what would end a header line; the request that follows is the
 * program's but for what was asked; and the values of headers and the secrets of URLs are never
 * shown.
 */
#include <stdarg.h>
#include <strings.h>

#include "fuzz.h"
#include "transfer/exchange.h"

#define HEADERS 8
#define ROUNDS  3
#define KEPT    (HEADERS + ROUNDS * RS_EDITS_MAX)
#define SECRET  "S3CR3T"

/* The libcurl: what was set last. */
static struct {
	const struct curl_slist *headers;
	const char *url;
	long port;
	CURLU *curlu;
} set;

static CURLcode fake_setopt(CURL *easy, CURLoption option, ...)
{
	va_list args;

	(void)easy;
	va_start(args, option);
	if (option == CURLOPT_HTTPHEADER)
		set.headers = va_arg(args, const struct curl_slist *);
	else if (option == CURLOPT_URL)
		set.url = va_arg(args, const char *);
	else if (option == CURLOPT_PORT)
		set.port = va_arg(args, long);
	else if (option == CURLOPT_CURLU)
		set.curlu = va_arg(args, CURLU *);
	else
		abort(); /* it has no business with any other */
	va_end(args);
	return CURLE_OK;
}

static const struct rs_curl_api api = { .easy_setopt = fake_setopt };

/* ---- the request as it should be ---- */

struct wanted {
	char *headers[KEPT];
	size_t count;
	char *url;
};

static bool same_name(const char *a, const char *b)
{
	size_t len = strcspn(a, ":;");

	return len == strcspn(b, ":;") && strncasecmp(a, b, len) == 0;
}

static void drop_header(struct wanted *wanted, const char *name)
{
	size_t kept = 0;

	for (size_t i = 0; i < wanted->count; i++) {
		if (same_name(wanted->headers[i], name))
			free(wanted->headers[i]);
		else
			wanted->headers[kept++] = wanted->headers[i];
	}
	wanted->count = kept;
}

static void apply(struct wanted *wanted, const struct rs_edit *edit)
{
	size_t name = strcspn(edit->text, ":");
	const char *value = edit->text[name] ? edit->text + name + 1 : "";
	bool empty = !value[strspn(value, " \t")];
	char *text = malloc(strlen(edit->text) + 2);

	MUST(text);
	memcpy(text, edit->text, strlen(edit->text) + 1);
	if (edit->kind == RS_EDIT_SET_URL) {
		free(wanted->url);
		wanted->url = text;
		return;
	}
	drop_header(wanted, edit->text);
	if (edit->kind == RS_EDIT_REMOVE_HEADER)
		memcpy(text + name, ":", 2);
	else if (empty)
		memcpy(text + name, ";", 2);
	wanted->headers[wanted->count++] = text;
}

static void forget(struct wanted *wanted)
{
	while (wanted->count > 0)
		free(wanted->headers[--wanted->count]);
	free(wanted->url);
}

static void check_request(const struct wanted *wanted)
{
	const struct curl_slist *at = set.headers;

	for (size_t i = 0; i < wanted->count; i++, at = at->next)
		MUST(at && strcmp(at->data, wanted->headers[i]) == 0);
	MUST(at == NULL);
	if (wanted->url)
		MUST(strcmp(set.url, wanted->url) == 0 && set.port == 0 && !set.curlu);
}

/* ---- the edits by themselves ---- */

static void check_edit(const struct rs_edit *edit)
{
	size_t name = strcspn(edit->text, ":");

	for (const char *at = edit->text; *at; at++)
		MUST((unsigned char)*at >= ' ' || *at == '\t');
	MUST(edit->text[0]);
	if (edit->kind == RS_EDIT_SET_HEADER)
		MUST(name > 0 && edit->text[name] == ':' && !memchr(edit->text, ' ', name));
	if (edit->kind == RS_EDIT_REMOVE_HEADER)
		MUST(!strpbrk(edit->text, ":; \t"));
	if (edit->kind == RS_EDIT_SET_URL)
		MUST(!strpbrk(edit->text, " \t"));
}

static const char *shown_of(struct rs_span text)
{
	static char buf[4097];
	struct rs_line line = { .text = buf, .size = sizeof(buf) - 1 };

	rs_edits_show(text, &line);
	MUST(line.len < sizeof(buf));
	buf[line.len] = '\0';
	return buf;
}

static void check_shown(struct rs_span text)
{
	const char *line = shown_of(text);

	while (*line) {
		size_t len = strcspn(line, "\n");

		if (strncmp(line, "set-header ", 11) == 0)
			MUST(!memchr(line, ':', len));
		if (strncmp(line, "set-url ", 8) == 0)
			MUST(!memchr(line, '?', len) && !memchr(line, '#', len));
		line += len + (line[len] == '\n');
	}
}

/* Letters, what else may stand in a name, a password, a query, and what may not. */
static size_t put_filler(struct input *in, char *to)
{
	static const char letters[] = "abcdefgh:.%-_~0123456789ABCXYZ!$ \t\r\0\1\177\377";
	size_t len = (size_t)take_byte(in) * (1 + take_byte(in) % 16);
	unsigned from = take_byte(in);

	for (size_t i = 0; i < len; i++)
		to[i] = letters[(from + i * (from % 7 + 1)) % (sizeof(letters) - 1)];
	return len;
}

/* Wherever the secret stands, and however much stands around it. */
static void check_secret(struct input *in)
{
	static const struct {
		char before[24], after[24];
	} frames[] = {
		{ "set-header X: ", "" },
		{ "set-url http://me:", "@host/path" },
		{ "set-url http://", "@host/path" },
		{ "set-url http://host/p?", "" },
		{ "set-url http://host/p#", "" },
		{ "set-url me:", "@host/path" },
	};
	static char text[4 * 4096];
	size_t len = 0, which = take_byte(in) % (sizeof(frames) / sizeof(frames[0]));

	len = (size_t)snprintf(text, sizeof(text), "%s", frames[which].before);
	len += put_filler(in, text + len);
	len += (size_t)snprintf(text + len, sizeof(text) - len, SECRET);
	len += put_filler(in, text + len);
	len += (size_t)snprintf(text + len, sizeof(text) - len, "%s", frames[which].after);
	MUST(!strstr(shown_of((struct rs_span){ text, len }), SECRET));
}

/* ---- a call ---- */

/* The program's own header lines; as many as there are, up to an empty one. */
static struct curl_slist *take_headers(struct input *in, struct wanted *wanted)
{
	struct curl_slist *list = NULL;

	while (wanted->count < HEADERS) {
		char *line = text_copy(take_until(in, '\n'));

		if (!*line) {
			free(line);
			break;
		}
		list = curl_slist_append(list, line);
		wanted->headers[wanted->count++] = line;
	}
	return list;
}

/* One run of the command. Edits point into its output, which is gone when the next one comes. */
static bool recover(struct rs_exchange *x, struct rs_span output, struct wanted *wanted)
{
	char *text = text_copy(output);
	struct rs_edits edits;
	int bad;

	check_shown((struct rs_span){ text, output.len });
	bad = rs_edits_parse(text, output.len, &edits);
	MUST(bad >= 0 && (size_t)bad <= output.len + 1 && edits.count <= RS_EDITS_MAX);
	for (size_t i = 0; i < edits.count; i++)
		check_edit(&edits.at[i]);
	if (!bad) {
		for (size_t i = 0; i < edits.count; i++)
			apply(wanted, &edits.at[i]);
		MUST(rs_amend(x, &edits));
	}
	free(text);
	if (!bad)
		check_request(wanted);
	return !bad;
}

static void call(struct input *in)
{
	struct rs_handle *handle = calloc(1, sizeof(*handle));
	struct rs_exchange *x = calloc(1, sizeof(*x));
	struct wanted wanted = { .count = 0 };
	struct curl_slist *own = take_headers(in, &wanted);
	char url[] = "http://example.org/";

	MUST(handle && x);
	handle->api = &api;
	handle->options.header_list = own;
	handle->options.url.text = url;
	handle->options.port = 8080;
	x->handle = handle;
	memset(&set, 0, sizeof(set));
	set.headers = own;
	set.url = url;
	set.port = 8080;
	for (int round = 0; round < ROUNDS && in->left; round++) {
		if (!recover(x, take_until(in, '\f'), &wanted))
			break;
	}
	rs_amended_restore(x, NULL);
	MUST(set.headers == own && set.url == url && set.port == 8080);
	rs_amended_end(&x->amended);
	forget(&wanted);
	curl_slist_free_all(own);
	free(x);
	free(handle);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = input_of(data, size);

	if (take_byte(&in) & 1)
		check_secret(&in);
	else
		call(&in);
	return 0;
}
