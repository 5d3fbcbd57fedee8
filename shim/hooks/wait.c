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

#include "connect/pending.h"
#include "connect/waits.h"
#include "gnu.h"
#include "hooks/export.h"
#include "hooks/selects.h"
#include "mark.h"
#include "process.h"
#include "real.h"
#include "real_libc.h"
#include "retry/ns.h"

/* ---- the beginning of a wait ---- */

/* When it was, and how often a place had been taken until then. */
struct begun {
	uint64_t mark;
	uint32_t taken;
};

/* The way through here is also the one of the first wait, which has to find out whether the program
 * has threads. */
static struct begun begin(void)
{
	(void)rs_is_single_threaded();
	rs_mark_begin();
	return (struct begun){ rs_mark(), rs_pending_taken() };
}

/* Has a connect been pending since, or is one? */
static bool any_since(const struct begun *begun)
{
	return rs_pending_any() || rs_pending_taken() != begun->taken;
}

/* The program's limit, by the time that was not looked at when the wait began. */
static struct rs_limit limit_ms(const struct begun *begun, int timeout, const sigset_t *mask)
{
	int64_t deadline_ns = RS_FOREVER;

	if (timeout >= 0)
		deadline_ns = rs_ns_add(rs_mark_ns(begun->mark), timeout * RS_NS_PER_MS);
	return (struct rs_limit){ .deadline_ns = deadline_ns, .mask = mask };
}

/* What is not is for the real call to refuse. */
static bool is_valid_timespec(const struct timespec *timeout)
{
	return !timeout ||
	       (timeout->tv_sec >= 0 && timeout->tv_nsec >= 0 && timeout->tv_nsec < RS_NS_PER_S);
}

static struct rs_limit limit_timespec(const struct begun *begun, const struct timespec *timeout,
				      const sigset_t *mask)
{
	int64_t deadline_ns = RS_FOREVER;

	if (timeout)
		deadline_ns = rs_ns_add(
			rs_mark_ns(begun->mark),
			rs_ns_add(rs_ns_mul(timeout->tv_sec, RS_NS_PER_S), timeout->tv_nsec));
	return (struct rs_limit){ .deadline_ns = deadline_ns, .mask = mask };
}

/* No call is made: what is small enough can do without a stack frame. */
static inline bool nothing_to_see(void)
{
	return __builtin_expect(!rs_pending_any(), 1) &&
	       __builtin_expect(rs_is_known_single_threaded(), 1);
}

/* ---- poll ---- */

/* One poll() or ppoll() of the program, whichever way it was called. */
struct poll_call {
	struct pollfd *fds;
	nfds_t count;
	const sigset_t *mask;
};

/* Else it is the kernel's to refuse: a bad pointer, or more than there may be. */
static bool is_accepted(const struct poll_call *call)
{
	static const struct timespec at_once;
	int saved_errno = errno;
	bool refused = rs_real_ppoll(call->fds, call->count, &at_once, NULL) < 0 &&
		       (errno == EFAULT || errno == EINVAL);

	errno = saved_errno;
	return !refused;
}

/* Is there something to be done before the wait? */
static bool is_special(const struct poll_call *call)
{
	return rs_pending_any_special() && call->count > 0 && is_accepted(call) &&
	       rs_poll_concerned(call->fds, call->count);
}

/* May the program see as it is what the real call returned? */
static bool is_plain(const struct poll_call *call, int ready, const struct begun *begun)
{
	return ready <= 0 || !any_since(begun) || rs_poll_plainly(call->fds, ready, begun->taken);
}

__attribute__((noinline)) static int poll_with_care(struct pollfd *fds, nfds_t count, int timeout)
{
	const struct poll_call call = { fds, count, NULL };
	struct begun begun = begin();
	int ready;

	if (!is_special(&call)) {
		ready = rs_real_poll(fds, count, timeout);
		if (is_plain(&call, ready, &begun))
			return ready;
	}
	return rs_wait_poll(fds, count, limit_ms(&begun, timeout, NULL));
}

