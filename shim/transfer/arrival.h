/*
 * Where what libcurl delivers arrives in a call that is alone in its thread's libcurl: `data` is
 * the program's own user pointer. Most lines and pieces flow, straight to the program; that is here
 * to be inlined. The rest is response.c's and lines.c's.
 */
#ifndef RS_TRANSFER_ARRIVAL_H
#define RS_TRANSFER_ARRIVAL_H

#include "transfer/deliver.h"

/* A line, or a piece of the body, that may not flow, or that ends what does. */
size_t rs_response_line(struct rs_exchange *x, char *bytes, size_t len, void *data);
size_t rs_response_piece(struct rs_exchange *x, char *bytes, size_t len);

/* The program's answer to a line that flowed is other than that it took it. */
size_t rs_line_not_taken(const struct rs_handle *handle, size_t took, size_t len);

/* Most lines of most responses are neither the first nor the last. */
static inline bool rs_line_flows(const struct rs_handle *handle, size_t len)
{
	return __builtin_expect(handle->lines_flow, 1) && __builtin_expect(len > 2, 1);
}

static inline size_t rs_pass_line(const struct rs_handle *handle, char *bytes, size_t len,
				  void *data)
{
	int depth = rs_program_enter();
	size_t took = handle->options.header_fn(bytes, 1, len, data);

	rs_program_leave(depth);
	return __builtin_expect(took == len, 1) ? took : rs_line_not_taken(handle, took, len);
}

static inline bool rs_body_flows(const struct rs_handle *handle)
{
	return __builtin_expect(handle->flows, 1);
}

static inline size_t rs_pass_piece(const struct rs_handle *handle, char *bytes, size_t len,
				   void *data)
{
	struct rs_exchange *x = handle->active;
	int depth = rs_program_enter();
	size_t took = handle->body_fn(bytes, 1, len, data);

	rs_program_leave(depth);
	return rs_body_taken(x, took, len);
}

#endif
