#include <stdio.h>
#include <string.h>

#include "transfer/arrival.h"
#include "transfer/glimpse.h"
#include "transfer/status_line.h"

/* How much of a response that is to be dropped is still read, so that its connection can serve
 * the next attempt, before the transfer is broken off instead. */
#define DRAIN_LIMIT (1 << 20)

void rs_response_begin(struct rs_exchange *x)
{
	rs_hold_empty(&x->handle->hold);
	x->phase = RS_HOLDING;
	x->in_headers = x->has_block = x->talks = x->provisional = false;
	x->handle->flows = x->handle->lines_flow = false;
	x->status = 0;
	x->headers_at = x->body_at = x->body_len = x->header_pieces = 0;
	x->drained = 0;
	x->echoes = x->repeats = x->delivered = x->paused = x->halted = false;
	x->stopped = RS_NO_SINK;
	x->refused = CURLE_OK;
	x->rule = NULL;
	rs_progress_again(x);
}

static size_t hand_on(struct rs_exchange *x, enum rs_piece_kind kind, char *bytes, size_t len)
{
	size_t took = rs_hold_has_next(&x->handle->hold) ? rs_response_release(x, len) : len;

	return took == len ? rs_deliver(x, kind, bytes, len) : took;
}

/* Broken off: libcurl takes a short count as a write error, which perform.c knows is not one. */
static size_t drain(struct rs_exchange *x, size_t len)
{
	x->drained += len;
	return x->drained > DRAIN_LIMIT ? 0 : len;
}

/* CURLOPT_FAILONERROR: libcurl hands out the headers, and fails, also where the program has paused
 * at one of them: then it drops the rest. */
static size_t refuse(struct rs_exchange *x)
{
	rs_hold_truncate(&x->handle->hold, x->header_pieces);
	if (rs_response_release(x, 0) == CURL_WRITEFUNC_PAUSE)
		rs_hold_truncate(&x->handle->hold, 0);
	return 0;
}

/* The last line, where newer ones have looked by now: they would wait for a pause to end. */
static size_t refuse_line(struct rs_exchange *x, enum rs_piece_kind kind, char *bytes, size_t len)
{
	size_t took = hand_on(x, kind, bytes, len);

	if (took != CURL_WRITEFUNC_PAUSE || !rs_curl_refuses_early(x->handle->api))
		return took;
	rs_hold_truncate(&x->handle->hold, 0);
	return len;
}

/* What comes behind the body are the trailers of the whole. */
static size_t continue_with(struct rs_exchange *x, enum rs_piece_kind kind, char *bytes, size_t len)
{
	if (kind == RS_PIECE_TRAILER)
		x->handle->whole.trailed = true;
	return rs_deliver(x, kind, bytes, len);
}

/* What becomes of a piece once the phase is known. */
static size_t act(struct rs_exchange *x, enum rs_piece_kind kind, char *bytes, size_t len)
{
	switch (x->phase) {
	case RS_HOLDING:
		return len;
	case RS_STREAMING:
		return hand_on(x, kind, bytes, len);
	case RS_CONTINUING:
		return kind == RS_PIECE_HEADER ? len : continue_with(x, kind, bytes, len);
	case RS_DISCARDING:
		return drain(x, len);
	case RS_REFUSING:
		return kind == RS_PIECE_HEADER ? refuse_line(x, kind, bytes, len) : refuse(x);
	case RS_ENDING:
		break;
	}
	return 0;
}

/* Does it go to the program? */
static bool goes_on(const struct rs_exchange *x, enum rs_piece_kind kind)
{
	return x->phase == RS_STREAMING || (x->phase == RS_REFUSING && kind == RS_PIECE_HEADER);
}

/* Go on with a piece that is the last one held. When it goes to the program now, it is taken out
 * of the held ones first: libcurl repeats it after a pause. */
static size_t settle(struct rs_exchange *x, enum rs_piece_kind kind, char *bytes, size_t len)
{
	struct rs_hold *held = &x->handle->hold;

	if (goes_on(x, kind))
		rs_hold_truncate(held, held->count - 1);
	return act(x, kind, bytes, len);
}

