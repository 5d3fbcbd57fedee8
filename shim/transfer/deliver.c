#include "transfer/deliver.h"

/* libcurl cuts what goes to the write callback at CURL_MAX_WRITE_SIZE. */
static size_t write_chunks(struct rs_exchange *x, char *bytes, size_t len)
{
	const struct rs_options *o = &x->handle->options;
	size_t done = 0;

	while (done < len) {
		size_t left = len - done;
		size_t chunk = left < CURL_MAX_WRITE_SIZE ? left : CURL_MAX_WRITE_SIZE;
		size_t took = rs_call_sink(o->write_fn, bytes + done, chunk, o->write_data);

		if (took == CURL_WRITEFUNC_PAUSE)
			return took;
		if (took != chunk)
			return 0;
		done += chunk;
	}
	return len;
}

/* With CURLOPT_HEADER a header line goes to the write callback first. A pause in the header
 * callback after that repeats the line: `echoed` keeps the write callback from seeing it twice. */
static size_t write_header(struct rs_exchange *x, enum rs_piece_kind kind, char *bytes, size_t len)
{
	const struct rs_options *o = &x->handle->options;
	size_t took = len;

	if (o->include_header && kind == RS_PIECE_HEADER && !x->echoed) {
		took = write_chunks(x, bytes, len);
		if (took != len)
			return took;
		x->echoed = true;
	}
	if (o->header_fn || o->header_data)
		took = rs_call_sink(o->header_fn ? o->header_fn : o->write_fn, bytes, len,
				    o->header_data);
	if (took != CURL_WRITEFUNC_PAUSE)
		x->echoed = false;
	return took;
}

size_t rs_deliver(struct rs_exchange *x, enum rs_piece_kind kind, char *bytes, size_t len)
{
	size_t took;

	if (kind == RS_PIECE_BODY)
		return rs_deliver_body(x, bytes, len);
	x->delivered = true;
	took = write_header(x, kind, bytes, len);
	x->stopped |= took != len && took != CURL_WRITEFUNC_PAUSE;
	return took;
}
