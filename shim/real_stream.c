#include <dlfcn.h>

#include "at_start.h"
#include "real.h"

RS_DATA_AT_START _Atomic(FILE **) rs_found_streams[RS_STREAMS];

FILE **rs_find_stream(enum rs_stream stream)
{
	FILE **variable = rs_real_dlsym(RTLD_DEFAULT, stream == RS_STDIN ? "stdin" : "stdout");

	atomic_store_explicit(&rs_found_streams[stream], variable, memory_order_relaxed);
	return variable;
}
