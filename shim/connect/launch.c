#include "connect/launch.h"

#include <errno.h>
#include <unistd.h>

#include "connect/fault.h"
#include "connect/first.h"
#include "connect/judge.h"
#include "connect/limited.h"
#include "connect/setback.h"
#include "connect/socket.h"
#include "failure.h"
#include "mark.h"
#include "process.h"
#include "retry/ns.h"

static struct rs_connect call_of(const struct rs_pending *pending)
{
	return (struct rs_connect){
		.real = rs_real_connect(),
		.fd = pending->fd,
		.addr = (const struct sockaddr *)&pending->addr,
		.len = pending->len,
		.began = pending->began,
	};
}

enum rs_pending_stage rs_launch_arrived(struct rs_pending *pending)
{
	const struct rs_rules *rules = rs_process_rules_if_loaded();
	const struct rs_connect call = call_of(pending);
	struct rs_connect_target about;

	if (pending->state.attempts == 1)
		rs_connect_succeeded(&call);
	else if (rules && rs_pending_describe(&about, pending))
		rs_call_recovered(rules, &about.target, &pending->state);
	return RS_PENDING_NONE;
}

void rs_launch_call_off(const struct rs_pending *pending)
{
	if (pending->addr.ss_family != AF_UNIX)
		rs_socket_call_off(pending->fd);
}

static int64_t limit_ns(const struct rs_pending *pending)
{
	const struct rs_rules *rules = rs_process_rules_if_loaded();
	const struct rs_connect call = call_of(pending);

	return rules && rules->limits ? rs_connect_limit_ns(rules, &call) : RS_FOREVER;
}

/* Counted from when the attempt began, which a fault may have delayed. */
void rs_launch_limit(struct rs_pending *pending)
{
	int64_t limit = limit_ns(pending), began_ns = pending->attempt_ns;

	pending->ends_ns = RS_FOREVER;
	if (limit != RS_FOREVER)
		pending->ends_ns =
			rs_ns_add(began_ns ? began_ns : rs_mark_ns(pending->began), limit);
}

/* ---- the real thing ---- */

static int connect_once(const struct rs_connect *call)
{
	return call->real(call->fd, call->addr, call->len) == 0 ? 0 : errno;
}

/* A socket that has failed first tells so once more, and forgets it with that. One that another
 * process has connected meanwhile stays connected: to dissolve it would break that connection. */
static int connect_again(const struct rs_connect *call)
{
	const struct rs_socket_settings settings = rs_socket_settings(call->fd);
	int error = connect_once(call);

	if (error == 0 || !rs_connect_is_failure(error))
		return error;
	rs_socket_restore(call->fd, &settings);
	return connect_once(call);
}

static int real_connect(struct rs_pending *pending)
{
	const struct rs_connect call = call_of(pending);

	pending->kernel_tells = false;
	return pending->error == 0 || pending->addr.ss_family == AF_UNIX ? connect_once(&call)
									 : connect_again(&call);
}

/* The program has shut the socket down since it failed: no attempt can be made on it. */
static enum rs_pending_stage give_up(struct rs_pending *pending)
{
	pending->state.attempts--;
	rs_setback_cancel(pending);
	return RS_PENDING_FAILED;
}

enum rs_pending_stage rs_launch_real(struct rs_pending *pending)
{
	int error;

	/* The program may have made the socket a blocking one: to connect it would stop everything.
	 */
	if (!rs_socket_is_nonblocking(pending->fd)) {
		if (pending->error == 0)
			pending->error = ECONNABORTED;
		return RS_PENDING_FAILED;
	}
	pending->unseen = atomic_load_explicit(&rs_pending_unseen, memory_order_relaxed);
	error = real_connect(pending);
	if (error == 0 || error == EISCONN)
		return rs_launch_arrived(pending);
	if (error == EINVAL && pending->error != 0)
		return give_up(pending);
	if (rs_connect_is_failure(error))
		return rs_setback(pending, error);
	rs_launch_limit(pending);
	return RS_PENDING_FLYING;
}

/* ---- faults ---- */

/* What the last attempt has left in the socket is not the next one's. */
static void clear(struct rs_pending *pending)
{
	if (pending->error != 0)
		rs_launch_call_off(pending);
	pending->kernel_tells = false;
}

enum rs_pending_stage rs_launch_put_off(struct rs_pending *pending,
					const struct rs_fault_strike *strike)
{
	int64_t limit = limit_ns(pending);

	pending->struck = strike->delay_ns < limit ? strike->fault->error.sys : ETIMEDOUT;
	pending->step = pending->struck ? RS_STEP_STRIKE : RS_STEP_LAUNCH;
	pending->due_ns = rs_ns_add(rs_now_ns(), rs_ns_min(strike->delay_ns, limit));
	return RS_PENDING_WAITS;
}

/* Another process that has the socket, too, may have made one before. */
enum rs_pending_stage rs_launch_attempt(struct rs_pending *pending)
{
	const struct rs_connect call = call_of(pending);
	struct rs_fault_strike strike;

	pending->process = getpid();
	if (pending->error != 0 && rs_socket_past(pending->fd) == RS_SOCKET_WAS_CONNECTED)
		return rs_launch_arrived(pending);
	pending->state.attempts++;
	pending->attempt_ns = rs_now_ns();
	if (!rs_connect_struck(&call, &strike))
		return rs_launch_real(pending);
	clear(pending);
	if (strike.delay_ns > 0)
		return rs_launch_put_off(pending, &strike);
	return strike.fault->error.sys ? rs_setback(pending, strike.fault->error.sys)
				       : rs_launch_real(pending);
}
