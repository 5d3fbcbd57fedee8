/*
 * Descriptors that come to their end. That a number means another socket now is noticed anyway;
 * this is for programs where one thread closes what another one waits for.
 */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "connect/ask.h"
#include "connect/pending.h"
#include "hooks/export.h"
#include "real_libc.h"

/* Whatever close() returns, the descriptor is gone then, or was before. */
__attribute__((noinline)) static int forget_and_close(int fd)
{
	int saved_errno = errno;

	rs_ask_forget(fd);
	errno = saved_errno;
	return rs_real_close(fd);
}

RS_EXPORT int close(int fd)
{
	if (rs_pending_any())
		return forget_and_close(fd);
	return rs_real_close(fd);
}

/* A call that fails leaves fd2 what it is. To forget only afterwards would be too late: a thread
 * may be about to make an attempt on that number. */
__attribute__((noinline)) static void forget_replaced(int fd, int fd2)
{
	int saved_errno = errno;

	if (fd != fd2 && fcntl(fd, F_GETFD) >= 0)
		rs_ask_forget(fd2);
	errno = saved_errno;
}

RS_EXPORT int dup2(int fd, int fd2)
{
	if (rs_pending_any())
		forget_replaced(fd, fd2);
	return rs_real_dup2(fd, fd2);
}

RS_EXPORT int dup3(int fd, int fd2, int flags)
{
	if (rs_pending_any() && (flags & ~O_CLOEXEC) == 0)
		forget_replaced(fd, fd2);
	return rs_real_dup3(fd, fd2, flags);
}
