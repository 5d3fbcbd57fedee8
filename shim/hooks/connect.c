#include <errno.h>
#include <sys/socket.h>

#include "connect/ask.h"
#include "connect/blocking.h"
#include "connect/fault.h"
#include "connect/limited.h"
#include "connect/pending.h"
#include "gnu.h"
#include "hooks/export.h"
#include "mark.h"
#include "process.h"
#include "real.h"

/* Out of line: the successful path pays for nothing of it. What libcurl connects is part of a
 * transfer. */
__attribute__((noinline)) static int after_failure(const struct rs_connect *call, int entry_errno,
						   const void *caller)
{
	int error = errno, status;

	status = rs_curl_depth == 0 && rs_is_libcurl(caller) ? -error
							     : rs_connect_retry(call, error);
	errno = status == 0 ? entry_errno : -status;
	return status == 0 ? 0 : -1;
}

/* The descriptor may be that of a connect which is being retried: true where that is the answer. */
__attribute__((noinline)) static bool is_answered(const struct rs_connect *call, int entry_errno)
{
	int error;

	if (rs_ask_connect(call, &error)) {
		errno = error;
		return true;
	}
	errno = entry_errno;
	return false;
}

/* A fault may strike, or a rule limit how long it takes. With the manners of the real one. */
__attribute__((noinline)) static int attempt(const struct rs_connect *call, const void *caller)
{
	int entry_errno = errno, status;

	if (rs_faults_watched)
		status = rs_connect_attempt(call);
	else if (rs_curl_depth > 0 || rs_is_libcurl(caller))
		return call->real(call->fd, call->addr, call->len);
	else
		status = rs_connect_first_limited(call);
	errno = status == 0 ? entry_errno : -status;
	return status == 0 ? 0 : -1;
}

RS_EXPORT int connect(int fd, RS_SOCKADDR_ARG addr, socklen_t len)
{
	struct rs_connect call = { rs_real_connect(), fd, RS_SOCKADDR_OF(addr), len, rs_mark() };
	int entry_errno = errno;

	/* The call stays in memory: to keep it in registers too would save and restore five. */
	__asm__("" : "+m"(call), "+m"(entry_errno));
	if (!call.real) {
		errno = ENOSYS;
		return -1;
	}
	if (rs_pending_any() && is_answered(&call, entry_errno))
		return -1;
	rs_connect_await_turn(&call);
	if (__builtin_expect(rs_faults_watched || rs_limits_possible, false)
		    ? attempt(&call, __builtin_return_address(0)) != 0
		    : call.real(call.fd, call.addr, call.len) != 0)
		return after_failure(&call, entry_errno, __builtin_return_address(0));
	rs_connect_succeeded(&call);
	return 0;
}
