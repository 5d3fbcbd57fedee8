#include <dlfcn.h>
#include <stdatomic.h>
#include <stddef.h>

#include "real.h"

rs_connect_fn rs_real_connect(void)
{
	static _Atomic rs_connect_fn found;
	rs_connect_fn real = atomic_load_explicit(&found, memory_order_relaxed);

	if (real)
		return real;
	real = (rs_connect_fn)dlsym(RTLD_NEXT, "connect");
	atomic_store_explicit(&found, real, memory_order_relaxed);
	return real;
}