__attribute__((noinline)) static int ppoll_with_care(const struct poll_call *call,
						     const struct timespec *timeout)
{
	struct begun begun = begin();
	int ready;

	if (!is_special(call) || !is_valid_timespec(timeout)) {
		ready = rs_real_ppoll(call->fds, call->count, timeout, call->mask);
		if (is_plain(call, ready, &begun))
			return ready;
	}
	return rs_wait_poll(call->fds, call->count, limit_timespec(&begun, timeout, call->mask));
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

/* Also where no connect is pending. */
_Thread_local unsigned rs_selects __attribute__((tls_model("initial-exec")));

static int64_t deadline_timeval(const struct timeval *timeout)
{
	if (!timeout)
		return RS_FOREVER;
	return rs_ns_add(rs_now_ns(), rs_ns_add(rs_ns_mul(timeout->tv_sec, RS_NS_PER_S),
						timeout->tv_usec * RS_NS_PER_US));
}

static bool is_valid_timeval(const struct timeval *timeout)
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

__attribute__((noinline)) static int select_with_care(const struct rs_select_call *call)
{
	int ready;

	if (is_valid_timeval(call->interval) && rs_pending_any_special() &&
	    rs_select_concerned(&call->sets))
		return select_pending(&call->sets, call->interval);
	return rs_select_plainly(call, &ready) ? ready
					       : select_pending(&call->sets, call->interval);
}

RS_EXPORT int select(int count, fd_set *to_read, fd_set *to_write, fd_set *except,
		     struct timeval *timeout)
{
	rs_selects++;
	if (rs_pending_any())
		return select_with_care(&(struct rs_select_call){
			.sets = { count, { to_read, to_write, except } }, .interval = timeout });
	return rs_real_select(count, to_read, to_write, except, timeout);
}

__attribute__((noinline)) static int pselect_with_care(const struct rs_select_call *call)
{
	struct begun begun = begin();
	int ready;

	if (!(rs_pending_any_special() && rs_select_concerned(&call->sets) &&
	      is_valid_timespec(call->timeout)) &&
	    rs_select_plainly(call, &ready))
		return ready;
	return rs_wait_select(&call->sets, limit_timespec(&begun, call->timeout, call->mask));
}

RS_EXPORT int pselect(int count, fd_set *to_read, fd_set *to_write, fd_set *except,
		      const struct timespec *timeout, const sigset_t *mask)
{
	rs_selects++;
	if (rs_pending_any())
		return pselect_with_care(
			&(struct rs_select_call){ .sets = { count, { to_read, to_write, except } },
						  .timeout = timeout,
						  .mask = mask,
						  .is_pselect = true });
	return rs_real_pselect(count, to_read, to_write, except, timeout, mask);
}

/* ---- epoll ---- */

/* Is there something to be done before the wait? */
static bool is_special_epoll(const struct rs_epoll_wait *call)
{
	return rs_pending_any_special() && call->max > 0;
}

/* May the program see as it is what the real call returned? */
static bool is_plain_epoll(const struct rs_epoll_wait *call, const struct begun *begun)
{
	return call->ready <= 0 || !any_since(begun) || rs_epoll_plainly(call);
}

/* The very call that the program made: a filter of system calls may know of no other. */
static int epoll_real(const struct rs_epoll_wait *call, int timeout, const sigset_t *mask)
{
	if (call->by == RS_EPOLL_WAIT)
		return rs_real_epoll_wait(call->epfd, call->events, call->max, timeout);
	return rs_real_epoll_pwait(call->epfd, call->events, call->max, timeout, mask);
}

__attribute__((noinline)) static int epoll_with_care(struct rs_epoll_wait *call, int timeout,
						     const sigset_t *mask)
{
	struct begun begun = begin();

	if (!is_special_epoll(call)) {
		call->ready = epoll_real(call, timeout, mask);
		if (is_plain_epoll(call, &begun))
			return call->ready;
	}
	return rs_wait_epoll(call, limit_ms(&begun, timeout, mask));
}

RS_EXPORT int epoll_wait(int epfd, struct epoll_event *events, int max, int timeout)
{
	if (nothing_to_see())
		return rs_real_epoll_wait(epfd, events, max, timeout);
	return epoll_with_care(&(struct rs_epoll_wait){ epfd, events, max, 0, RS_EPOLL_WAIT },
			       timeout, NULL);
}

RS_EXPORT int epoll_pwait(int epfd, struct epoll_event *events, int max, int timeout,
			  const sigset_t *mask)
{
	if (nothing_to_see())
		return rs_real_epoll_pwait(epfd, events, max, timeout, mask);
	return epoll_with_care(&(struct rs_epoll_wait){ epfd, events, max, 0, RS_EPOLL_PWAIT },
			       timeout, mask);
}

__attribute__((noinline)) static int
epoll2_with_care(struct rs_epoll_wait *call, const struct timespec *timeout, const sigset_t *mask)
{
	struct begun begun = begin();

	if (!is_special_epoll(call) || !is_valid_timespec(timeout)) {
		call->ready =
			rs_real_epoll_pwait2(call->epfd, call->events, call->max, timeout, mask);
		if (is_plain_epoll(call, &begun))
			return call->ready;
	}
	return rs_wait_epoll(call, limit_timespec(&begun, timeout, mask));
}

RS_EXPORT int epoll_pwait2(int epfd, struct epoll_event *events, int max,
			   const struct timespec *timeout, const sigset_t *mask)
{
	if (nothing_to_see())
		return rs_real_epoll_pwait2(epfd, events, max, timeout, mask);
	return epoll2_with_care(&(struct rs_epoll_wait){ epfd, events, max, 0, RS_EPOLL_PWAIT2 },
				timeout, mask);
}
