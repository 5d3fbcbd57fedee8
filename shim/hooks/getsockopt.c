/*
 * getsockopt(): by SO_ERROR a program asks how a connect has ended.
 */
#include <errno.h>
#include <sys/socket.h>

#include "connect/ask.h"
#include "connect/pending.h"
#include "hooks/export.h"
#include "real_libc.h"

/* As the kernel writes an int: as much of it as there is room for. */
static void put_error(int error, void *value, socklen_t *len)
{
	if (*len > sizeof(error))
		*len = sizeof(error);
	__builtin_memcpy(value, &error, *len);
}

/* Else it is the kernel's to complain of. What it writes here the answer writes over. */
static bool takes_answer(int fd, void *value, socklen_t *len)
{
	return rs_real_getsockopt(fd, SOL_SOCKET, SO_TYPE, value, len) == 0;
}

__attribute__((noinline)) static bool error_is_told(int fd, void *value, socklen_t *len)
{
	int saved_errno = errno, error;
	bool told = rs_pending_has(fd) && takes_answer(fd, value, len) && rs_ask_error(fd, &error);

	if (told)
		put_error(error, value, len);
	errno = saved_errno;
	return told;
}

/* What the kernel has written: all of it, in nearly every program. */
static int read_error(const void *value, socklen_t len)
{
	int error = 0;

	if (__builtin_expect(len == sizeof(error), 1))
		__builtin_memcpy(&error, value, sizeof(error));
	else
		__builtin_memcpy(&error, value, len);
	return error;
}

__attribute__((noinline)) static void look_at_error(int fd, int error, void *value, socklen_t *len)
{
	int saved_errno = errno;

	if (rs_ask_told_error(fd, &error))
		put_error(error, value, len);
	errno = saved_errno;
}

/* One that has failed before is asked about before the kernel is; of one that has not the kernel
 * may well say that there is no error. */
__attribute__((noinline)) static int error_of(int fd, void *value, socklen_t *len)
{
	int error;

	if (rs_pending_any_special() && error_is_told(fd, value, len))
		return 0;
	if (rs_real_getsockopt(fd, SOL_SOCKET, SO_ERROR, value, len) != 0)
		return -1;
	error = read_error(value, *len);
	if (__builtin_expect(error != 0, 0))
		look_at_error(fd, error, value, len);
	return 0;
}

RS_EXPORT int getsockopt(int fd, int level, int name, void *__restrict value,
			 socklen_t *__restrict len)
{
	if (rs_pending_any() && level == SOL_SOCKET && name == SO_ERROR)
		return error_of(fd, value, len);
	return rs_real_getsockopt(fd, level, name, value, len);
}
