#include "connect/epoll_report.h"

#include <poll.h>

#include "connect/flight.h"
#include "connect/registrations.h"
#include "process.h"
#include "real_libc.h"

/* How often a set is read again that changes under our eyes. */
#define ROUNDS 4
#define AT_END ((uint32_t)(EPOLLIN | EPOLLRDNORM | EPOLLRDHUP))

/* The events of one return, and the set they came from. */
struct reported {
	int epfd;
	struct epoll_event *events;
	int count;
	int64_t now_ns;
	bool outdated; /* what was read of the set: it has changed meanwhile */
	bool is_fresh; /* it was read to mark what WAITS, and for nothing that takes time */
	bool is_loud;  /* there is such */
};

static bool speaks_of(const struct epoll_event *event, uint64_t data)
{
	return event->data.u64 == data && (event->events & RS_EPOLL_ENDED) != 0;
}

/* Of the ends that were reported the one for this data; NULL: there is none. Where several
 * descriptors have the same, a connect that failed has an error, and a peer that went away none. */
static struct epoll_event *end_of(const struct reported *reported, uint64_t data)
{
	struct epoll_event *end = NULL;

	for (int i = 0; i < reported->count; i++) {
		struct epoll_event *event = &reported->events[i];

		if (speaks_of(event, data) && (!end || (event->events & ~end->events & EPOLLERR)))
			end = event;
	}
	return end;
}

/* What was reported for this data, if it was the end. */
static uint32_t reported_for(const struct reported *reported, uint64_t data)
{
	const struct epoll_event *end = end_of(reported, data);

	return end ? end->events : 0;
}

/* The end that was reported is none that the program may know of. */
static void hide(const struct reported *reported, uint64_t data)
{
	struct epoll_event *end = end_of(reported, data);

	if (end)
		end->events = 0;
}

/* It may, and whole: to have looked at the error has taken EPOLLERR away, and where a fault was the
 * error the kernel knows of no end. */
static void show(const struct reported *reported, const struct rs_pending *pending,
		 const struct rs_registration *registration)
{
	struct epoll_event *end = end_of(reported, registration->data);

	if (end)
		end->events |= EPOLLERR | (rs_registrations_events(pending, registration) & AT_END);
}

/* ---- what another thread has been at meanwhile ---- */

/* One that cannot be looked at may be. */
static bool is_at_end(int fd)
{
	struct pollfd now = { .fd = fd };

	return fd < 0 || rs_real_poll(&now, 1, 0) < 0 || (now.revents & (POLLHUP | POLLNVAL)) != 0;
}

/* Another descriptor with the same data may have ended. */
struct namesake {
	int fd;
	uint64_t data;
	bool ended;
};

static void look_for_namesake(void *arg, int fd, uint32_t events, uint64_t data)
{
	struct namesake *namesake = arg;

	(void)events;
	if (fd != namesake->fd && data == namesake->data && !namesake->ended)
		namesake->ended = is_at_end(fd);
}

static bool has_namesake(int epfd, int fd, uint64_t data)
{
	struct namesake namesake = { .fd = fd, .data = data };

	return rs_registrations_read(epfd, look_for_namesake, &namesake) == 0 && namesake.ended;
}

/* An end that was reported before another thread took the descriptor out of sight. */
static void hide_earlier(const struct reported *reported, int fd, uint64_t data)
{
	if (!rs_is_single_threaded() && end_of(reported, data) &&
	    !has_namesake(reported->epfd, fd, data))
		hide(reported, data);
}

/* What a thread was told may have been hidden from the program, and be over, before the thread got
 * round to it: then the program has yet to be told how it ended. A connection does not come back
 * from a HUP by itself. */
static void hide_outdated(const struct reported *reported, int fd,
			  const struct rs_registration *registration)
{
	uint32_t events = reported_for(reported, registration->data);

	if ((events & EPOLLHUP) == 0 || rs_is_single_threaded() || is_at_end(fd) ||
	    has_namesake(reported->epfd, fd, registration->data))
		return;
	hide(reported, registration->data);
	rs_registrations_rearm(fd, registration, events);
}

/* What the program asks for in another thread while failures are judged would be overwritten: a set
 * is read again for the marks, once for all of them. */
static bool may_mark(const struct reported *reported)
{
	return reported->is_fresh || rs_is_single_threaded();
}

/* A descriptor in the set that has a place. A next attempt that is due is not made here: its
 * registration would not be known. */
