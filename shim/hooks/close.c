/*
 * Descriptors that come to their end. That a number means another socket now is noticed anyway;
 * this is for programs where one thread closes what another one waits for.
 */
#include <errno.h>
#include <unistd.h>

#include "connect/ask.h"
#include "connect/pending.h"
#include "hooks/export.h"
#include "real_libc.h"

static void forget(int fd)
{
	int saved_errno = errno;

	rs_ask_forget(fd);
	errno = saved_errno;
}

__attribute__((noinline)) static int forget_and_close(int fd)
{
	forget(fd);
	return rs_real_close(fd);
}

RS_EXPORT int close(int fd)
{
	if (rs_pending_any())
		return forget_and_close(fd);
	return rs_real_close(fd);
}

RS_EXPORT int dup2(int fd, int fd2)
{
	if (rs_pending_any() && fd != fd2)
		forget(fd2);
	return rs_real_dup2(fd, fd2);
}

RS_EXPORT int dup3(int fd, int fd2, int flags)
{
	if (rs_pending_any() && fd != fd2)
		forget(fd2);
	return rs_real_dup3(fd, fd2, flags);
}
