#include <errno.h>
#include <limits.h>

#include "connect/epoll_report.h"
#include "connect/flight.h"
#include "connect/left.h"
#include "connect/registrations.h"
#include "connect/waits.h"
#include "pause.h"
#include "process.h"
#include "real_libc.h"
#include "retry/ns.h"

/* How often a set is asked that reports nothing but what is hidden, when the time is over. */
#define LATE_ROUNDS 100

/* ---- before the wait ---- */

/* It waits, and no set has reported it: one that is edge-triggered may have done so before. */
static bool is_unreported(const struct rs_pending *pending)
{
	return pending->stage == RS_PENDING_WAITS && pending->registrations == 0;
}

/* Which set an attempt that flies is known to is not known: that it takes too long is found out by
 * whoever waits. */
static bool is_for(const struct rs_pending *pending, int epfd)
{
	return pending->stage != RS_PENDING_WAITS || rs_registrations_marked(pending, epfd) ||
	       is_unreported(pending);
}

/* One look at all that may be due. */
struct round {
	int epfd;
	int64_t now_ns;
	bool to_read; /* the set is to be, for this round … */
	bool is_read; /* … and was */
	enum {
		BEFORE,     /* what it holds is yet to be found out, … */
		MEANWHILE,  /* … is being told, one after the other, … */
		AFTERWARDS, /* … was told … */
		UNREADABLE, /* … or cannot be */
	} reading;
};

/* To ask the set itself changes it for a moment: another thread's epoll_ctl() could fail of that.
 * One that comes to the set later is reported at once, since it is not connected. */
static bool may_hold(const struct round *round, const struct rs_pending *pending)
{
	if (round->reading == MEANWHILE)
		return true;
	if (round->reading != UNREADABLE && !rs_is_single_threaded())
		return round->reading == BEFORE && pending->absent != round->epfd;
	return rs_registrations_has(pending, round->epfd);
}

/* A fork's child that waits for a set of its own leaves alone what it has from its parent. */
static bool is_waited_for(const struct rs_pending *pending, const struct round *round)
{
	return (rs_pending_is_ours(pending) && !is_unreported(pending)) || may_hold(round, pending);
}

static int64_t due_of(const struct rs_pending *pending, const struct round *round)
{
	int64_t due_ns = is_for(pending, round->epfd) ? rs_flight_due_ns(pending) : RS_FOREVER;

	return round->now_ns < due_ns || is_waited_for(pending, round) ? due_ns : RS_FOREVER;
}

static bool is_due(int fd, const struct round *round)
{
	struct rs_pending *pending = rs_flight_may_be_due(fd) ? rs_pending_hold(fd) : NULL;
	bool due = false;

	if (!pending)
		return false;
	due = round->now_ns >= due_of(pending, round);
	rs_pending_release(pending);
	return due;
}

/* What is due is done at once, since another thread may change the set. */
static void see(void *arg, int fd, uint32_t events, uint64_t data)
{
	const struct round *round = arg;
	const struct rs_registration registered = { .epfd = round->epfd,
						    .events = events,
						    .data = data };
	struct rs_pending *pending = is_due(fd, round) ? rs_flight_hold(fd) : NULL;

	if (!pending)
		return;
	if (round->now_ns >= due_of(pending, round)) {
		if (is_unreported(pending))
			(void)rs_registrations_mark(pending, &registered, 0);
		rs_registrations_see(pending, &registered);
		(void)rs_flight_advance(pending, round->now_ns, 0, NULL);
	}
	rs_pending_release(pending);
}

/* One that the set does not have, or not any more. With other threads it may have come since. */
static void advance(struct rs_pending *pending, const struct round *round)
{
	if (round->is_read && pending->stage == RS_PENDING_WAITS && rs_is_single_threaded())
		rs_registrations_all_seen(pending, round->epfd);
	(void)rs_flight_advance(pending, round->now_ns, 0, NULL);
}

/* To look after a command hardly ever touches a registration, and is done often. */
static bool touches_the_set(const struct rs_pending *pending)
{
	return pending->stage != RS_PENDING_WAITS || pending->step != RS_STEP_LOOK ||
	       is_unreported(pending);
}

/* Whose socket it is will be asked when something is due. */
static int64_t look_at_one(int fd, struct round *round)
{
	struct rs_pending *pending = rs_pending_hold(fd);
	int64_t due_ns;

	if (!pending)
		return RS_FOREVER;
	if (rs_registrations_marked(pending, round->epfd))
		pending->is_left = false;
	due_ns = due_of(pending, round);
	if (round->now_ns >= due_ns && touches_the_set(pending))
		round->to_read = true;
	rs_pending_release(pending);
	return due_ns;
}

static int64_t bring_on_one(int fd, struct round *round)
{
	struct rs_pending *pending = rs_flight_hold(fd);
	int64_t due_ns;

	if (!pending)
		return RS_FOREVER;
	if (round->now_ns >= due_of(pending, round))
		advance(pending, round);
	else if (round->is_read && round->now_ns >= rs_flight_due_ns(pending))
		pending->absent = round->epfd;
	due_ns = due_of(pending, round);
	rs_pending_release(pending);
	return due_ns;
}

