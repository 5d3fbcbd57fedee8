#include "real_libc.h"

#include <dlfcn.h>
#include <errno.h>
#include <stddef.h>

#include "at_start.h"
#include "next_symbol.h"
#include "real.h"

/* In place of what the C library does not have: -1, EAI_SYSTEM or an errno, or NULL. */
static int missing(void)
{
	errno = ENOSYS;
	return -1;
}

static int missing_getaddrinfo(void)
{
	errno = ENOSYS;
	return EAI_SYSTEM;
}

static int missing_reentrant(void)
{
	return ENOSYS;
}

static void *missing_pointer(void)
{
	h_errno = NO_RECOVERY;
	return NULL;
}

/* Looked up in a signal handler, or between a call and the reading of its errno. */
static void *next(const char *name, void *otherwise)
{
	int saved_errno = errno;
	void *symbol = rs_next_symbol(name);

	if (!symbol)
		symbol = rs_real_dlsym(RTLD_NEXT, name);
	errno = saved_errno;
	return symbol ? symbol : otherwise;
}

#define FIND(name, otherwise)                                                                      \
	RS_DATA_AT_START _Atomic(rs_##name##_fn) rs_found_##name;                                  \
	rs_##name##_fn rs_find_##name(void)                                                        \
	{                                                                                          \
		rs_##name##_fn found = (rs_##name##_fn)next(#name, (void *)(otherwise));           \
                                                                                                   \
		atomic_store_explicit(&rs_found_##name, found, memory_order_relaxed);              \
		return found;                                                                      \
	}

FIND(poll, missing)
FIND(ppoll, missing)
FIND(__poll_chk, missing)
FIND(__ppoll_chk, missing)
FIND(select, missing)
FIND(pselect, missing)
FIND(epoll_wait, missing)
FIND(epoll_pwait, missing)
FIND(epoll_pwait2, missing)
FIND(getsockopt, missing)
FIND(close, missing)
FIND(dup2, missing)
FIND(dup3, missing)
FIND(getaddrinfo, missing_getaddrinfo)
FIND(gethostbyname, missing_pointer)
FIND(gethostbyname2, missing_pointer)
FIND(gethostbyname_r, missing_reentrant)
FIND(gethostbyname2_r, missing_reentrant)
