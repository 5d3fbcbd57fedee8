#include "connect/call.h"

#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "process.h"

/* The kernel copies, and says where there is nothing to be read. Where it may not (a sandbox), the
 * pointer is taken to be good, as nearly all are. */
static bool copy(void *to, const void *from, size_t len)
{
	struct iovec here = { to, len }, there = { (void *)(uintptr_t)from, len };
	int saved_errno = errno;
	long got = syscall(SYS_process_vm_readv, getpid(), &here, 1UL, &there, 1UL, 0UL);
	bool bad = got >= 0 ? (size_t)got < len : errno == EFAULT;

	if (got < 0 && !bad)
		memcpy(to, from, len);
	errno = saved_errno;
	return !bad;
}

bool rs_connect_copy_address(struct sockaddr_storage *addr, const struct rs_connect *call,
			     enum rs_address_state state)
{
	memset(addr, 0, sizeof(*addr));
	if (call->len < sizeof(addr->ss_family) || call->len > sizeof(*addr))
		return false;
	if (state == RS_ADDRESS_UNREAD)
		return copy(addr, call->addr, call->len);
	memcpy(addr, call->addr, call->len);
	return true;
}

bool rs_connect_find_target(struct rs_connect_target *about, const struct rs_connect *call,
			    enum rs_address_state state)
{
	struct sockaddr_storage addr;

	if (!rs_connect_copy_address(&addr, call, state) ||
	    !rs_connect_target(about, &addr, call->len))
		return false;
	about->target.program = rs_program_name();
	return true;
}
