#include "connect/flight.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>

#include "connect/first.h"
#include "connect/judge.h"
#include "connect/registrations.h"
#include "connect/socket.h"
#include "connect/target.h"
#include "mark.h"
#include "process.h"
#include "real_libc.h"
#include "retry/match.h"
#include "retry/ns.h"

#define SWEEP_NS (100 * RS_NS_PER_MS)

/* ---- what the rules say ---- */

static bool describe(struct rs_connect_target *about, const struct rs_pending *pending)
{
	if (!rs_connect_target(about, &pending->addr, pending->len))
		return false;
	about->target.program = rs_program_name();
	return true;
}

static bool rules_cover(const struct rs_rules *rules, const struct rs_target *target)
{
	return rules && rs_connect_rules_name_any(rules) && rs_first_covering(rules, target);
}

static enum rs_pending_stage judge(struct rs_pending *pending, const struct rs_rules *rules,
				   const struct rs_target *target, int error)
{
	struct rs_history history = { .count = 0 };
	struct rs_connect_failure failure = {
		.rules = rules,
		.target = target,
		.state = &pending->state,
		.history = &history,
		.outcome = rs_connect_outcome(error),
	};

	pending->error = error;
	if (pending->state.started_ns == 0)
		pending->state.started_ns = rs_mark_ns(pending->began);
	if (!rs_connect_rules_name(rules, error) || !rs_connect_judge(&failure) ||
	    !rs_connect_goes_on(&failure))
		return RS_PENDING_FAILED;
	pending->due_ns = rs_ns_add(failure.now_ns, failure.decision.wait_ns);
	return RS_PENDING_WAITS;
}

/* ---- how an attempt ended ---- */

static enum rs_pending_stage connected(struct rs_pending *pending)
{
	const struct rs_rules *rules = rs_process_rules_if_loaded();
	struct rs_connect_target about;
	const struct rs_connect call = {
		.fd = pending->fd,
		.addr = (const struct sockaddr *)&pending->addr,
		.len = pending->len,
	};

	if (pending->state.attempts == 1)
		rs_connect_succeeded(&call);
	else if (rules && describe(&about, pending))
		rs_connect_recovered(rules, &about.target, &pending->state);
	return RS_PENDING_NONE;
}

/* A connection that did not come about is refused or times out; these break one that was there,
 * and of which the program may have made use without having been told. */
static bool was_connected(int error)
{
	return error == ECONNRESET || error == EPIPE;
}

/* The kernel says no more than that it has failed: to ask for the error takes it away. So that is
 * done only where a rule could want to know it; the program is told by us then. */
static enum rs_pending_stage failed(struct rs_pending *pending)
{
	const struct rs_rules *rules = rs_process_rules_at_failure();
	struct rs_connect_target about;
	int error = 0;
	socklen_t len = sizeof(error);

	if (!describe(&about, pending) || !rules_cover(rules, &about.target) ||
	    !rs_socket_connects(pending->fd))
		return RS_PENDING_NONE;
	if (rs_real_getsockopt(pending->fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0 || error == 0)
		return RS_PENDING_NONE;
	if (was_connected(error)) {
		pending->error = error;
		return RS_PENDING_FAILED;
	}
	return judge(pending, rules, &about.target, error);
}

static enum rs_pending_stage look(struct rs_pending *pending, short events, short *revents)
{
	struct pollfd now = { .fd = pending->fd, .events = (short)(events | POLLOUT) };
	enum rs_pending_stage stage;

	if (rs_real_poll(&now, 1, 0) <= 0)
		return RS_PENDING_FLYING;
	stage = (now.revents & (POLLERR | POLLHUP)) ? failed(pending) : connected(pending);
	if (stage != RS_PENDING_WAITS)
		*revents = (short)(now.revents & (events | POLLERR | POLLHUP | POLLNVAL));
	return stage;
}

/* ---- the next attempt ---- */

/* After a failure the socket remembers it: connecting to nowhere makes it forget, and keeps its
 * options and binding. */
static void clear(const struct rs_pending *pending)
{
	static const struct sockaddr nowhere = { .sa_family = AF_UNSPEC };

	if (pending->addr.ss_family != AF_UNIX)
		(void)rs_real_connect()(pending->fd, &nowhere, sizeof(nowhere));
}

static enum rs_pending_stage failed_at_once(struct rs_pending *pending, int error)
{
	const struct rs_rules *rules = rs_process_rules_at_failure();
	struct rs_connect_target about;

	pending->error = error;
	if (!rules || !describe(&about, pending))
		return RS_PENDING_FAILED;
	return judge(pending, rules, &about.target, error);
}

static enum rs_pending_stage launch(struct rs_pending *pending)
{
	const struct sockaddr *addr = (const struct sockaddr *)&pending->addr;

	clear(pending);
	pending->state.attempts++;
	if (rs_real_connect()(pending->fd, addr, pending->len) == 0 || errno == EISCONN)
		return connected(pending);
	if (!rs_connect_is_failure(errno))
		return RS_PENDING_FLYING;
	return failed_at_once(pending, errno);
}

/* connect() is a cancellation point; the place that is held must not stay so. And the program may
 * have made the socket a blocking one: to connect it would stop everything. */
static enum rs_pending_stage attempt(struct rs_pending *pending)
{
	enum rs_pending_stage stage;
	int before;

