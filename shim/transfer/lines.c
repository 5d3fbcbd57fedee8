#include "transfer/arrival.h"
#include "transfer/status_line.h"

/* From here on nothing is to be learned from this block, and its lines go to the header callback
 * alone. */
static bool lines_may_flow(const struct rs_exchange *x)
{
	const struct rs_options *o = &x->handle->options;

	return x->in_headers && x->phase == RS_STREAMING && !rs_hold_has_next(&x->handle->hold) &&
	       o->header_fn && !o->include_header && !rs_resume_notes_lines(x);
}

static size_t take_line(struct rs_exchange *x, char *bytes, size_t len)
{
	size_t took =
		x->repeats ? rs_response_repeat(x, bytes, len) : rs_response_lines(x, bytes, len);

	x->repeats = took == CURL_WRITEFUNC_PAUSE;
	x->line_len = len;
	return took;
}

/* After a pause libcurl repeats the line at which it was, and delivers those that have come
 * meanwhile in one piece, behind it or apart. To the program they are one in either case. */
static size_t take_lines(struct rs_exchange *x, char *bytes, size_t len)
{
	size_t done = x->repeats ? x->lines_done : 0, next, took;

	for (; done < len; done += next) {
		next = x->repeats ? x->line_len : len - done;
		took = take_line(x, bytes + done, next);
		x->lines_done = done;
		if (took != next)
			return took == CURL_WRITEFUNC_PAUSE ? took : 0;
	}
	return len;
}

__attribute__((noinline)) static size_t judge_line(struct rs_exchange *x, char *bytes, size_t len)
{
	size_t took = take_lines(x, bytes, len);

	x->misnamed = x->stopped == RS_SINK_BODY;
	x->handle->lines_flow = !x->repeats && lines_may_flow(x);
	return took;
}

/* What rs_response_lines() comes to for the status line of nearly every response: no rule wants to
 * know more, and the program gets the first line and all that follow. */
static bool flows_at_once(struct rs_exchange *x, const char *line, size_t len)
{
	const struct rs_options *o = &x->handle->options;
	int status;

	if (x->phase != RS_HOLDING || x->has_block || x->resume.continuing || !o->header_fn ||
	    o->include_header || !x->handle->api->easy_header || rs_exchange_may_tunnel(x))
		return false;
	status = rs_success_in_line(line, len);
	if (status == 0 || rs_status_in(&x->rules->status, status))
		return false;
	x->status = status;
	x->headers_at = len;
	x->phase = RS_STREAMING;
	x->in_headers = x->has_block = x->delivered = x->handle->lines_flow = true;
	return true;
}

size_t rs_line_not_taken(const struct rs_handle *handle, size_t took, size_t len)
{
	struct rs_exchange *x = handle->active;

	if (took != CURL_WRITEFUNC_PAUSE) {
		x->stopped = RS_SINK_HEADER;
		return took;
	}
	x->handle->lines_flow = false;
	x->repeats = true;
	x->line_kind = RS_PIECE_HEADER;
	x->line_len = len;
	x->lines_done = 0;
	return took;
}

size_t rs_response_line(struct rs_exchange *x, char *bytes, size_t len, void *data)
{
	if (!x->handle->lines_flow && !flows_at_once(x, bytes, len))
		return judge_line(x, bytes, len);
	if (rs_line_is_blank(bytes, len))
		x->in_headers = x->handle->lines_flow = false;
	return rs_pass_line(x->handle, bytes, len, data);
}

size_t rs_response_header(char *bytes, size_t one, size_t len, void *exchange)
{
	struct rs_exchange *x = exchange;

	(void)one;
	return rs_response_line(x, bytes, len, x->handle->options.header_data);
}

size_t rs_response_header_here(char *bytes, size_t one, size_t len, void *data)
{
	const struct rs_handle *handle = rs_exchange_here->handle;

	(void)one;
	return rs_line_flows(handle, len) ? rs_pass_line(handle, bytes, len, data)
					  : rs_response_line(rs_exchange_here, bytes, len, data);
}