/* Where memory is short nothing can be held: what is there goes to the program. */
static bool hold(struct rs_exchange *x, enum rs_piece_kind kind, const char *bytes, size_t len)
{
	if (rs_hold_add(&x->handle->hold, kind, (struct rs_span){ bytes, len }) == 0)
		return true;
	rs_hand_over(x);
	return false;
}

/* libcurl knows the status of the response by the time it delivers the status line. That of an
 * answer to CONNECT it reports apart; a redirect may lead to one whatever the URL. */
static bool answers_connect(struct rs_exchange *x)
{
	long status = 0;

	if (!x->has_block && !rs_exchange_may_tunnel(x))
		return false;
	x->handle->api->easy_getinfo(x->handle->easy, CURLINFO_RESPONSE_CODE, &status);
	return status != x->status;
}

/* libcurl goes on by itself after these, if it is asked to and can. A name and a password for Basic
 * it sends with the first request; those of another host than that may be new after a redirect. */
static bool may_go_on(const struct rs_options *o, int status)
{
	if (status == 417) /* to Expect */
		return o->kind > RS_REQUEST_HEAD && !o->fail_on_error;
	if (status / 100 == 3)
		return o->follow_location;
	if (status == 401)
		return o->follow_location || (o->http_auth & ~CURLAUTH_BASIC);
	return status / 100 == 1 || (status == 407 && (o->proxy_auth & ~CURLAUTH_BASIC));
}

static void begin_block(struct rs_exchange *x, const char *line, size_t len)
{
	x->status = rs_status_of_line(line, len);
	x->headers_at = x->handle->hold.len + len;
	x->provisional = may_go_on(&x->handle->options, x->status) || answers_connect(x);
	x->in_headers = x->has_block = true;
	rs_resume_block(x);
	if (x->phase == RS_HOLDING && !x->provisional && !x->resume.continuing)
		rs_judge_response(x, RS_KNOWN_STATUS);
}

static void end_block(struct rs_exchange *x)
{
	x->body_at = x->handle->hold.len;
	x->body_len = 0;
	x->header_pieces = x->handle->hold.count;
	if (!x->provisional && x->resume.continuing && x->status == 206)
		x->phase = rs_resume_fits(x) ? RS_CONTINUING : RS_ENDING;
	else if (!x->provisional)
		rs_judge_response(x, RS_KNOWN_HEADERS);
	x->in_headers = false;
}

/* A server that speaks before there are bytes to be had has not begun to give them: what it says
 * may be dropped, as long as nothing but them is asked for. */
static void hear(struct rs_exchange *x)
{
	x->talks = true;
	if (!rs_exchange_holds_talk(x))
		rs_hand_over(x);
}

/* Is the newest of the held lines that? */
static bool is_status_line(const struct rs_exchange *x)
{
	return x->handle->hold.len == x->headers_at;
}

size_t rs_response_lines(struct rs_exchange *x, char *bytes, size_t len)
{
	enum rs_piece_kind kind = RS_PIECE_HEADER;

	if (!x->in_headers && len >= 5 && memcmp(bytes, "HTTP/", 5) == 0)
		begin_block(x, bytes, len);
	else if (!x->has_block && x->phase == RS_HOLDING)
		hear(x);
	else if (x->has_block && !x->in_headers)
		kind = RS_PIECE_TRAILER;
	x->line_kind = kind;
	if (x->in_headers)
		rs_resume_lines(x, bytes, len);

	if (x->phase == RS_HOLDING && hold(x, kind, bytes, len)) {
		bool ends = x->in_headers && rs_lines_end(bytes, len);

		if (x->provisional && (ends || is_status_line(x) || kind == RS_PIECE_TRAILER))
			rs_glimpse_take(x);
		if (ends)
			end_block(x);
		return settle(x, kind, bytes, len);
	}
	if (x->in_headers && rs_lines_end(bytes, len))
		x->in_headers = false;
	return act(x, kind, bytes, len);
}

