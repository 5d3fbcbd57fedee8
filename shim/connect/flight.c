#include "connect/flight.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stddef.h>
#include <string.h>

#include "connect/judge.h"
#include "connect/launch.h"
#include "connect/registrations.h"
#include "connect/setback.h"
#include "connect/socket.h"
#include "ops/stats.h"
#include "pause.h"
#include "process.h"
#include "real_libc.h"
#include "retry/match.h"
#include "retry/ns.h"

static bool rules_cover(const struct rs_rules *rules, const struct rs_target *target)
{
	return rules && rs_connect_rules_name_any(rules) && rs_first_covering(rules, target);
}

/* ---- how an attempt ended ---- */

/* These break a connection that was there, and of which the program may have made use without
 * having been told. One that did not come about is refused, or times out. */
static bool breaks_a_connection(int error)
{
	return error == ECONNRESET || error == EPIPE;
}

/* A wait may have told the program of a connection without our knowing of which; what becomes of it
 * then is none of ours. Where the kernel does not tell, any may have been that. */
static bool was_connected(const struct rs_pending *pending, enum rs_socket_past past)
{
	switch (past) {
	case RS_SOCKET_NEVER_CONNECTED:
	case RS_SOCKET_WAS_REFUSED:
		return false;
	case RS_SOCKET_WAS_CONNECTED:
		return true;
	case RS_SOCKET_DOES_NOT_TELL:
		break;
	}
	return pending->unseen != atomic_load_explicit(&rs_pending_unseen, memory_order_relaxed);
}

/* Is the descriptor still the socket whose connect this was? Where no cookie was noted, where it
 * was to be connected to says so; from now on the cookie does. */
static bool is_still_the_same(struct rs_pending *pending)
{
	if (pending->cookie != 0)
		return true;
	pending->cookie = rs_socket_cookie(pending->fd);
	return pending->cookie != 0 && rs_socket_aimed_at(pending->fd, &pending->addr);
}

static bool can_be_hidden(int fd)
{
	return rs_socket_connects(fd) && !rs_socket_sends_signals(fd);
}

static bool may_be_judged(const struct rs_pending *pending)
{
	struct rs_connect_target about;

	return rs_pending_describe(&about, pending) &&
	       rules_cover(rs_process_rules_at_failure(RS_CALL_CONNECT), &about.target) &&
	       can_be_hidden(pending->fd);
}

/* Another process that has the socket, too, may have called the attempt off, as it would have been
 * here; or have taken the error. Then that is what it was last, or what connect() says of such a
 * socket: never success. */
static int error_left(const struct rs_pending *pending)
{
	int error = rs_socket_take_error(pending->fd);

	if ((error == 0 || error == ECONNRESET) && rs_now_ns() >= pending->ends_ns)
		return ETIMEDOUT;
	if (error == 0)
		error = pending->error;
	return error ? error : ECONNABORTED;
}

/* To ask the kernel for the error takes it away, and the program may be about to learn of it by
 * other means than by asking: by reading, or writing. So that is done only where there is no other
 * way to know it. The program is told by us then. */
static int find_error(struct rs_pending *pending, enum rs_socket_past past)
{
	pending->kernel_tells = past == RS_SOCKET_WAS_REFUSED;
	return pending->kernel_tells ? ECONNREFUSED : error_left(pending);
}

/* Another process that has the socket, too, may be at its next attempt. */
static bool is_hung_up(int fd)
{
	struct pollfd now = { .fd = fd };

	return rs_real_poll(&now, 1, 0) == 1 && (now.revents & POLLHUP) != 0;
}

/* A socket whose error was taken looks to who reads from it like a connection that was closed. One
 * that is as if it had never been connected does not. */
static enum rs_pending_stage end(const struct rs_pending *pending, enum rs_pending_stage stage)
{
	if (stage == RS_PENDING_FAILED && !pending->kernel_tells && is_hung_up(pending->fd))
		rs_launch_call_off(pending);
	return stage;
}

/* Only what a rule could want to know is found out. `error`: the program has asked for it already;
 * 0: it has not. */
static enum rs_pending_stage failed(struct rs_pending *pending, int error)
{
	bool is_ours = is_still_the_same(pending);
	enum rs_socket_past past = is_ours ? rs_socket_past(pending->fd) : RS_SOCKET_DOES_NOT_TELL;

