#include "connect/left.h"

#include "connect/flight.h"
#include "connect/pending.h"
#include "connect/registrations.h"
#include "process.h"
#include "retry/ns.h"

/* An attempt that flies may be for whoever waits to end: which set knows it is not known. */
static int next_left(unsigned *next)
{
	int fd;

	while ((fd = rs_pending_each(next)) >= 0) {
		if (rs_flight_may_be_due(fd))
			break;
	}
	return fd;
}

bool rs_left_maybe(void)
{
	unsigned next = 0;

	return next_left(&next) >= 0;
}

static int64_t due_of(const struct rs_pending *pending)
{
	if (!rs_pending_is_ours(pending) ||
	    (pending->stage == RS_PENDING_WAITS && !pending->is_left))
		return RS_FOREVER;
	return rs_flight_due_ns(pending);
}

/* Whose socket it is will be asked when something is due. */
static int64_t look_at_one(int fd)
{
	struct rs_pending *pending = rs_pending_hold(fd);
	int64_t due_ns;

	if (!pending)
		return RS_FOREVER;
	due_ns = due_of(pending);
	rs_pending_release(pending);
	return due_ns;
}

static int64_t bring_on_one(int fd, int64_t now_ns)
{
	struct rs_pending *pending = rs_flight_hold(fd);
	int64_t due_ns;

	if (!pending)
		return RS_FOREVER;
	if (now_ns >= due_of(pending))
		(void)rs_flight_advance(pending, now_ns, 0, NULL);
	due_ns = due_of(pending);
	rs_pending_release(pending);
	return due_ns;
}

int64_t rs_left_bring_on(int64_t now_ns)
{
	int64_t first_ns = RS_FOREVER, due_ns;
	unsigned next = 0;
	int fd;

	while ((fd = next_left(&next)) >= 0) {
		due_ns = look_at_one(fd);
		if (now_ns >= due_ns)
			due_ns = bring_on_one(fd, now_ns);
		first_ns = rs_ns_min(first_ns, due_ns);
	}
	return first_ns;
}

void rs_left_by(int epfd)
{
	unsigned next = 0;
	int fd;

	while ((fd = next_left(&next)) >= 0) {
		struct rs_pending *pending = rs_pending_hold(fd);

		if (!pending)
			continue;
		if (rs_registrations_marked(pending, epfd))
			pending->is_left = true;
		rs_pending_release(pending);
	}
}
