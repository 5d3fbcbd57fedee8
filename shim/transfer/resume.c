#include "transfer/resume.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "process.h"
#include "retry/ascii.h"
#include "transfer/exchange.h"
#include "transfer/kept_headers.h"
#include "transfer/progress.h"
#include "transfer/status_line.h"

static bool is_header(const char *line, const char *name)
{
	size_t len = strlen(name);

	return strnlen(line, len) == len && rs_ascii_same(line, name, len);
}

static bool has_header(const struct curl_slist *line, const char *name)
{
	for (; line; line = line->next) {
		if (is_header(line->data, name))
			return true;
	}
	return false;
}

static bool is_plain_get(const struct rs_options *o)
{
	return o->kind == RS_REQUEST_GET &&
	       (!o->custom_request.text || strcmp(o->custom_request.text, "GET") == 0);
}

/* A request whose answer could be continued. Where that changes meanwhile, the call is `altered`.
 */
static bool is_resumable(const struct rs_options *o)
{
	return is_plain_get(o) && !o->range.lost && !o->keeps_chunks;
}

static struct rs_entity *entity_of(struct rs_exchange *x)
{
	return x->resume.continuing ? &x->resume.part : &x->resume.original;
}

/* libcurl keeps a response's headers, and tells the first one's when they are needed. */
bool rs_resume_notes_lines(const struct rs_exchange *x)
{
	return x->resume.continuing ||
	       (!x->handle->api->easy_header && is_resumable(&x->handle->options));
}

void rs_resume_block(struct rs_exchange *x)
{
	if (rs_resume_notes_lines(x))
		rs_entity_clear(entity_of(x));
}

void rs_resume_lines(struct rs_exchange *x, const char *lines, size_t len)
{
	if (!rs_resume_notes_lines(x))
		return;
	for (size_t done = 0, next; done < len; done += next) {
		next = rs_line_len(lines + done, len - done);
		rs_entity_note(entity_of(x), lines + done, next);
	}
}

static void ask_libcurl(struct rs_exchange *x)
{
	static const char names[][20] = { "ETag",          "Last-Modified",  "Date",
					  "Content-Range", "Content-Length", "Content-Encoding" };
	struct curl_header *header;
	char line[256];

	rs_entity_clear(&x->resume.original);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (x->handle->api->easy_header(x->handle->easy, names[i], 0, CURLH_HEADER, -1,
						&header) != CURLHE_OK)
			continue;
		snprintf(line, sizeof(line), "%s: %s", names[i], header->value);
		rs_entity_note(&x->resume.original, line, strlen(line));
	}
}

/* All headers of the first response have come: the program could not be given the rest. */
static bool has_all_headers(const struct rs_exchange *x)
{
	return x->resume.got > 0 ||
	       (x->header_way == RS_HEADERS_SEEN && x->has_block && !x->in_headers);
}

/* What the first response carries, in bytes of the whole. */
static bool find_whole(struct rs_exchange *x, struct rs_byte_range *whole)
{
	if (x->status == 206)
		return rs_entity_range(&x->resume.original, whole);
	whole->first = 0;
	whole->total = x->resume.original.length;
	whole->last = whole->total == RS_UNKNOWN_LENGTH ? RS_UNKNOWN_LENGTH : whole->total - 1;
	return x->status == 200;
}

/* At the first byte of a body libcurl looks whether the part begins where CURLOPT_RESUME_FROM says,
 * and whether CURLOPT_TIMECONDITION lets it be read at all. It does neither where a Range is asked
 * for in another way, as for a continuation: only the first response can have passed that. */
static bool passes_libcurl(const struct rs_exchange *x, const struct rs_byte_range *whole)
{
	const struct rs_options *o = &x->handle->options;

	if (o->resume_from && (x->status != 206 || whole->first != o->resume_from))
		return false;
	return !o->time_condition || x->resume.got > 0;
}

/* libcurl counts its limit from a little before what it reports as the total time. */
#define LIMIT_SLACK_MS 10

/* A time limit of the program's own is its last word; a stall by its speed limit is not. */
static bool program_timed_out(struct rs_exchange *x, CURLcode result)
{
	long limit_ms = x->handle->options.timeout_ms;
	int64_t ours_ms;
	double took_s = 0;

	if (result != CURLE_OPERATION_TIMEDOUT || limit_ms == 0)
		return false;
	rs_exchange_time(x);
	ours_ms = (rs_now_ns() - x->attempt_ns) / RS_NS_PER_MS;
	x->handle->api->easy_getinfo(x->handle->easy, CURLINFO_TOTAL_TIME, &took_s);
	return ours_ms + LIMIT_SLACK_MS >= limit_ms ||
	       took_s * 1000 + LIMIT_SLACK_MS >= (double)limit_ms;
}

