#include "connect/ask.h"

#include <errno.h>
#include <poll.h>

#include "connect/flight.h"
#include "connect/socket.h"
#include "connect/waits.h"
#include "pause.h"
#include "process.h"
#include "real_libc.h"
#include "retry/ns.h"

/* Wait for what comes next: the time of the next attempt, or the end of the one that flies, at
 * until_ns at the latest. False: a handled signal came first. */
static bool wait_for_change(int fd, enum rs_pending_stage stage, int64_t until_ns,
			    const struct rs_before *before)
{
	struct pollfd end = { .fd = fd, .events = POLLOUT };
	nfds_t count = stage == RS_PENDING_FLYING;
	struct timespec left;
	int ready;

	rs_cancel_let(before);
	ready = rs_real_ppoll(&end, count, rs_time_left(until_ns, rs_now_ns(), &left),
			      &before->mask);
	rs_cancel_hold();
	return ready >= 0;
}

/* Is the outcome open, and hidden from the program? The first attempt of all is not: of a connect
 * that is just under way everybody may know. */
static bool is_open(const struct rs_pending *pending)
{
	return pending->stage == RS_PENDING_WAITS ||
	       (pending->stage == RS_PENDING_FLYING && pending->state.attempts > 1);
}

/* Returns the place, held, when there is nothing to wait for; NULL where there is none. */
static struct rs_pending *settle(int fd, const struct rs_before *before)
{
	struct rs_pending *pending;
	enum rs_pending_stage stage;
	int64_t due_ns;

	while ((pending = rs_flight_hold(fd))) {
		stage = rs_flight_advance(pending, rs_now_ns(), 0, NULL);
		if (!is_open(pending))
			break;
		due_ns = rs_flight_due_ns(pending);
		rs_pending_release(pending);
		if (wait_for_change(fd, stage, due_ns, before))
			continue;
		pending = rs_flight_hold(fd);
		if (pending && is_open(pending))
			rs_flight_cancel(pending);
		break;
	}
	return pending;
}

/* Also where it is told by us the kernel has nothing to say about it any more. */
static int last_error(const struct rs_pending *pending)
{
	int error = rs_socket_take_error(pending->fd);

	return pending->kernel_tells ? error : pending->error;
}

/* The program is told: then it knows as much as we do. */
static bool tell(int fd, const struct rs_before *before, int *error)
{
	struct rs_pending *pending = settle(fd, before);
	bool failed;

	if (!pending)
		return false;
	failed = pending->stage == RS_PENDING_FAILED;
	if (failed) {
		*error = last_error(pending);
		pending->stage = RS_PENDING_NONE;
	}
	rs_pending_release(pending);
	return failed;
}

/* getsockopt() is no cancellation point, but for the wait. */
static void hold(int fd, struct rs_before *before)
{
	if (rs_pending_may_be(fd, RS_PENDING_WAITS))
		rs_signals_hold_to_wait(before);
	else
		rs_signals_hold(before);
}

bool rs_ask_error(int fd, int *error)
{
	struct rs_before before;
	bool told;

	if (!rs_pending_has(fd))
		return false;
	hold(fd, &before);
	told = tell(fd, &before, error);
	rs_signals_let(&before);
	return told;
}

bool rs_ask_told_error(int fd, int *error)
{
	enum rs_pending_stage stage = RS_PENDING_NONE;
	struct rs_pending *pending;
	struct rs_before before;

	if (!rs_pending_has(fd))
		return false;
	rs_signals_hold_to_wait(&before);
	pending = rs_flight_hold(fd);
	if (pending) {
		stage = rs_flight_told(pending, *error);
		rs_pending_release(pending);
	}
	/* It may have connected in the end. */
	if (stage != RS_PENDING_NONE && !tell(fd, &before, error))
		*error = rs_socket_take_error(fd);
	rs_signals_let(&before);
	return stage != RS_PENDING_NONE;
}

void rs_ask_forget(int fd)
{
	struct rs_before before;

	if (!rs_pending_has(fd) || rs_flight_dropped(fd, rs_pending_taken()) ||
	    rs_pending_is_anothers(fd))
		return;
	rs_signals_hold(&before);
	rs_flight_forget(fd);
	rs_signals_let(&before);
}

/* The first attempt was put off, and nothing has failed: that is what the kernel would say. On a
 * blocking socket it would wait. */
static bool is_yet_to_begin(int fd, int *error)
{
	struct rs_pending *pending = rs_flight_hold(fd);
	bool yet_to_begin;

	if (!pending)
		return false;
	(void)rs_flight_advance(pending, rs_now_ns(), 0, NULL);
	yet_to_begin = rs_socket_is_nonblocking(fd) && pending->stage == RS_PENDING_WAITS &&
		       pending->error == 0;
	rs_pending_release(pending);
	*error = EALREADY;
	return yet_to_begin;
}

/* As the kernel has it that tells by connect(): the next one begins anew. What it has told in
 * another way before it does not tell again. A fork's other process may have connected since. */
static void begin_anew(int fd, int *error)
{
	if (*error == 0)
		*error = ECONNABORTED;
	if (rs_socket_past(fd) != RS_SOCKET_WAS_CONNECTED)
		rs_socket_dissolve(fd);
}

/* An address that cannot be read is for the kernel to complain of, whatever became of the socket.
 */
static bool ask_connect(const struct rs_connect *call, const struct rs_before *before, int *error)
{
	struct sockaddr_storage addr;

	if (!rs_connect_copy_address(&addr, call, RS_ADDRESS_UNREAD))
		return false;
	if (addr.ss_family == AF_UNSPEC) {
		rs_flight_forget(call->fd);
		return false;
	}
	if (is_yet_to_begin(call->fd, error))
		return true;
	if (!tell(call->fd, before, error))
		return false;
	if (addr.ss_family != AF_UNIX)
		begin_anew(call->fd, error);
	return true;
}

bool rs_ask_connect(const struct rs_connect *call, int *error)
{
	struct rs_before before;
	bool told;

	if (!rs_pending_has(call->fd))
		return false;
	rs_signals_hold_to_wait(&before);
	told = ask_connect(call, &before, error);
	rs_signals_let(&before);
	return told;
}
