#include <errno.h>
#include <sys/socket.h>
#include <time.h>

#include "connect/blocking.h"
#include "real.h"
#include "retry/ns.h"

/* When the call began, for max_elapsed. The coarse clock is a few loads and no system call. */
static int64_t started_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	return now.tv_sec * RS_NS_PER_S + now.tv_nsec;
}

__attribute__((visibility("default"))) int connect(int fd, __CONST_SOCKADDR_ARG addr, socklen_t len)
{
	struct rs_connect call = { rs_real_connect(), fd, addr.__sockaddr__, len, 0 };
	int entry_errno = errno;
	int status;

	if (!call.real) {
		errno = ENOSYS;
		return -1;
	}
	call.started_ns = started_ns();
	if (call.real(fd, call.addr, len) == 0) {
		rs_connect_succeeded();
		return 0;
	}
	status = rs_connect_retry(&call, errno);
	errno = status == 0 ? entry_errno : -status;
	return status == 0 ? 0 : -1;
}
