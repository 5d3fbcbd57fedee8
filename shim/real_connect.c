#include "real.h"

_Atomic(rs_connect_fn) rs_found_connect;

rs_connect_fn rs_find_connect(void)
{
	rs_connect_fn real = (rs_connect_fn)rs_real_symbol("connect");

	atomic_store_explicit(&rs_found_connect, real, memory_order_relaxed);
	return real;
}
