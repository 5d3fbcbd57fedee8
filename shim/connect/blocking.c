#include "connect/blocking.h"

#include <errno.h>

#include "connect/between.h"
#include "connect/fault.h"
#include "connect/judge.h"
#include "connect/socket.h"
#include "mark.h"
#include "ops/stats.h"
#include "process.h"

/* Can and may this call be retried at all? Fills in what the retries need. */
static bool begin(struct rs_retried *retried, const struct rs_rules *rules,
		  const struct rs_connect *call)
{
	if (!rs_socket_blocks(call->fd) ||
	    !rs_connect_copy_address(&retried->addr, call, RS_ADDRESS_UNREAD) ||
	    !rs_connect_target(&retried->about, &retried->addr, call->len))
		return false;
	retried->about.target.program = rs_program_name();
	retried->rules = rules;
	retried->cookie = rs_socket_cookie(call->fd);
	rs_call_begin(&retried->state, rs_mark_ns(call->began));
	retried->state.attempts = 1;
	retried->history.count = 0;
	retried->attempt_ns = retried->state.started_ns;
	retried->decided = false;
	return true;
}

static int next_attempt(struct rs_retried *retried, const struct rs_connect *call)
{
	struct rs_connect again = *call;
	int status;

	again.addr = (const struct sockaddr *)&retried->addr;
	retried->state.attempts++;
	retried->attempt_ns = rs_now_ns();
	status = rs_connect_attempt(&again);
	/* Another thread has made the socket a non-blocking one. */
	return status == RS_CONNECT_PENDS ? -EINPROGRESS : status;
}

int rs_connect_blocking(const struct rs_rules *rules, const struct rs_connect *call, int error)
{
	struct rs_retried retried;
	int status = -error;

	if (!begin(&retried, rules, call)) {
		rs_stats_passed(rules, RS_CALL_CONNECT);
		return status;
	}
	while (status != 0 && rs_connect_is_failure(-status) &&
	       rs_connect_wait_for_next(&retried, call->fd, -status))
		status = next_attempt(&retried, call);
	if (!retried.decided)
		rs_stats_passed(rules, RS_CALL_CONNECT);
	if (status == 0)
		rs_connect_recovered(rules, &retried.about.target, &retried.state);
	return status;
}
