#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>

#include "connect/flight.h"
#include "connect/left.h"
#include "connect/waits.h"
#include "pause.h"
#include "process.h"
#include "real_libc.h"
#include "retry/ns.h"

/* So many descriptors are copied on the stack, which may be a small one; more, where the program
 * has put them there, too; and more again, into pages of their own. */
#define FEW      16
#define ON_STACK 256

/* One poll() of the program. */
struct polled {
	struct pollfd *fds; /* the program's */
	nfds_t count;
	struct pollfd *quiet; /* a copy without those that wait for their next attempt */
	int64_t due_ns;       /* when the first of those is to be made, or another ended */
};

bool rs_poll_concerned(const struct pollfd *fds, nfds_t count)
{
	for (nfds_t i = 0; i < count; i++) {
		if (rs_pending_has(fds[i].fd))
			return true;
	}
	return count > 0 && rs_left_maybe();
}

/* ---- where all is plain ---- */

static bool is_end(short revents)
{
	return (revents & (POLLERR | POLLHUP | POLLNVAL)) != 0;
}

bool rs_poll_plainly(const struct pollfd *fds, int ready, uint32_t since)
{
	for (; ready > 0; fds++) {
		if (fds->revents == 0)
			continue;
		if (is_end(fds->revents) || !rs_flight_landed(fds->fd, since))
			return false;
		ready--;
	}
	return true;
}

/* ---- before the wait ---- */

/* Do what is due; true while it waits. */
static bool waits(int fd, int64_t now_ns, int64_t *due_ns)
{
	struct rs_pending *pending = rs_pending_has(fd) ? rs_flight_hold(fd) : NULL;
	bool wait;

	if (!pending)
		return false;
	if (now_ns >= rs_flight_due_ns(pending))
		(void)rs_flight_advance(pending, now_ns, 0, NULL);
	wait = pending->stage == RS_PENDING_WAITS;
	*due_ns = rs_ns_min(*due_ns, rs_flight_due_ns(pending));
	rs_pending_release(pending);
	return wait;
}

static void prepare(struct polled *polled, int64_t now_ns)
{
	polled->due_ns = rs_left_bring_on(now_ns);
	for (nfds_t i = 0; i < polled->count; i++) {
		polled->quiet[i] = polled->fds[i];
		polled->quiet[i].revents = 0;
		if (waits(polled->fds[i].fd, now_ns, &polled->due_ns))
			polled->quiet[i].fd = -1;
	}
}

/* ---- after it ---- */

/* What a thread was told may have been hidden from the program, and be over, before the thread got
 * round to it. A connection does not come back from a HUP by itself. */
static short not_outdated(const struct pollfd *reported)
{
	struct pollfd now = { .fd = reported->fd, .events = reported->events };

	if ((reported->revents & POLLHUP) == 0 || rs_real_poll(&now, 1, 0) < 0 ||
	    (now.revents & (POLLHUP | POLLNVAL)) != 0)
		return reported->revents;
	return now.revents;
}

/* To have looked at the error has taken POLLERR away, and where a fault was the error the kernel
 * knows of no end. */
static short whole(const struct pollfd *reported, short revents)
{
	return (short)(revents | POLLERR | (reported->events & (POLLIN | POLLRDNORM | POLLRDHUP)));
}

/* What the program may know of what the kernel reported. */
static short known(const struct pollfd *reported, int64_t now_ns)
{
	struct rs_pending *pending =
		rs_pending_has(reported->fd) ? rs_flight_hold(reported->fd) : NULL;
	enum rs_pending_stage before, after;
	bool kernel_tells;
	short revents;

	if (!pending)
		return not_outdated(reported);
	before = pending->stage;
	after = rs_flight_advance(pending, now_ns, reported->events, &revents);
	kernel_tells = pending->kernel_tells;
	rs_pending_release(pending);
	if (before == RS_PENDING_FAILED)
		revents = reported->revents;
	if (after == RS_PENDING_FAILED)
		return kernel_tells ? revents : whole(reported, revents);
	return before == RS_PENDING_WAITS ? 0 : revents;
}

static int report(const struct polled *polled, const struct pollfd *reported)
{
	int64_t now_ns = rs_now_ns();
	int ready = 0;

	for (nfds_t i = 0; i < polled->count; i++) {
		short revents = reported[i].revents;

		if (revents != 0 && reported[i].fd >= 0)
			revents = known(&reported[i], now_ns);
		polled->fds[i].revents = revents;
		ready += revents != 0;
	}
	return ready;
}

/* ---- the wait ---- */

static int wait_once(struct polled *polled, int64_t now_ns, const struct rs_limit *limit)
{
	struct timespec left;
	int ready;

	rs_cancel_let(limit->before);
	ready = rs_real_ppoll(
		polled->quiet, polled->count,
		rs_time_left(rs_ns_min(limit->deadline_ns, polled->due_ns), now_ns, &left),
		limit->mask);
	rs_cancel_hold();
	return ready < 0 ? ready : report(polled, polled->quiet);
}

static int wait_all(struct polled *polled, const struct rs_limit *limit)
{
	int64_t now_ns = rs_now_ns();
	int ready;

	rs_flight_sweep(now_ns);
	do {
		prepare(polled, now_ns);
		ready = wait_once(polled, now_ns, limit);
		now_ns = rs_now_ns();
	} while (ready == 0 && now_ns < limit->deadline_ns);
	return ready;
}

/* `quiet` is room for as many. */
static int wait_in(struct pollfd *quiet, struct pollfd *fds, nfds_t count, struct rs_limit limit)
{
	struct polled polled = { .fds = fds, .count = count, .quiet = quiet };
	struct rs_before before;
	int ready, error = errno; /* which a wait that succeeds leaves as it is */

	rs_signals_hold_to_wait(&before);
	limit.before = &before;
	if (!limit.mask)
		limit.mask = &before.mask;
	ready = wait_all(&polled, &limit);
	if (ready < 0)
		error = errno;
	rs_signals_let(&before);
	errno = error;
	return ready;
}

__attribute__((noinline)) static int wait_for_few(struct pollfd *fds, nfds_t count,
						  struct rs_limit limit)
{
	struct pollfd quiet[FEW];

	return wait_in(quiet, fds, count, limit);
}

__attribute__((noinline)) static int wait_for_more(struct pollfd *fds, nfds_t count,
						   struct rs_limit limit)
{
	struct pollfd quiet[ON_STACK];

	return wait_in(quiet, fds, count, limit);
}

/* There is no memory for a copy: what has failed shows, and SO_ERROR is answered when all is over.
 */
static int wait_without(struct pollfd *fds, nfds_t count, const struct rs_limit *limit)
{
	struct timespec left;

	return rs_real_ppoll(fds, count, rs_time_left(limit->deadline_ns, rs_now_ns(), &left),
			     limit->mask);
}

static int wait_in_pages(struct pollfd *fds, nfds_t count, struct rs_limit limit)
{
	size_t size = count * sizeof(*fds);
	int ready, error = errno;
	struct pollfd *quiet =
		mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (quiet == MAP_FAILED) {
		errno = error;
		return wait_without(fds, count, &limit);
	}
	ready = wait_in(quiet, fds, count, limit);
	error = errno;
	munmap(quiet, size);
	errno = error;
	return ready;
}

int rs_wait_poll(struct pollfd *fds, nfds_t count, struct rs_limit limit)
{
	if (count <= FEW)
		return wait_for_few(fds, count, limit);
	if (count <= ON_STACK)
		return wait_for_more(fds, count, limit);
	return wait_in_pages(fds, count, limit);
}
