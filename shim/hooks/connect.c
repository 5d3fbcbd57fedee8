#include <errno.h>
#include <sys/socket.h>

#include "connect/ask.h"
#include "connect/fault.h"
#include "connect/first.h"
#include "connect/flight.h"
#include "connect/pending.h"
#include "connect/retry.h"
#include "gnu.h"
#include "hooks/export.h"
#include "mark.h"
#include "process.h"
#include "real.h"

__attribute__((noinline)) static int in_progress(void)
{
	errno = EINPROGRESS;
	return -1;
}

static bool is_libcurls(const void *caller)
{
	return rs_curl_depth > 0 || rs_is_libcurl(caller);
}

/* The kernel has said so: errno is EINPROGRESS, and stays it. */
__attribute__((noinline)) static int under_way(const struct rs_connect *call, const void *caller)
{
	if (!rs_is_libcurl(caller))
		rs_flight_begin(call);
	return -1;
}

/* Out of line: the successful path pays for nothing of it. What libcurl connects is part of a
 * transfer. */
__attribute__((noinline)) static int after_failure(const struct rs_connect *call, int entry_errno,
						   const void *caller)
{
	int error = errno, status;

	if (error == EINPROGRESS && rs_curl_depth == 0)
		return under_way(call, caller);
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

/* Its turn has not come; or it has, and the descriptor is gone by then. */
__attribute__((noinline)) static bool is_put_off(const struct rs_connect *call, const void *caller)
{
	int status = is_libcurls(caller) ? 0 : rs_connect_pace(call);

	if (status != 0)
		errno = status == RS_CONNECT_PENDS ? EINPROGRESS : -status;
	return status != 0;
}

static int attempt(const struct rs_connect *call, const void *caller)
{
	if (is_libcurls(caller))
		return call->real(call->fd, call->addr, call->len) == 0 ? 0 : -errno;
	return rs_connect_attempt(call);
}

/* A fault may strike, or a rule limit how long it takes. */
__attribute__((noinline)) static int with_care(const struct rs_connect *call, int entry_errno,
					       const void *caller)
{
	int status = attempt(call, caller);

	if (status == RS_CONNECT_PENDS)
		return in_progress();
	if (status != 0) {
		errno = -status;
		return after_failure(call, entry_errno, caller);
	}
	errno = entry_errno;
	rs_connect_succeeded(call);
	return 0;
}

/* libcurl's, inside of a transfer, which it is part of. The socket that it was given as connected
 * is connected, whatever comes of it. */
__attribute__((noinline)) static int connect_of_transfer(int fd, const struct sockaddr *addr,
							 socklen_t len)
{
	int entry_errno;

	if (__builtin_expect(rs_connected_fd != fd + 1, 1))
		return rs_real_connect()(fd, addr, len);
	entry_errno = errno;
	(void)rs_real_connect()(fd, addr, len);
	errno = entry_errno;
	return 0;
}

/* The call stays in memory, from before anything else is called: to keep it in registers too would
 * save and restore five. */
__attribute__((noinline)) static int connect_of_program(int fd, const struct sockaddr *addr,
							socklen_t len, const void *caller)
{
	struct rs_connect call = { NULL, fd, addr, len, rs_mark() };
	int entry_errno;

	__asm__("" : "+m"(call));
	call.real = rs_real_connect();
	entry_errno = errno;
	__asm__("" : "+m"(call), "+m"(entry_errno));
	if (rs_pending_any() && is_answered(&call, entry_errno))
		return -1;
	if (rs_connect_is_paced() && is_put_off(&call, caller))
		return -1;
	if (__builtin_expect(rs_faults_watched || rs_limits_possible, false))
		return with_care(&call, entry_errno, caller);
	if (call.real(call.fd, call.addr, call.len) != 0)
		return errno == EINPROGRESS && rs_curl_depth == 0
			       ? under_way(&call, caller)
			       : after_failure(&call, entry_errno, caller);
	rs_connect_succeeded(&call);
	return 0;
}

RS_EXPORT int connect(int fd, RS_SOCKADDR_ARG addr, socklen_t len)
{
	if (rs_curl_depth > 0 && !rs_pending_any())
		return connect_of_transfer(fd, RS_SOCKADDR_OF(addr), len);
	return connect_of_program(fd, RS_SOCKADDR_OF(addr), len, __builtin_return_address(0));
}
