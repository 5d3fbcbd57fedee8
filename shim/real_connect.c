#include <errno.h>

#include "at_start.h"
#include "mark.h"
#include "real.h"

RS_DATA_AT_START _Atomic(rs_connect_fn) rs_found_connect;

static int missing(int fd, const struct sockaddr *addr, socklen_t len)
{
	(void)fd, (void)addr, (void)len;
	errno = ENOSYS;
	return -1;
}

/* Called before the first connect() is made, which is when clocks begin to matter. */
rs_connect_fn rs_find_connect(void)
{
	int saved_errno = errno;
	rs_connect_fn real = (rs_connect_fn)rs_real_symbol("connect");

	if (!real)
		real = missing;
	atomic_store_explicit(&rs_found_connect, real, memory_order_relaxed);
	rs_mark_begin();
	errno = saved_errno;
	return real;
}
