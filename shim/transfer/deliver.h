/*
 * Handing bytes to the program. What every chunk of every body passes is here to be inlined.
 */
#ifndef RS_TRANSFER_DELIVER_H
#define RS_TRANSFER_DELIVER_H

#include <stdio.h>

#include "transfer/exchange.h"
#include "transfer/program.h"

/* Call a write or header callback of the program; fwrite is libcurl's default. `one` is 1. */
static inline size_t rs_call_sink(curl_write_callback fn, char *bytes, size_t one, size_t len,
				  void *data)
{
	int depth = rs_program_enter();
	size_t took;

	if (__builtin_expect(fn != NULL, 1))
		took = fn(bytes, one, len, data);
	else
		took = fwrite(bytes, one, len, data);
	rs_program_leave(depth);
	return took;
}

/* The program took so much of a piece of the body. What libcurl is to be told. */
static inline size_t rs_body_taken(struct rs_exchange *x, size_t took, size_t len)
{
	if (__builtin_expect(took == len, 1))
		x->resume.got += (int64_t)len;
	else if (took != CURL_WRITEFUNC_PAUSE)
		x->stopped = RS_SINK_BODY;
	return took;
}

/* rs_deliver() for a piece of the body. */
static inline size_t rs_deliver_body(struct rs_exchange *x, char *bytes, size_t len)
{
	const struct rs_options *o = &x->handle->options;

	x->delivered = true;
	return rs_body_taken(x, rs_call_sink(o->write_fn, bytes, 1, len, o->write_data), len);
}

#endif
