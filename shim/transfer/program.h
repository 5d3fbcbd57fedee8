/*
 * Around every call of a program's callback from ours: its code runs outside the guard, so that a
 * connect or a look-up that it makes is its own.
 */
#ifndef RS_TRANSFER_PROGRAM_H
#define RS_TRANSFER_PROGRAM_H

#include "process.h"

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
