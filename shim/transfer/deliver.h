/*
 * Handing bytes to the program. What every chunk of every body passes is here to be inlined.
 */
#ifndef RS_TRANSFER_DELIVER_H
#define RS_TRANSFER_DELIVER_H

#include <stdio.h>

#include "transfer/exchange.h"
#include "transfer/program.h"

/* Call a write or header callback of the program; fwrite is libcurl's default. */
static inline size_t rs_call_sink(curl_write_callback fn, char *bytes, size_t len, void *data)
{
	int depth = rs_program_enter();
	size_t took;

	if (__builtin_expect(fn != NULL, 1))
		took = fn(bytes, 1, len, data);
	else
		took = fwrite(bytes, 1, len, data);
	rs_program_leave(depth);
	return took;
}

/* rs_deliver() for a piece of the body. */
static inline size_t rs_deliver_body(struct rs_exchange *x, char *bytes, size_t len)
{
	const struct rs_options *o = &x->handle->options;
	size_t took;

	x->delivered = true;
	took = rs_call_sink(o->write_fn, bytes, len, o->write_data);
	if (__builtin_expect(took == len, 1))
		x->handle->whole.size = x->resume.got += (int64_t)len;
	else if (took != CURL_WRITEFUNC_PAUSE)
		x->stopped = "Failure writing output to destination";
	return took;
}

#endif
