/*
 * What programs wait with. Where no connect is pending the real function is jumped to, so that its
 * caller stays its caller; a program with threads gets its answer looked at, too, since another
 * thread may have begun to connect while this one waited.
 */
/* What it makes of poll() in the headers would stand in the way of our own. */
#undef _FORTIFY_SOURCE

#include <errno.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/time.h>

#include "connect/ask.h"
#include "connect/pending.h"
#include "connect/waits.h"
#include "gnu.h"
#include "hooks/export.h"
#include "process.h"
#include "real.h"
#include "real_libc.h"
#include "retry/ns.h"

/* ---- poll ---- */

/* One poll() or ppoll() of the program, whichever way it was called. */
struct poll_call {
	struct pollfd *fds;
	nfds_t count;
	const sigset_t *mask;
};

static int poll_pending(const struct poll_call *call, int64_t deadline_ns)
{
	return rs_wait_poll(call->fds, call->count,
			    (struct rs_limit){ .deadline_ns = deadline_ns, .mask = call->mask });
}

/* How often a place was taken so far. The way through here is also the one of the first wait, which
 * has to find out whether the program has threads. */
static unsigned taken(void)
{
	(void)rs_is_single_threaded();
	return atomic_load_explicit(&rs_pending_taken, memory_order_relaxed);
}

/* Has a connect been pending since, or is one? */
static bool any_since(unsigned before)
{
	return rs_pending_any() || taken() != before;
}

/* `ready` is what the real call returned. */
static int poll_looked_at(const struct poll_call *call, int ready, int64_t deadline_ns,
			  unsigned before)
{
	if (ready <= 0 || !any_since(before))
		return ready;
	return rs_wait_poll_again(
		call->fds, call->count, ready,
		(struct rs_limit){ .deadline_ns = deadline_ns, .mask = call->mask });
}

__attribute__((noinline)) static int poll_with_care(struct pollfd *fds, nfds_t count, int timeout)
{
	struct poll_call call = { fds, count, NULL };
	int64_t deadline_ns = rs_deadline_ms(timeout);
	unsigned before = taken();

	if (rs_pending_any() && rs_poll_concerned(fds, count))
		return poll_pending(&call, deadline_ns);
	return poll_looked_at(&call, rs_real_poll(fds, count, timeout), deadline_ns, before);
}

__attribute__((noinline)) static int ppoll_with_care(const struct poll_call *call,
						     const struct timespec *timeout)
{
	int64_t deadline_ns = rs_deadline_timespec(timeout);
	unsigned before = taken();

	if (rs_pending_any() && rs_poll_concerned(call->fds, call->count))
		return poll_pending(call, deadline_ns);
	return poll_looked_at(call, rs_real_ppoll(call->fds, call->count, timeout, call->mask),
			      deadline_ns, before);
}

/* No call is made: what is small enough can do without a stack frame. */
static inline bool nothing_to_see(void)
{
	return __builtin_expect(!rs_pending_any(), 1) &&
	       __builtin_expect(rs_is_known_single_threaded(), 1);
}

RS_EXPORT int poll(struct pollfd *fds, nfds_t count, int timeout)
{
	if (nothing_to_see())
		return rs_real_poll(fds, count, timeout);
	return poll_with_care(fds, count, timeout);
}

RS_EXPORT int ppoll(struct pollfd *fds, nfds_t count, const struct timespec *timeout,
		    const sigset_t *mask)
{
	if (nothing_to_see())
		return rs_real_ppoll(fds, count, timeout, mask);
	return ppoll_with_care(&(struct poll_call){ fds, count, mask }, timeout);
}

/* With too small an array the real one ends the program. */
RS_EXPORT int __poll_chk(struct pollfd *fds, nfds_t count, int timeout, size_t size)
{
	if (nothing_to_see() || size / sizeof(*fds) < count)
		return rs_real_poll_chk(fds, count, timeout, size);
	return poll_with_care(fds, count, timeout);
}

RS_EXPORT int __ppoll_chk(struct pollfd *fds, nfds_t count, const struct timespec *timeout,
			  const sigset_t *mask, size_t size)
{
	if (nothing_to_see() || size / sizeof(*fds) < count)
		return rs_real_ppoll_chk(fds, count, timeout, mask, size);
	return ppoll_with_care(&(struct poll_call){ fds, count, mask }, timeout);
}

/* ---- select ---- */

static int64_t deadline_timeval(const struct timeval *timeout)
{
	if (!timeout)
		return RS_FOREVER;
	return rs_ns_add(rs_now_ns(), rs_ns_add(rs_ns_mul(timeout->tv_sec, RS_NS_PER_S),
						timeout->tv_usec * RS_NS_PER_US));
}

static bool is_valid(const struct timeval *timeout)
{
	return !timeout || (timeout->tv_sec >= 0 && timeout->tv_usec >= 0);
}

/* Linux leaves the time that was not used in `timeout`. */
static void leave_rest(struct timeval *timeout, int64_t deadline_ns)
{
	int64_t left_ns;

	if (!timeout)
		return;
	left_ns = rs_ns_max(0, deadline_ns - rs_now_ns());
	timeout->tv_sec = left_ns / RS_NS_PER_S;
	timeout->tv_usec = left_ns % RS_NS_PER_S / RS_NS_PER_US;
}