bool rs_resume_possible(struct rs_exchange *x, CURLcode result)
{
	struct rs_byte_range whole;

	if (x->resume.continuing)
		return true;
	if (!is_resumable(&x->handle->options) || x->altered || !rs_exchange_is_http(x) ||
	    !has_all_headers(x))
		return false;
	if (x->handle->api->easy_header)
		ask_libcurl(x);
	return !program_timed_out(x, result) && !x->resume.original.coded &&
	       !has_header(rs_amended_headers(x), "If-Range:") && find_whole(x, &whole) &&
	       passes_libcurl(x, &whole) &&
	       (whole.last == RS_UNKNOWN_LENGTH || whole.first + x->resume.got <= whole.last) &&
	       rs_entity_validator(&x->resume.original, rs_wall_now_ns() / RS_NS_PER_S).at;
}

/* Numbers that are the first response's. */
static const CURLINFO whole_numbers[RS_WHOLE_NUMBERS] = {
	CURLINFO_RESPONSE_CODE,   CURLINFO_HTTP_CONNECTCODE, CURLINFO_HTTP_VERSION,
	CURLINFO_HEADER_SIZE,     CURLINFO_REDIRECT_COUNT,   CURLINFO_HTTPAUTH_AVAIL,
	CURLINFO_PROXYAUTH_AVAIL, CURLINFO_CONDITION_UNMET,
};

void rs_resume_note_info(const struct rs_exchange *x, struct rs_whole_info *whole)
{
	CURLcode (*get)(CURL *, CURLINFO, ...) = x->handle->api->easy_getinfo;
	CURL *easy = x->handle->easy;
	const char *type = NULL;

	whole->valid = true;
	whole->is_glimpse = whole->trailed = false;
	whole->url = NULL;
	whole->request = RS_LAST_REQUEST;
	whole->size = 0;
	for (int i = 0; i < RS_WHOLE_NUMBERS; i++)
		get(easy, whole_numbers[i], &whole->numbers[i]);
	whole->length = RS_UNKNOWN_LENGTH;
	get(easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &whole->length);
	whole->filetime = -1;
	get(easy, CURLINFO_FILETIME_T, &whole->filetime);
	get(easy, CURLINFO_CONTENT_TYPE, &type);
	whole->has_type = !type || strlen(type) < sizeof(whole->type);
	whole->type[0] = '\0';
	if (type && whole->has_type)
		memcpy(whole->type, type, strlen(type) + 1);
}

/* libcurl's own. */
static const char *url_of(const struct rs_exchange *x)
{
	const char *url = NULL;

	x->handle->api->easy_getinfo(x->handle->easy, CURLINFO_EFFECTIVE_URL, &url);
	return url;
}

static char *copy_of(const char *text)
{
	return text ? strdup(text) : NULL;
}

void rs_resume_remember(struct rs_exchange *x)
{
	struct rs_resume *r = &x->resume;
	const struct rs_options *o = &x->handle->options;
	struct rs_span validator;

	r->rule = x->rule;
	if (r->continuing)
		return;
	r->continuing = true;
	r->broke =
		(struct rs_outcome){ .error = x->outcome.error, .sys_errno = x->outcome.sys_errno };
	r->status = x->status;
	rs_resume_note_info(x, &x->handle->whole);
	x->handle->whole.size = r->got;
	free(x->handle->whole_url);
	x->handle->whole.url = x->handle->whole_url = copy_of(url_of(x));
	free(x->handle->headers);
	x->handle->headers = rs_headers_keep(x->handle->api, x->handle->easy);
	find_whole(x, &r->whole);
	if (o->error_buffer)
		memcpy(r->error_text, o->error_buffer, CURL_ERROR_SIZE);
	validator = rs_entity_validator(&r->original, rs_wall_now_ns() / RS_NS_PER_S);
	snprintf(r->validator, sizeof(r->validator), "If-Range: %.*s", (int)validator.len,
		 validator.at);
}

/* "N-", or "N-M" where the first response was a part itself. */
static void write_range(const struct rs_resume *r, char *text, size_t size)
{
	long long from = r->whole.first + r->got;

	if (r->status == 206)
		snprintf(text, size, "%lld-%lld", from, (long long)r->whole.last);
	else
		snprintf(text, size, "%lld-", from);
}

/* Where the program says what it wants in a header, libcurl has no use for the option. If there is
 * no memory for another header the answer will not fit. */
static void ask_for_range(struct rs_exchange *x)
{
	char header[64] = "Range: bytes=";
	const struct rs_edits edits = { 1, { { RS_EDIT_SET_HEADER, header } } };
	char *range = header + strlen(header);

	write_range(&x->resume, range, sizeof(header) - strlen(header));
	if (has_header(rs_amended_headers(x), "Range:"))
		(void)rs_amend(x, &edits);
	else
		x->handle->api->easy_setopt(x->handle->easy, CURLOPT_RANGE, range);
	x->resume.header = (struct curl_slist){ x->resume.validator, rs_amended_headers(x) };
}