	if (is_ours && was_connected(pending, past))
		return rs_launch_arrived(pending);
	is_ours = is_ours && may_be_judged(pending);
	if (is_ours && error == 0)
		error = find_error(pending, past);
	if (!is_ours) {
		rs_setback_none(pending);
		return RS_PENDING_NONE;
	}
	if (!breaks_a_connection(error))
		return end(pending, rs_setback(pending, error));
	rs_setback_none(pending);
	pending->error = error;
	return RS_PENDING_FAILED;
}

static enum rs_pending_stage look(struct rs_pending *pending, short events, short *revents)
{
	struct pollfd now = { .fd = pending->fd, .events = (short)(events | POLLOUT) };
	enum rs_pending_stage stage;

	if (rs_real_poll(&now, 1, 0) <= 0)
		return RS_PENDING_FLYING;
	stage = (now.revents & (POLLERR | POLLHUP)) ? failed(pending, 0)
						    : rs_launch_arrived(pending);
	if (stage != RS_PENDING_WAITS)
		*revents = (short)(now.revents & (events | POLLERR | POLLHUP | POLLNVAL));
	return stage;
}

/* ---- becoming pending ---- */

static void pass(const struct rs_rules *rules)
{
	if (rules)
		rs_stats_passed(rules, RS_CALL_CONNECT);
}

/* An Internet address that can be noted. A Unix socket's connect() is never under way. */
static bool is_noted(const struct rs_connect *call)
{
	sa_family_t family = AF_UNSPEC;

	if (call->len >= sizeof(struct sockaddr_in) && call->len <= sizeof(struct sockaddr_storage))
		memcpy(&family, (const char *)call->addr + offsetof(struct sockaddr, sa_family),
		       sizeof(family));
	return family == AF_INET ||
	       (family == AF_INET6 && call->len >= offsetof(struct sockaddr_in6, sin6_scope_id));
}

/* What takes an end of its own, or a place that is not simply there. */
static void begin_with_care(const struct rs_connect *call)
{
	struct sockaddr_storage addr;
	struct rs_pending *pending;

	if (!rs_limits_possible) {
		rs_flight_land_all();
		if (rs_pending_note(call))
			return;
	}
	pending = rs_connect_copy_address(&addr, call, RS_ADDRESS_READ)
			  ? rs_pending_add(call, &addr)
			  : NULL;
	if (!pending) {
		pass(rs_process_rules_if_loaded());
		return;
	}
	if (rs_limits_possible)
		rs_launch_limit(pending);
	rs_pending_release(pending);
}

__attribute__((noinline)) static void begin_held(const struct rs_connect *call)
{
	int saved_errno = errno;
	struct rs_before before;

	rs_signals_hold(&before);
	begin_with_care(call);
	rs_signals_let(&before);
	errno = saved_errno;
}

void rs_flight_begin(const struct rs_connect *call)
{
	const struct rs_rules *rules = rs_process_rules_if_loaded();

	if (!is_noted(call) || (rules && !rs_connect_rules_name_any(rules))) {
		pass(rules);
		return;
	}
	if (!rs_limits_possible && rs_pending_note(call))
		return;
	begin_held(call);
}

static struct rs_pending *add(const struct rs_connect *call, enum rs_address_state state)
{
	struct sockaddr_storage addr;

	if (!rs_connect_copy_address(&addr, call, state) || !rs_socket_is_fresh(call->fd) ||
	    rs_socket_sends_signals(call->fd))
		return NULL;
	return rs_pending_add(call, &addr);
}

int rs_flight_failed_at_once(const struct rs_connect *call, int error)
{
	struct rs_pending *pending = add(call, rs_connect_address_after(error));
	enum rs_pending_stage stage;

	if (!pending) {
		pass(rs_process_rules_if_loaded());
		return -error;
	}
	stage = rs_setback(pending, error);
	pending->stage = stage == RS_PENDING_WAITS ? stage : RS_PENDING_NONE;
	if (stage == RS_PENDING_WAITS)
		rs_socket_bind_again(call->fd);
	rs_pending_release(pending);
	return stage == RS_PENDING_WAITS ? -EINPROGRESS : -error;
}

bool rs_flight_struck(const struct rs_connect *call, const struct rs_fault_strike *strike)
{
	struct rs_pending *pending = add(call, RS_ADDRESS_UNREAD);

	if (!pending)
		return false;
	pending->stage = rs_launch_put_off(pending, strike);
	rs_pending_release(pending);
	return true;
}