__attribute__((noinline)) static int select_pending(const struct rs_fd_sets *sets,
						    struct timeval *timeout)
{
	struct rs_limit limit = { .deadline_ns = deadline_timeval(timeout) };
	int ready = rs_wait_select(sets, limit);

	leave_rest(timeout, limit.deadline_ns);
	return ready;
}

RS_EXPORT int select(int count, fd_set *to_read, fd_set *to_write, fd_set *except,
		     struct timeval *timeout)
{
	if (rs_pending_any()) {
		struct rs_fd_sets sets = { count, { to_read, to_write, except } };

		if (is_valid(timeout) && rs_select_concerned(&sets))
			return select_pending(&sets, timeout);
	}
	return rs_real_select(count, to_read, to_write, except, timeout);
}

RS_EXPORT int pselect(int count, fd_set *to_read, fd_set *to_write, fd_set *except,
		      const struct timespec *timeout, const sigset_t *mask)
{
	if (rs_pending_any()) {
		struct rs_fd_sets sets = { count, { to_read, to_write, except } };

		if (rs_select_concerned(&sets))
			return rs_wait_select(
				&sets, (struct rs_limit){ rs_deadline_timespec(timeout), mask });
	}
	return rs_real_pselect(count, to_read, to_write, except, timeout, mask);
}

/* ---- epoll ---- */

static int epoll_pending(const struct rs_epoll_wait *call, int64_t deadline_ns,
			 const sigset_t *mask)
{
	return rs_wait_epoll(call, (struct rs_limit){ .deadline_ns = deadline_ns, .mask = mask });
}

/* `call->ready` is what the real call returned. */
static int epoll_looked_at(const struct rs_epoll_wait *call, int64_t deadline_ns,
			   const sigset_t *mask, unsigned before)
{
	if (call->ready <= 0 || !any_since(before))
		return call->ready;
	return epoll_pending(call, deadline_ns, mask);
}

__attribute__((noinline)) static int epoll_with_care(struct rs_epoll_wait *call, int timeout,
						     const sigset_t *mask)
{
	int64_t deadline_ns = rs_deadline_ms(timeout);
	unsigned before = taken();

	if (rs_pending_any() && call->max > 0)
		return epoll_pending(call, deadline_ns, mask);
	call->ready = rs_real_epoll_pwait(call->epfd, call->events, call->max, timeout, mask);
	return epoll_looked_at(call, deadline_ns, mask, before);
}

RS_EXPORT int epoll_wait(int epfd, struct epoll_event *events, int max, int timeout)
{
	if (nothing_to_see())
		return rs_real_epoll_wait(epfd, events, max, timeout);
	return epoll_with_care(&(struct rs_epoll_wait){ epfd, events, max, 0, false }, timeout,
			       NULL);
}

RS_EXPORT int epoll_pwait(int epfd, struct epoll_event *events, int max, int timeout,
			  const sigset_t *mask)
{
	if (nothing_to_see())
		return rs_real_epoll_pwait(epfd, events, max, timeout, mask);
	return epoll_with_care(&(struct rs_epoll_wait){ epfd, events, max, 0, false }, timeout,
			       mask);
}

__attribute__((noinline)) static int
epoll2_with_care(struct rs_epoll_wait *call, const struct timespec *timeout, const sigset_t *mask)
{
	int64_t deadline_ns = rs_deadline_timespec(timeout);
	unsigned before = taken();

	if (rs_pending_any() && call->max > 0)
		return epoll_pending(call, deadline_ns, mask);
	call->ready = rs_real_epoll_pwait2(call->epfd, call->events, call->max, timeout, mask);
	return epoll_looked_at(call, deadline_ns, mask, before);
}

RS_EXPORT int epoll_pwait2(int epfd, struct epoll_event *events, int max,
			   const struct timespec *timeout, const sigset_t *mask)
{
	if (nothing_to_see())
		return rs_real_epoll_pwait2(epfd, events, max, timeout, mask);
	return epoll2_with_care(&(struct rs_epoll_wait){ epfd, events, max, 0, true }, timeout,
				mask);
}

/* ---- getsockopt ---- */

/* As the kernel writes an int: as much of it as there is room for. */
static void put_error(int error, void *value, socklen_t *len)
{
	if (*len > sizeof(error))
		*len = sizeof(error);
	__builtin_memcpy(value, &error, *len);
}

__attribute__((noinline)) static bool error_is_told(int fd, void *value, socklen_t *len)
{
	int saved_errno = errno, error;
	bool told = rs_ask_error(fd, &error);

	if (told)
		put_error(error, value, len);
	errno = saved_errno;
	return told;
}

RS_EXPORT int getsockopt(int fd, int level, int name, void *__restrict value,
			 socklen_t *__restrict len)
{
	if (rs_pending_any() && level == SOL_SOCKET && name == SO_ERROR &&
	    error_is_told(fd, value, len))
		return 0;
	return rs_real_getsockopt(fd, level, name, value, len);
}
