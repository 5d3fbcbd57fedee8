#include <dlfcn.h>
#include <stdatomic.h>

#include "at_start.h"
#include "real.h"

/* The variable, not its value: a program may assign to stdout. */
static FILE **find(const char *name, _Atomic(FILE **) *cache)
{
	FILE **variable = atomic_load_explicit(cache, memory_order_relaxed);

	if (!variable) {
		variable = rs_real_dlsym(RTLD_DEFAULT, name);
		atomic_store_explicit(cache, variable, memory_order_relaxed);
	}
	return variable;
}

FILE *rs_real_stream(enum rs_stream stream)
{
	RS_DATA_AT_START static _Atomic(FILE **) in, out;
	FILE **variable = stream == RS_STDIN ? find("stdin", &in) : find("stdout", &out);

	return variable ? *variable : NULL;
}
