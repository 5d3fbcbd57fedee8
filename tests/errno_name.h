/* The name of an errno, where the C library tells none: of those that the tests show. */
#ifndef TESTS_ERRNO_NAME_H
#define TESTS_ERRNO_NAME_H

#include <errno.h>
#include <stddef.h>
#include <string.h>

/* NULL: it has none, or none is known here. */
static inline const char *errno_name(int code)
{
#ifdef __GLIBC__
	return strerrorname_np(code);
#else
#define ROW(name)                                                                                  \
	{                                                                                          \
		name, #name                                                                        \
	}
	static const struct {
		int code;
		const char *name;
	} rows[] = {
		ROW(EAFNOSUPPORT), ROW(EAGAIN),       ROW(EALREADY),   ROW(EBADF),
		ROW(ECHILD),       ROW(ECONNREFUSED), ROW(ECONNRESET), ROW(EFAULT),
		ROW(EINPROGRESS),  ROW(EINTR),        ROW(EINVAL),     ROW(EISCONN),
		ROW(ENETUNREACH),  ROW(ENOENT),       ROW(ENOTCONN),   ROW(ENOTSOCK),
		ROW(EPERM),        ROW(EPROTOTYPE),   ROW(ETIMEDOUT),  ROW(EXDEV),
	};
#undef ROW

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (rows[i].code == code)
			return rows[i].name;
	}
	return NULL;
#endif
}

#endif
