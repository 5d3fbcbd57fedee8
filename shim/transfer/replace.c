/*
 * The options that are other ones while attempts run, and what becomes of them after.
 */
#include <limits.h>

#include "retry/ns.h"
#include "transfer/exchange.h"
#include "transfer/stand_in.h"

bool rs_transfer_owns(const struct rs_exchange *x, CURLoption option)
{
	switch (option) {
	case CURLOPT_READFUNCTION:
	case CURLOPT_READDATA:
		return x->streams_up;
	case CURLOPT_SEEKFUNCTION:
	case CURLOPT_SEEKDATA:
		return x->streams_up && x->watches_seek;
	case CURLOPT_XFERINFOFUNCTION:
		return x->watches_progress || x->handle->progress_stands;
	case CURLOPT_XFERINFODATA:
		return x->brings_progress;
	case CURLOPT_HEADERFUNCTION:
	case CURLOPT_HEADERDATA:
		return x->header_way == RS_HEADERS_SEEN;
	case CURLOPT_WRITEFUNCTION:
	case CURLOPT_WRITEDATA:
	case CURLOPT_FAILONERROR:
		return true;
	case CURLOPT_HEADER:
		return !x->leaves_header;
	default:
		return rs_refusal_owns(x, option) || rs_fault_owns(x, option);
	}
}

static void restore_upload(const struct rs_exchange *x, CURL *easy)
{
	const struct rs_options *o = &x->handle->options;
	CURLcode (*set)(CURL *, CURLoption, ...) = x->handle->api->easy_setopt;

	set(easy, CURLOPT_READFUNCTION, o->read_fn);
	set(easy, CURLOPT_READDATA, o->read_data);
	if (x->watches_seek) {
		set(easy, CURLOPT_SEEKFUNCTION, o->seek_fn);
		set(easy, CURLOPT_SEEKDATA, o->seek_data);
	}
}

/* Ours stays in the handle itself, where it stands in for one of the program's. */
static inline void restore_headers(const struct rs_exchange *x, CURL *easy)
{
	struct rs_handle *handle = x->handle;
	const struct rs_options *o = &handle->options;
	CURLcode (*set)(CURL *, CURLoption, ...) = handle->api->easy_setopt;

	if (easy == handle->easy) {
		if (handle->header_stands && o->header_fn)
			return;
		handle->header_stands = false;
	}
	set(easy, CURLOPT_HEADERFUNCTION, o->header_fn);
	if (!x->alone)
		set(easy, CURLOPT_HEADERDATA, o->header_data);
}

static void restore_limits(const struct rs_exchange *x, CURL *easy)
{
	CURLcode (*set)(CURL *, CURLoption, ...) = x->handle->api->easy_setopt;
	const struct rs_options *o = &x->handle->options;

	if (x->limits.attempt)
		set(easy, CURLOPT_TIMEOUT_MS, o->timeout_ms);
	if (x->limits.connect)
		set(easy, CURLOPT_CONNECTTIMEOUT_MS, o->connect_timeout_ms);
	if (x->limits.fresh)
		set(easy, CURLOPT_FRESH_CONNECT, o->fresh_connect);
}

__attribute__((noinline)) static void restore_more(const struct rs_exchange *x, CURL *easy)
{
	const struct rs_options *o = &x->handle->options;
	CURLcode (*set)(CURL *, CURLoption, ...) = x->handle->api->easy_setopt;

	if (!x->alone)
		set(easy, CURLOPT_WRITEDATA, o->write_data);
	if (o->include_header)
		set(easy, CURLOPT_HEADER, o->include_header);
	if (o->fail_on_error || x->native_fail)
		set(easy, CURLOPT_FAILONERROR, o->fail_on_error);
	if (x->streams_up)
		restore_upload(x, easy);
	if (x->resume.continuing)
		rs_resume_restore(x, easy);
	rs_progress_restore(x, easy);
	restore_limits(x, easy);
	rs_refusal_restore(x, easy);
	rs_amended_restore(x, easy);
	rs_fault_restore(x, easy);
}

void rs_transfer_restore(const struct rs_exchange *x, CURL *easy)
{
	if (x->replaced_more)
		restore_more(x, easy);
	if (x->header_way == RS_HEADERS_SEEN)
		restore_headers(x, easy);
	if (easy != x->handle->easy || !x->handle->body_stands)
		x->handle->api->easy_setopt(easy, CURLOPT_WRITEFUNCTION,
					    x->handle->options.write_fn);
}

static void take_seeks(struct rs_exchange *x)
{
	CURLcode (*set)(CURL *, CURLoption, ...) = x->handle->api->easy_setopt;

	set(x->handle->easy, CURLOPT_SEEKFUNCTION, rs_upload_seek);
	set(x->handle->easy, CURLOPT_SEEKDATA, &x->upload);
}

/* libcurl seeks by itself where the reader is its own; it must not do so on our user pointer. */
static void replace_upload(struct rs_exchange *x)
{
	CURLcode (*set)(CURL *, CURLoption, ...) = x->handle->api->easy_setopt;
	CURL *easy = x->handle->easy;

	set(easy, CURLOPT_READFUNCTION, rs_upload_read);
	set(easy, CURLOPT_READDATA, &x->upload);
	if (x->watches_seek)
		take_seeks(x);
}

void rs_transfer_repeat_upload(struct rs_exchange *x)
{
	rs_upload_repeat(&x->upload);
	if (!x->watches_seek)
		take_seeks(x);
	x->watches_seek = true;
}