void rs_resume_ask(struct rs_exchange *x)
{
	const struct rs_options *o = &x->handle->options;
	CURLcode (*set)(CURL *, CURLoption, ...) = x->handle->api->easy_setopt;
	CURL *easy = x->handle->easy;

	ask_for_range(x);
	if (o->resume_from)
		set(easy, CURLOPT_RESUME_FROM_LARGE, (curl_off_t)0);
	set(easy, CURLOPT_HTTPHEADER, &x->resume.header);
	if (!x->watches_progress)
		rs_progress_take(x);
}

void rs_resume_restore(const struct rs_exchange *x, CURL *easy)
{
	const struct rs_options *o = &x->handle->options;
	CURLcode (*set)(CURL *, CURLoption, ...) = x->handle->api->easy_setopt;

	set(easy, CURLOPT_RANGE, o->range.text);
	if (o->resume_from)
		set(easy, CURLOPT_RESUME_FROM_LARGE, (curl_off_t)o->resume_from);
	set(easy, CURLOPT_HTTPHEADER, rs_amended_headers(x));
}

static bool agrees(int64_t known, int64_t said)
{
	return known == RS_UNKNOWN_LENGTH || said == RS_UNKNOWN_LENGTH || known == said;
}

/* A validator says nothing of another resource, to which a redirect may lead by now. */
static bool is_from_there(const struct rs_exchange *x)
{
	const char *url = url_of(x);

	return url && x->handle->whole_url && strcmp(url, x->handle->whole_url) == 0;
}

bool rs_resume_fits(struct rs_exchange *x)
{
	struct rs_resume *r = &x->resume;
	struct rs_byte_range part;

	if (x->status != 206 || r->part.coded || !rs_entity_confirms(&r->original, &r->part) ||
	    !is_from_there(x) || !rs_entity_range(&r->part, &part) ||
	    part.first != r->whole.first + r->got || !agrees(r->whole.last, part.last) ||
	    !agrees(r->whole.total, part.total))
		return false;
	if (r->whole.last != RS_UNKNOWN_LENGTH)
		return true;
	/* The first response did not know its length: the rest has to reach the end. */
	if (part.total == RS_UNKNOWN_LENGTH || part.last != part.total - 1)
		return false;
	r->whole.last = part.last;
	r->whole.total = part.total;
	return true;
}

bool rs_resume_complete(const struct rs_exchange *x)
{
	const struct rs_resume *r = &x->resume;

	return r->whole.last != RS_UNKNOWN_LENGTH && r->whole.first + r->got == r->whole.last + 1;
}

CURLcode rs_resume_error(struct rs_exchange *x)
{
	rs_transfer_error(x, x->resume.error_text);
	return (CURLcode)x->resume.broke.error;
}

static bool store_double(void *value, curl_off_t number)
{
	*(double *)value = (double)number;
	return true;
}

static bool store_off(void *value, curl_off_t number)
{
	*(curl_off_t *)value = number;
	return true;
}

static bool store_long(void *value, long number)
{
	*(long *)value = number;
	return true;
}

/* Then libcurl's own text is told, which lives longer than ours. */
static bool is_libcurls_url(const struct rs_handle *handle)
{
	const char *url = NULL;

	return handle->api->easy_getinfo(handle->easy, CURLINFO_EFFECTIVE_URL, &url) == CURLE_OK &&
	       url && strcmp(url, handle->whole.url) == 0;
}

bool rs_resume_info(const struct rs_handle *handle, CURLINFO info, void *value)
{
	const struct rs_whole_info *whole = &handle->whole;

	if (!whole->valid)
		return false;
	for (int i = 0; i < RS_WHOLE_NUMBERS; i++) {
		if (info == whole_numbers[i])
			return store_long(value, whole->numbers[i]);
	}
	switch ((int)info) {
	case CURLINFO_SIZE_DOWNLOAD_T:
		return store_off(value, whole->size);
	case CURLINFO_SIZE_DOWNLOAD:
		return store_double(value, whole->size);
	case CURLINFO_CONTENT_LENGTH_DOWNLOAD_T:
		return store_off(value, whole->length);
	case CURLINFO_CONTENT_LENGTH_DOWNLOAD:
		return store_double(value, whole->length);
	case CURLINFO_FILETIME:
		return store_long(value, whole->filetime);
	case CURLINFO_FILETIME_T:
		return store_off(value, whole->filetime);
	case CURLINFO_CONTENT_TYPE:
		if (whole->has_type)
			*(const char **)value = whole->type[0] ? whole->type : NULL;
		return whole->has_type;
	case CURLINFO_EFFECTIVE_URL:
		if (!whole->url || !handle->options.url_known || is_libcurls_url(handle))
			return false;
		*(const char **)value = whole->url;
		return true;
	case CURLINFO_REDIRECT_URL: /* which libcurl only knows of the last one */
		if (whole->is_glimpse)
			*(const char **)value = NULL;
		return whole->is_glimpse;
	default:
		return false;
	}
}