static enum rs_pending_stage take_pending(struct reported *reported, struct rs_pending *pending,
					  const struct rs_registration *registration)
{
	uint32_t events = reported_for(reported, registration->data);
	enum rs_pending_stage stage = pending->stage;

	if (stage == RS_PENDING_FLYING && !reported->is_fresh)
		stage = rs_flight_advance(pending, reported->now_ns, 0, NULL);
	if (stage == RS_PENDING_WAITS && !may_mark(reported)) {
		reported->is_loud = true;
		return stage;
	}
	if (stage == RS_PENDING_WAITS && !rs_registrations_mark(pending, registration, events)) {
		rs_flight_cancel(pending);
		stage = pending->stage;
	}
	if (stage == RS_PENDING_FLYING)
		rs_registrations_rearm(pending->fd, registration, events);
	if (stage == RS_PENDING_FLYING || stage == RS_PENDING_WAITS) {
		hide(reported, registration->data);
		hide_earlier(reported, pending->fd, rs_registrations_data(pending, reported->epfd));
	}
	if (stage == RS_PENDING_FAILED && !pending->kernel_tells)
		show(reported, pending, registration);
	return stage;
}

static void take_registered(void *arg, int fd, uint32_t events, uint64_t data)
{
	struct reported *reported = arg;
	const struct rs_registration registration = { .epfd = reported->epfd,
						      .events = events,
						      .data = data };
	struct rs_pending *pending = rs_pending_has(fd) ? rs_flight_hold(fd) : NULL;
	enum rs_pending_stage stage = RS_PENDING_NONE;

	if (pending) {
		stage = take_pending(reported, pending, &registration);
		rs_pending_release(pending);
	}
	if (stage == RS_PENDING_NONE)
		hide_outdated(reported, fd, &registration);
	if (stage == RS_PENDING_NONE && rs_pending_is_place(data))
		reported->outdated = true;
}

/* ---- where the set cannot be read ---- */

static void end_one(struct rs_pending *pending, int64_t now_ns)
{
	if (pending->stage == RS_PENDING_FLYING)
		(void)rs_flight_advance(pending, now_ns, 0, NULL);
	if (pending->stage == RS_PENDING_WAITS)
		rs_flight_cancel(pending);
}

/* A set that cannot be read (no /proc, no descriptor left) cannot be kept quiet, either. What has
 * failed of that which it holds has failed for good: the program is told at once. It would ask
 * else, and have to wait for the answer. */
static void end_all(const struct reported *reported)
{
	unsigned next = 0;
	int fd;

	while ((fd = rs_pending_each(&next)) >= 0) {
		struct rs_pending *pending = rs_flight_hold(fd);

		if (!pending)
			continue;
		if (!rs_registrations_marked(pending, reported->epfd) &&
		    rs_registrations_has(pending, reported->epfd))
			end_one(pending, reported->now_ns);
		rs_pending_release(pending);
	}
}

/* ---- what the program gets to see ---- */

static bool any_ended(const struct reported *reported)
{
	for (int i = 0; i < reported->count; i++) {
		const struct epoll_event *event = &reported->events[i];

		if ((event->events & RS_EPOLL_ENDED) && !rs_pending_is_place(event->data.u64))
			return true;
	}
	return false;
}

static bool may_see(const struct epoll_event *event)
{
	return event->events != 0 && !rs_pending_is_place(event->data.u64);
}

/* 0 or -errno. */
static int read_set(struct reported *reported)
{
	int status;

	reported->outdated = reported->is_fresh = reported->is_loud = false;
	status = rs_registrations_read(reported->epfd, take_registered, reported);
	reported->is_fresh = true;
	if (status == 0 && reported->is_loud)
		status = rs_registrations_read(reported->epfd, take_registered, reported);
	return status;
}

int rs_epoll_report(int epfd, struct epoll_event *events, int count, int64_t now_ns)
{
	struct reported reported = {
		.epfd = epfd, .events = events, .count = count, .now_ns = now_ns
	};
	int seen = 0, round = 0;

	rs_flight_land_all();
	do {
		reported.outdated = false;
		if (any_ended(&reported) && (rs_pending_any() || rs_pending_ever_special()) &&
		    read_set(&reported) != 0)
			end_all(&reported);
	} while (reported.outdated && round++ < ROUNDS);
	for (int i = 0; i < count; i++) {
		if (may_see(&events[i]))
			events[seen++] = events[i];
	}
	return seen;
}
