#include "connect/delayed.h"

#include <errno.h>

#include "connect/fault.h"
#include "connect/flight.h"
#include "connect/limited.h"
#include "connect/socket.h"
#include "pause.h"
#include "process.h"
#include "retry/ns.h"

/* When the delay is over, and the limits are (monotonic). */
struct ends {
	int64_t due_ns;
	int64_t own_ns;
	int64_t rules_ns;
};

static struct ends ends_of(const struct rs_connect *call, int64_t delay_ns, int64_t limit_ns)
{
	int64_t now_ns = rs_now_ns(), own_ns = rs_connect_own_limit_ns(call->fd);

	return (struct ends){
		.due_ns = rs_ns_add(now_ns, delay_ns),
		.own_ns = rs_ns_add(now_ns, own_ns),
		.rules_ns = own_ns == RS_FOREVER ? rs_ns_add(now_ns, limit_ns) : RS_FOREVER,
	};
}

/* 0: the delay is over. */
static int wait_out(const struct ends *ends)
{
	int64_t limit_ns = rs_ns_min(ends->own_ns, ends->rules_ns);
	int64_t until_ns = rs_ns_min(ends->due_ns, limit_ns), left_ns;

	while ((left_ns = until_ns - rs_now_ns()) > 0) {
		if (!rs_pause(left_ns, NULL) &&
		    (ends->own_ns != RS_FOREVER || rs_handlers_interrupt()))
			return -EINTR;
	}
	if (until_ns < limit_ns)
		return 0;
	return until_ns == ends->own_ns ? -EINPROGRESS : -ETIMEDOUT;
}

/* The program has got its answer, and the connect goes on. */
static int go_on(const struct rs_connect *call, const struct rs_fault *fault, int64_t due_ns,
		 int status)
{
	struct rs_fault_strike rest = { fault, rs_ns_max(0, due_ns - rs_now_ns()) };
	struct rs_before before;
	bool pends = false;

	rs_signals_hold(&before);
	if (fault->error.sys)
		pends = rs_flight_struck(call, &rest);
	else
		(void)rs_connect_begin(call);
	rs_signals_let(&before);
	return pends && status == -EINPROGRESS ? RS_CONNECT_PENDS : status;
}

int rs_connect_delayed(const struct rs_connect *call, const struct rs_fault_strike *strike,
		       int64_t limit_ns, uint64_t cookie)
{
	const struct ends ends = ends_of(call, strike->delay_ns, limit_ns);
	int status = wait_out(&ends);

	/* Another thread may have closed it, and its number be another socket's by now. */
	if (rs_socket_cookie(call->fd) != cookie)
		return -EBADF;
	if (status == -EINTR || status == -EINPROGRESS)
		return go_on(call, strike->fault, ends.due_ns, status);
	if (status != 0)
		return status;
	if (strike->fault->error.sys)
		return -strike->fault->error.sys;
	return rs_connect_limited(call,
				  limit_ns == RS_FOREVER ? limit_ns : limit_ns - strike->delay_ns);
}