bool rs_flight_paced(const struct rs_connect *call, int64_t due_ns)
{
	struct rs_pending *pending = add(call, RS_ADDRESS_UNREAD);

	if (!pending)
		return false;
	pending->state.attempts = 0;
	pending->stage = RS_PENDING_WAITS;
	pending->step = RS_STEP_ATTEMPT;
	pending->due_ns = due_ns;
	rs_pending_release(pending);
	return true;
}

/* ---- the outside ---- */

struct rs_pending *rs_flight_hold(int fd)
{
	struct rs_pending *pending = rs_pending_hold(fd);

	if (!pending || pending->cookie == 0 || rs_socket_cookie(fd) == pending->cookie)
		return pending;
	if (pending->stage != RS_PENDING_FAILED)
		rs_setback_none(pending);
	pending->stage = RS_PENDING_NONE;
	rs_pending_release(pending);
	return NULL;
}

static enum rs_pending_stage step(struct rs_pending *pending)
{
	switch (pending->step) {
	case RS_STEP_ATTEMPT:
		return rs_launch_attempt(pending);
	case RS_STEP_LAUNCH:
		return rs_launch_real(pending);
	case RS_STEP_STRIKE:
		return rs_setback(pending, pending->struck);
	case RS_STEP_LOOK:
		break;
	}
	return rs_setback_look(pending);
}

static void step_on(struct rs_pending *pending)
{
	pending->stage = end(pending, step(pending));
	if (pending->stage != RS_PENDING_WAITS)
		rs_registrations_restore(pending);
}

/* It is called off, so that the next one is free to begin. */
static enum rs_pending_stage time_out(struct rs_pending *pending, short events, short *revents)
{
	enum rs_pending_stage stage;

	rs_launch_call_off(pending);
	stage = rs_setback(pending, ETIMEDOUT);
	if (stage == RS_PENDING_FAILED)
		*revents = (short)((events & POLLOUT) | POLLHUP);
	return stage;
}

int64_t rs_flight_due_ns(const struct rs_pending *pending)
{
	switch (pending->stage) {
	case RS_PENDING_WAITS:
		return pending->due_ns;
	case RS_PENDING_FLYING:
		return pending->ends_ns;
	case RS_PENDING_NONE:
	case RS_PENDING_FAILED:
		break;
	}
	return RS_FOREVER;
}

enum rs_pending_stage rs_flight_advance(struct rs_pending *pending, int64_t now_ns, short events,
					short *revents)
{
	short unused;

	if (!revents)
		revents = &unused;
	*revents = 0;
	if (pending->stage == RS_PENDING_WAITS && now_ns >= pending->due_ns)
		step_on(pending);
	if (pending->stage == RS_PENDING_FLYING)
		pending->stage = look(pending, events, revents);
	if (pending->stage == RS_PENDING_FLYING && now_ns >= pending->ends_ns)
		pending->stage = time_out(pending, events, revents);
	return pending->stage;
}

/* Between attempts that is their end; one under way may have come to its own meanwhile. One whose
 * first attempt was put off makes it now: it has not failed, and may not. */
void rs_flight_cancel(struct rs_pending *pending)
{
	short unused;

	while (pending->stage == RS_PENDING_WAITS && pending->error == 0)
		step_on(pending);
	if (pending->error == 0)
		return;
	if (pending->stage == RS_PENDING_FLYING)
		pending->stage = look(pending, 0, &unused);
	if (pending->stage == RS_PENDING_NONE || pending->stage == RS_PENDING_FAILED)
		return;
	if (pending->stage == RS_PENDING_FLYING)
		rs_launch_call_off(pending);
	rs_registrations_restore(pending);
	pending->stage = end(pending, RS_PENDING_FAILED);
	rs_setback_cancel(pending);
}

void rs_flight_forget(int fd)
{
	struct rs_pending *pending = rs_flight_hold(fd);

	if (!pending)
		return;
	if (pending->stage == RS_PENDING_WAITS) {
		rs_registrations_restore(pending);
		if (pending->errand.runs)
			rs_setback_cancel(pending);
	}
	if (pending->stage != RS_PENDING_FAILED)
		rs_setback_none(pending);
	pending->stage = RS_PENDING_NONE;
	rs_pending_release(pending);
}

enum rs_pending_stage rs_flight_told(struct rs_pending *pending, int error)
{
	pending->kernel_tells = false;
	if (pending->stage == RS_PENDING_FLYING)
		pending->stage = failed(pending, error);
	return pending->stage;
}