__attribute__((noinline)) static void see_headers(struct rs_exchange *x)
{
	CURLcode (*set)(CURL *, CURLoption, ...) = x->handle->api->easy_setopt;

	x->header_way = RS_HEADERS_SEEN;
	x->handle->lines_flow = false;
	if (rs_stand_in_for_headers(x->handle))
		return;
	set(x->handle->easy, CURLOPT_HEADERFUNCTION,
	    x->alone ? rs_response_header_here : rs_response_header);
	if (!x->alone)
		set(x->handle->easy, CURLOPT_HEADERDATA, x);
}

/* Where only a pointer is set for headers, libcurl gives it to the body callback: that is ours. */
void rs_transfer_mind_headers(struct rs_exchange *x)
{
	const struct rs_options *o = &x->handle->options;

	x->handle->flows = x->handle->lines_flow = false; /* to be found out anew */
	if (x->header_way != RS_HEADERS_SEEN && o->header_data && !o->header_fn)
		see_headers(x);
}

/* The program has got another use for them than before. */
static void see_no_headers(struct rs_exchange *x)
{
	restore_headers(x, x->handle->easy);
	x->header_way = RS_HEADERS_ASKED;
}

void rs_transfer_choose_headers(struct rs_exchange *x)
{
	bool can_ask = !x->resume.continuing && rs_transfer_can_ask(x->handle);
	bool seen = x->header_way == RS_HEADERS_SEEN;

	if (can_ask == !seen)
		return;
	if (seen)
		see_no_headers(x);
	else
		see_headers(x);
}

void rs_transfer_replace_more(struct rs_exchange *x)
{
	const struct rs_options *o = &x->handle->options;
	CURLcode (*set)(CURL *, CURLoption, ...) = x->handle->api->easy_setopt;
	CURL *easy = x->handle->easy;

	x->replaced_more = true;
	x->leaves_header = o->include_header && !rs_exchange_may_speak_http(x);
	if (o->include_header && !x->leaves_header)
		set(easy, CURLOPT_HEADER, 0L);
	if (o->fail_on_error)
		set(easy, CURLOPT_FAILONERROR, 0L);
	if (x->streams_up)
		replace_upload(x);
	rs_refusal_watch(x);
}

void rs_transfer_divert_body(struct rs_exchange *x, curl_write_callback with_exchange,
			     curl_write_callback here)
{
	CURLcode (*set)(CURL *, CURLoption, ...) = x->handle->api->easy_setopt;

	x->handle->body_stands = false;
	set(x->handle->easy, CURLOPT_WRITEFUNCTION, x->alone ? here : with_exchange);
	if (x->alone)
		return;
	set(x->handle->easy, CURLOPT_WRITEDATA, x);
	x->replaced_more = true;
}

/* Where the body was diverted before, the user pointer is still that of another function. */
void rs_transfer_take_body(struct rs_exchange *x)
{
	const struct rs_handle *handle = x->handle;
	bool stands = handle->body_stands;

	if (!rs_stand_in_for_body(x->handle))
		rs_transfer_divert_body(x, rs_response_body, rs_response_body_here);
	else if (!stands && !x->alone)
		handle->api->easy_setopt(handle->easy, CURLOPT_WRITEDATA,
					 handle->options.write_data);
}

static long in_ms(int64_t ns)
{
	int64_t ms = (ns + RS_NS_PER_MS - 1) / RS_NS_PER_MS;

	return ms < LONG_MAX ? (long)ms : LONG_MAX;
}

/* A limit of ours where the program has none. 0 is none to libcurl, too. */
static void limit(struct rs_exchange *x, CURLoption option, int64_t limit_ns, long own, bool *set)
{
	bool wanted = limit_ns != RS_FOREVER && own == 0;

	if (wanted || *set)
		x->handle->api->easy_setopt(x->handle->easy, option, wanted ? in_ms(limit_ns) : 0L);
	*set = wanted;
}

/* libcurl keeps a connection whose HTTP/2 frames have gone wrong, and would go wrong on it again;
 * newer ones likewise one to an FTP server that has hung up, or gave no data connection. */
static bool is_spoilt(const struct rs_exchange *x)
{
	int error = x->outcome.error;

	return error == CURLE_HTTP2 ||
	       (x->talks && (error == CURLE_RECV_ERROR || error == CURLE_COULDNT_CONNECT));
}

static bool wants_fresh(const struct rs_exchange *x, const struct rs_policy *policy)
{
	return x->call.attempts > 0 && (policy->fresh_connection || is_spoilt(x));
}

void rs_transfer_limit(struct rs_exchange *x, const struct rs_policy *policy)
{
	const struct rs_options *o = &x->handle->options;
	bool fresh = wants_fresh(x, policy);

	x->replaced_more = true;
	limit(x, CURLOPT_TIMEOUT_MS, policy->attempt_timeout_ns, o->timeout_ms, &x->limits.attempt);
	x->limits.attempt_ns = policy->attempt_timeout_ns;
	limit(x, CURLOPT_CONNECTTIMEOUT_MS, policy->connect_timeout_ns, o->connect_timeout_ms,
	      &x->limits.connect);
	if (fresh || x->limits.fresh)
		x->handle->api->easy_setopt(x->handle->easy, CURLOPT_FRESH_CONNECT,
					    fresh ? 1L : o->fresh_connect);
	x->limits.fresh = fresh;
}