	if (!rs_socket_is_nonblocking(pending->fd)) {
		rs_registrations_restore(pending);
		return RS_PENDING_FAILED;
	}
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before);
	stage = launch(pending);
	pthread_setcancelstate(before, NULL);
	if (stage != RS_PENDING_WAITS)
		rs_registrations_restore(pending);
	return stage;
}

/* ---- the outside ---- */

void rs_flight_begin(const struct rs_connect *call)
{
	const struct rs_rules *rules = rs_process_rules_if_loaded();
	struct rs_connect_target about;
	struct sockaddr_storage addr = { 0 };
	struct rs_pending *pending;

	if (call->len > sizeof(addr))
		return;
	memcpy(&addr, call->addr, call->len);
	if (!rs_connect_target(&about, &addr, call->len))
		return;
	if (rules) {
		about.target.program = rs_program_name();
		if (!rules_cover(rules, &about.target))
			return;
	}
	pending = rs_pending_add(call->fd, call->addr, call->len, call->began);
	if (pending)
		rs_pending_release(pending);
}

int rs_flight_failed_at_once(const struct rs_connect *call, int error)
{
	struct rs_pending *pending;
	enum rs_pending_stage stage;

	if (!rs_socket_connects(call->fd))
		return -error;
	pending = rs_pending_add(call->fd, call->addr, call->len, call->began);
	if (!pending)
		return -error;
	stage = failed_at_once(pending, error);
	pending->stage = stage == RS_PENDING_WAITS ? stage : RS_PENDING_NONE;
	rs_pending_release(pending);
	return stage == RS_PENDING_WAITS ? -EINPROGRESS : -error;
}

struct rs_pending *rs_flight_hold(int fd)
{
	struct rs_pending *pending = rs_pending_hold(fd);

	if (!pending || rs_socket_cookie(fd) == pending->cookie)
		return pending;
	pending->stage = RS_PENDING_NONE;
	rs_pending_release(pending);
	return NULL;
}

enum rs_pending_stage rs_flight_advance(struct rs_pending *pending, int64_t now_ns, short events,
					short *revents)
{
	short unused;

	if (!revents)
		revents = &unused;
	*revents = 0;
	if (pending->stage == RS_PENDING_WAITS && now_ns >= pending->due_ns)
		pending->stage = attempt(pending);
	if (pending->stage == RS_PENDING_FLYING)
		pending->stage = look(pending, events, revents);
	return pending->stage;
}

static void report_cancelled(struct rs_pending *pending, const struct rs_rules *rules,
			     const struct rs_target *target)
{
	struct rs_history history = { .count = 0 };
	struct rs_connect_failure failure = {
		.rules = rules,
		.target = target,
		.state = &pending->state,
		.history = &history,
		.outcome = rs_connect_outcome(pending->error),
		.rule = pending->state.last_rule,
	};

	if (failure.rule)
		rs_connect_cancelled(&failure);
}

void rs_flight_cancel(struct rs_pending *pending)
{
	const struct rs_rules *rules = rs_process_rules_at_failure();
	struct rs_connect_target about;

	if (pending->stage == RS_PENDING_FLYING)
		clear(pending);
	rs_registrations_restore(pending);
	pending->stage = RS_PENDING_FAILED;
	if (rules && describe(&about, pending))
		report_cancelled(pending, rules, &about.target);
}

void rs_flight_forget(int fd)
{
	struct rs_pending *pending = rs_flight_hold(fd);

	if (!pending)
		return;
	if (pending->stage == RS_PENDING_WAITS)
		rs_registrations_restore(pending);
	pending->stage = RS_PENDING_NONE;
	rs_pending_release(pending);
}

/* So many are looked at with one system call. */
#define AT_ONCE 64

static nfds_t collect_flying(struct pollfd *fds, unsigned *next)
{
	nfds_t count = 0;
	int fd;

	while (count < AT_ONCE && (fd = rs_pending_each(next)) >= 0) {
		if (rs_pending_may_be(fd, RS_PENDING_FLYING))
			fds[count++] = (struct pollfd){ .fd = fd, .events = POLLOUT };
	}
	return count;
}

/* Judged is a failure only where the program waits for it. */
static void land_one(int fd)
{
	struct rs_pending *pending = rs_flight_hold(fd);

	if (!pending)
		return;
	if (pending->stage == RS_PENDING_FLYING)
		pending->stage = connected(pending);
	rs_pending_release(pending);
}

void rs_flight_land_all(void)
{
	struct pollfd fds[AT_ONCE];
	unsigned next = 0;
	nfds_t count;

	while ((count = collect_flying(fds, &next)) > 0) {
		if (rs_real_poll(fds, count, 0) <= 0)
			continue;
		for (nfds_t i = 0; i < count; i++) {
			if (fds[i].revents == POLLOUT)
				land_one(fds[i].fd);
		}
	}
}

static void drop_if_closed(int fd)
{
	struct rs_pending *pending = rs_flight_hold(fd);

	if (pending)
		rs_pending_release(pending);
}

void rs_flight_sweep(int64_t now_ns)
{
	static _Atomic int64_t swept_ns;
	int64_t last_ns = atomic_load_explicit(&swept_ns, memory_order_relaxed);
	unsigned next = 0;
	int fd;

	if (now_ns - last_ns < SWEEP_NS ||
	    !atomic_compare_exchange_strong(&swept_ns, &last_ns, now_ns))
		return;
	while ((fd = rs_pending_each(&next)) >= 0)
		drop_if_closed(fd);
	rs_flight_land_all();
}
