#include "transfer/deliver.h"

/* CURLOPT_HEADER: lines of HTTP, and with newer libcurls its trailers. They may begin in another
 * way, which the program has told libcurl of: CURLOPT_HTTP200ALIASES. */
static bool is_included(struct rs_exchange *x, enum rs_piece_kind kind)
{
	return x->handle->options.include_header && !x->leaves_header &&
	       (kind == RS_PIECE_HEADER || rs_curl_includes_trailers(x->handle->api)) &&
	       (x->has_block || rs_exchange_is_http(x));
}

/* What the body callback has not had of the line, before a pause in any callback. libcurl cuts what
 * goes there at CURL_MAX_WRITE_SIZE. */
static size_t echo(struct rs_exchange *x, char *bytes, size_t len)
{
	const struct rs_options *o = &x->handle->options;

	if (!x->echoes)
		x->echoed = 0;
	x->echoes = true;
	while (x->echoed < len) {
		size_t left = len - x->echoed;
		size_t chunk = left < CURL_MAX_WRITE_SIZE ? left : CURL_MAX_WRITE_SIZE;
		size_t took = rs_call_sink(o->write_fn, bytes + x->echoed, 1, chunk, o->write_data);

		if (took == CURL_WRITEFUNC_PAUSE)
			return took;
		if (took != chunk)
			return 0;
		x->echoed += chunk;
	}
	return len;
}

/* An answer other than these ends the attempt. */
static size_t judged(struct rs_exchange *x, size_t took, size_t len, enum rs_sink sink)
{
	if (took != len && took != CURL_WRITEFUNC_PAUSE)
		x->stopped = sink;
	return took;
}

const char *rs_words_for(enum rs_sink sink)
{
	return sink == RS_SINK_HEADER ? "Failed writing header"
				      : "Failure writing output to destination";
}

/* With CURLOPT_HEADER a header line goes to the write callback first. */
static size_t write_header(struct rs_exchange *x, enum rs_piece_kind kind, char *bytes, size_t len)
{
	const struct rs_options *o = &x->handle->options;
	size_t took = len;

	if (is_included(x, kind)) {
		took = echo(x, bytes, len);
		if (took != len)
			return judged(x, took, len, RS_SINK_BODY);
	}
	if (o->header_fn || o->header_data)
		took = rs_call_sink(o->header_fn ? o->header_fn : o->write_fn, bytes, 1, len,
				    o->header_data);
	if (took != CURL_WRITEFUNC_PAUSE)
		x->echoes = false;
	return judged(x, took, len, RS_SINK_HEADER);
}

/* getinfo is told the size of the whole where this is the rest of it. */
static size_t write_body(struct rs_exchange *x, char *bytes, size_t len)
{
	size_t took = rs_deliver_body(x, bytes, len);

	x->handle->whole.size = x->resume.got;
	return took;
}

/* Headers that the program has no use for it has not seen. What is not HTTP is different: a
 * server's lines tell that it has begun. */
static bool is_seen(const struct rs_exchange *x, enum rs_piece_kind kind)
{
	const struct rs_options *o = &x->handle->options;

	return o->header_fn || o->header_data || o->include_header || !x->has_block ||
	       kind != RS_PIECE_HEADER;
}

size_t rs_deliver(struct rs_exchange *x, enum rs_piece_kind kind, char *bytes, size_t len)
{
	if (kind == RS_PIECE_BODY)
		return write_body(x, bytes, len);
	x->delivered |= is_seen(x, kind);
	return write_header(x, kind, bytes, len);
}
