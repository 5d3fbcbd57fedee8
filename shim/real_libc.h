/*
 * The C library's own functions behind the names that the shim interposes (connect(), the first to
 * be needed, stands in real.h).
 *
 * rs_real_NAME has the type of NAME. Each is looked up when it is first called, and remembered: a
 * program that never uses it never pays for it. From any thread; where the first call of each is
 * made no lock is taken (next_symbol.h). Where the C library does not have it, it fails with
 * ENOSYS.
 */
#ifndef RS_REAL_LIBC_H
#define RS_REAL_LIBC_H

#include <netdb.h>
#include <poll.h>
#include <stdatomic.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gnu.h"

/* What _FORTIFY_SOURCE makes of poll() and ppoll(). */
int __poll_chk(struct pollfd *fds, nfds_t count, int timeout, size_t size);
int __ppoll_chk(struct pollfd *fds, nfds_t count, const struct timespec *timeout,
		const sigset_t *mask, size_t size);

#define RS_REAL_LIBC(X)                                                                            \
	X(poll)                                                                                    \
	X(ppoll)                                                                                   \
	X(__poll_chk)                                                                              \
	X(__ppoll_chk)                                                                             \
	X(select)                                                                                  \
	X(pselect)                                                                                 \
	X(epoll_wait)                                                                              \
	X(epoll_pwait)                                                                             \
	X(epoll_pwait2)                                                                            \
	X(getsockopt)                                                                              \
	X(close)                                                                                   \
	X(dup2)                                                                                    \
	X(dup3)                                                                                    \
	X(getaddrinfo)                                                                             \
	X(gethostbyname)                                                                           \
	X(gethostbyname2)                                                                          \
	X(gethostbyname_r)                                                                         \
	X(gethostbyname2_r)

#define RS_DECLARE_REAL(name)                                                                      \
	typedef __typeof__(&(name)) rs_##name##_fn;                                                \
	extern _Atomic(rs_##name##_fn) rs_found_##name __attribute__((visibility("hidden")));      \
	rs_##name##_fn rs_find_##name(void);                                                       \
	static inline rs_##name##_fn rs_get_##name(void)                                           \
	{                                                                                          \
		rs_##name##_fn found =                                                             \
			atomic_load_explicit(&rs_found_##name, memory_order_relaxed);              \
                                                                                                   \
		return found ? found : rs_find_##name();                                           \
	}
RS_REAL_LIBC(RS_DECLARE_REAL)
#undef RS_DECLARE_REAL

#define rs_real_poll             (rs_get_poll())
#define rs_real_ppoll            (rs_get_ppoll())
#define rs_real_poll_chk         (rs_get___poll_chk())
#define rs_real_ppoll_chk        (rs_get___ppoll_chk())
#define rs_real_select           (rs_get_select())
#define rs_real_pselect          (rs_get_pselect())
#define rs_real_epoll_wait       (rs_get_epoll_wait())
#define rs_real_epoll_pwait      (rs_get_epoll_pwait())
#define rs_real_epoll_pwait2     (rs_get_epoll_pwait2())
#define rs_real_getsockopt       (rs_get_getsockopt())
#define rs_real_close            (rs_get_close())
#define rs_real_dup2             (rs_get_dup2())
#define rs_real_dup3             (rs_get_dup3())
#define rs_real_getaddrinfo      (rs_get_getaddrinfo())
#define rs_real_gethostbyname    (rs_get_gethostbyname())
#define rs_real_gethostbyname2   (rs_get_gethostbyname2())
#define rs_real_gethostbyname_r  (rs_get_gethostbyname_r())
#define rs_real_gethostbyname2_r (rs_get_gethostbyname2_r())

#endif