size_t rs_response_repeat(struct rs_exchange *x, char *bytes, size_t len)
{
	return act(x, x->line_kind, bytes, len);
}

__attribute__((noinline)) static void judge_status(struct rs_exchange *x)
{
	rs_judge_by_newest(x, x->status >= 400);
	if (rs_status_in(&x->rules->status, x->status))
		rs_response_recall_lines(x);
	else
		x->phase = RS_STREAMING;
}

/* The last response's status, and where a rule may care its headers. */
static inline void recall(struct rs_exchange *x)
{
	long status = 0;

	x->handle->api->easy_getinfo(x->handle->easy, CURLINFO_RESPONSE_CODE, &status);
	if (status <= 0 || status >= RS_STATUS_LIMIT)
		return;
	x->status = (int)status;
	x->has_block = true;
	if (status >= 400 || rs_status_in(&x->rules->status, x->status))
		judge_status(x);
	else
		x->phase = RS_STREAMING;
}

void rs_response_recall(struct rs_exchange *x)
{
	if (!x->has_block)
		recall(x);
	x->provisional = false;
}

static bool held_enough(const struct rs_exchange *x)
{
	return x->body_len >= x->rules->settings.body_limit;
}

/* libcurl's default. */
static size_t write_out(char *bytes, size_t one, size_t len, void *file)
{
	return fwrite(bytes, one, len, file);
}

/* The response is the program's, and it has got all of it so far. */
static bool piece_may_flow(const struct rs_exchange *x)
{
	return x->phase == RS_STREAMING && !rs_hold_has_next(&x->handle->hold);
}

static size_t take_piece(struct rs_exchange *x, char *bytes, size_t len)
{
	if (x->phase != RS_HOLDING || !hold(x, RS_PIECE_BODY, bytes, len))
		return act(x, RS_PIECE_BODY, bytes, len);
	x->body_len += len;
	if (x->provisional) {
		x->provisional = false; /* it has a body for the program: it is the response */
		rs_judge_response(x, RS_KNOWN_HEADERS);
	}
	if (x->phase == RS_HOLDING && held_enough(x))
		rs_judge_response(x, RS_KNOWN_ALL);
	return settle(x, RS_PIECE_BODY, bytes, len);
}

__attribute__((noinline)) static size_t judge_piece(struct rs_exchange *x, char *bytes, size_t len)
{
	size_t took = take_piece(x, bytes, len);

	x->misnamed = x->stopped == RS_SINK_HEADER;
	return took;
}

size_t rs_response_piece(struct rs_exchange *x, char *bytes, size_t len)
{
	struct rs_handle *handle = x->handle;

	if (!x->has_block && x->header_way == RS_HEADERS_ASKED)
		recall(x);
	if (__builtin_expect(!x->has_block, 0))
		rs_hand_over(x);                    /* not HTTP, or HTTP/0.9 */
	x->in_headers = handle->lines_flow = false; /* lines that flowed may have come as one */
	handle->flows = piece_may_flow(x);
	if (__builtin_expect(!handle->flows, 0))
		return judge_piece(x, bytes, len);
	handle->body_fn = handle->options.write_fn ? handle->options.write_fn : write_out;
	return rs_deliver_body(x, bytes, len);
}

size_t rs_response_body(char *bytes, size_t one, size_t len, void *exchange)
{
	struct rs_exchange *x = exchange;

	(void)one;
	if (__builtin_expect(x->handle->flows, 1))
		return rs_deliver_body(x, bytes, len);
	return rs_response_piece(x, bytes, len);
}

size_t rs_response_body_here(char *bytes, size_t one, size_t len, void *data)
{
	const struct rs_handle *handle = rs_exchange_here->handle;

	(void)one;
	return rs_body_flows(handle) ? rs_pass_piece(handle, bytes, len, data)
				     : rs_response_piece(rs_exchange_here, bytes, len);
}
