#include "at_start.h"
#include "mark.h"
#include "real.h"

RS_DATA_AT_START _Atomic(rs_connect_fn) rs_found_connect;

/* Called before the first connect() is made, which is when clocks begin to matter. */
rs_connect_fn rs_find_connect(void)
{
	rs_connect_fn real = (rs_connect_fn)rs_real_symbol("connect");

	atomic_store_explicit(&rs_found_connect, real, memory_order_relaxed);
	rs_mark_begin();
	return real;
}
