/*
 * Around every call of a program's callback from ours: its code runs outside the guard, so that a
 * connect or a look-up that it makes is its own.
 */
#ifndef RS_TRANSFER_PROGRAM_H
#define RS_TRANSFER_PROGRAM_H

#include "process.h"
#include "real.h"

/* libcurl is entered, and left: what was there before comes back. */
static inline const struct rs_curl_api *rs_curl_enter(const struct rs_curl_api *api)
{
	const struct rs_curl_api *before = rs_curl_inside;

	rs_curl_inside = api;
	rs_curl_depth++;
	return before;
}

static inline void rs_curl_leave(const struct rs_curl_api *before)
{
	rs_curl_depth--;
	rs_curl_inside = before;
}

static inline int rs_program_enter(void)
{
	int depth = rs_curl_depth;

	rs_curl_depth = 0;
	return depth;
}

static inline void rs_program_leave(int depth)
{
	rs_curl_depth = depth;
}

#endif
