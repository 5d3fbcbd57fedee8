/*
 * An attempt of a blocking connect() that a fault delays: it waits as the kernel would for an
 * answer that is late.
 */
#ifndef RS_CONNECT_DELAYED_H
#define RS_CONNECT_DELAYED_H

#include "connect/call.h"
#include "retry/fault.h"

/*
 * What becomes of the attempt: 0, -errno, or RS_CONNECT_PENDS.
 *
 * A limit that the program has set on the socket (SO_SNDTIMEO) ends it with EINPROGRESS, one that a
 * rule sets (`limit_ns`) with ETIMEDOUT, and a handled signal with EINTR, unless its handler has
 * SA_RESTART, and no limit is set on the socket. EBADF says that another thread has closed it:
 * `cookie` is what it was before the fault struck.
 * After EINPROGRESS and EINTR the connect goes on, as the kernel's does: at once where it is a real
 * one, and as a pending one where the fault has it fail. Async-signal-safe.
 */
int rs_connect_delayed(const struct rs_connect *call, const struct rs_fault_strike *strike,
		       int64_t limit_ns, uint64_t cookie);

#endif