/* Returns when there is more to do. */
static int64_t each(int64_t (*one)(int fd, struct round *round), struct round *round)
{
	int64_t due_ns = RS_FOREVER;
	unsigned next = 0;
	int fd;

	while ((fd = rs_pending_each(&next)) >= 0) {
		if (rs_flight_may_be_due(fd))
			due_ns = rs_ns_min(due_ns, one(fd, round));
	}
	return due_ns;
}

/* Do what is due of what this set holds. Returns when there is more to do. */
static int64_t prepare_set(int epfd, int64_t now_ns)
{
	struct round round = { .epfd = epfd, .now_ns = now_ns };
	int64_t due_ns = each(look_at_one, &round);

	if (now_ns < due_ns)
		return due_ns;
	round.reading = MEANWHILE;
	round.is_read = round.to_read && rs_registrations_read(epfd, see, &round) == 0;
	round.reading = round.to_read && !round.is_read ? UNREADABLE : AFTERWARDS;
	return each(bring_on_one, &round);
}

static int64_t prepare(int epfd, int64_t now_ns)
{
	int64_t due_ns = prepare_set(epfd, now_ns);

	return rs_ns_min(due_ns, rs_left_bring_on(now_ns));
}

/* ---- where all is plain ---- */

bool rs_epoll_plainly(const struct rs_epoll_wait *call)
{
	if (rs_pending_any_special())
		return false;
	for (int i = 0; i < call->ready; i++) {
		if (call->events[i].events & RS_EPOLL_ENDED)
			return false;
	}
	atomic_fetch_add_explicit(&rs_pending_unseen, 1, memory_order_relaxed);
	return true;
}

/* ---- the wait ---- */

static int milliseconds(int64_t until_ns, int64_t now_ns)
{
	int64_t left_ns = rs_ns_max(0, until_ns - now_ns);

	if (until_ns == RS_FOREVER)
		return -1;
	left_ns = rs_ns_add(left_ns, RS_NS_PER_MS - 1);
	return (int)rs_ns_min(left_ns / RS_NS_PER_MS, INT_MAX);
}

static int wait_real(const struct rs_epoll_wait *call, int64_t until_ns, int64_t now_ns,
		     const sigset_t *mask)
{
	struct timespec left;

	if (call->by != RS_EPOLL_PWAIT2)
		return rs_real_epoll_pwait(call->epfd, call->events, call->max,
					   milliseconds(until_ns, now_ns), mask);
	return rs_real_epoll_pwait2(call->epfd, call->events, call->max,
				    rs_time_left(until_ns, now_ns, &left), mask);
}

static int wait_once(const struct rs_epoll_wait *call, int64_t until_ns, int64_t now_ns,
		     const struct rs_limit *limit)
{
	int ready;

	rs_signals_drop_ignored(limit->mask);
	rs_cancel_let(limit->before);
	ready = wait_real(call, until_ns, now_ns, limit->mask);
	rs_cancel_hold();
	return ready;
}

static int report_ready(const struct rs_epoll_wait *call, int ready, int64_t now_ns)
{
	return ready > 0 ? rs_epoll_report(call->epfd, call->events, ready, now_ns) : ready;
}

/* A return of which nothing was to be seen is none: there may be more behind it. When the time is
 * over no further attempts are made, whose failures would be next: there is an end to what can be
 * hidden, and to the looks for it. */
static int wait_all(const struct rs_epoll_wait *call, const struct rs_limit *limit)
{
	int64_t now_ns = rs_now_ns(), due_ns;
	int ready = call->ready, seen = report_ready(call, ready, now_ns), late = 0;

	rs_flight_sweep(now_ns);
	for (bool first = true; seen == 0; first = false) {
		due_ns = limit->deadline_ns;
		if (first || now_ns < due_ns)
			due_ns = rs_ns_min(due_ns, prepare(call->epfd, now_ns));
		ready = wait_once(call, due_ns, now_ns, limit);
		now_ns = rs_now_ns();
		seen = report_ready(call, ready, now_ns);
		if (now_ns >= limit->deadline_ns && (ready <= 0 || late++ == LATE_ROUNDS))
			break;
	}
	return seen;
}

int rs_wait_epoll(const struct rs_epoll_wait *call, struct rs_limit limit)
{
	struct rs_before before;
	int ready, error = errno; /* which a wait that succeeds leaves as it is */

	/* What was reported would be lost. */
	if (call->ready > 0)
		rs_signals_hold(&before);
	else
		rs_signals_hold_to_wait(&before);
	limit.before = &before;
	if (!limit.mask)
		limit.mask = &before.mask;
	ready = wait_all(call, &limit);
	if (ready < 0)
		error = errno;
	rs_left_by(call->epfd);
	rs_signals_let(&before);
	errno = error;
	return ready;
}
