#include <errno.h>
#include <sys/socket.h>

#include "connect/blocking.h"
#include "connect/fault.h"
#include "mark.h"
#include "real.h"

/* Out of line: the successful path pays for nothing of it. */
__attribute__((noinline)) static int after_failure(const struct rs_connect *call, int entry_errno)
{
	int status = rs_connect_retry(call, errno);

	errno = status == 0 ? entry_errno : -status;
	return status == 0 ? 0 : -1;
}

/* With the manners of the real one. */
__attribute__((noinline)) static int attempt(const struct rs_connect *call)
{
	int entry_errno = errno;
	int status = rs_connect_attempt(call);

	errno = status == 0 ? entry_errno : -status;
	return status == 0 ? 0 : -1;
}

__attribute__((visibility("default"))) int connect(int fd, __CONST_SOCKADDR_ARG addr, socklen_t len)
{
	struct rs_connect call = { rs_real_connect(), fd, addr.__sockaddr__, len, rs_mark() };
	int entry_errno = errno;

	/* The call stays in memory: to keep it in registers too would save and restore five. */
	__asm__("" : "+m"(call), "+m"(entry_errno));
	if (!call.real) {
		errno = ENOSYS;
		return -1;
	}
	rs_connect_await_turn(&call);
	if (__builtin_expect(rs_faults_watched, false)
		    ? attempt(&call) != 0
		    : call.real(call.fd, call.addr, call.len) != 0)
		return after_failure(&call, entry_errno);
	rs_connect_succeeded(&call);
	return 0;
}
