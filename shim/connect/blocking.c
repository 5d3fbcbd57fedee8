#include "connect/blocking.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>

#include "connect/flight.h"
#include "connect/judge.h"
#include "connect/limited.h"
#include "connect/target.h"
#include "mark.h"
#include "pause.h"
#include "process.h"
#include "retry/decide.h"

/* What stays the same from attempt to attempt. */
struct retried {
	const struct rs_rules *rules;
	struct sockaddr_storage addr;
	struct rs_connect_target about;
	uint64_t cookie;
	struct rs_call_state state;
};

static bool is_blocking(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	return flags >= 0 && (flags & O_NONBLOCK) == 0;
}

/* Can and may this call be retried at all? Fills in what the retries need. */
static bool begin(struct retried *retried, const struct rs_connect *call)
{
	if (call->len > sizeof(retried->addr))
		return false;
	memset(&retried->addr, 0, sizeof(retried->addr));
	memcpy(&retried->addr, call->addr, call->len);
	if (!rs_connect_target(&retried->about, &retried->addr, call->len))
		return false;
	retried->about.target.program = rs_program_name();
	retried->cookie = rs_socket_cookie(call->fd);
	rs_call_begin(&retried->state, rs_mark_ns(call->began));
	retried->state.attempts = 1;
	return true;
}

/* Judge a failure, and wait where the answer is to try again. False: it is final. */
static bool judge_and_wait(struct retried *retried, const struct rs_connect *call, int error,
			   const sigset_t *mask)
{
	const struct rs_target *target = &retried->about.target;
	const struct rs_rule *rule;
	int64_t pause_ns;

	if (!rs_connect_judge(retried->rules, target, &retried->state, error, &rule, &pause_ns))
		return false;
	/* Another thread may have closed the descriptor, and its number be another socket's now. */
	if (rs_pause(pause_ns, mask) && rs_socket_cookie(call->fd) == retried->cookie)
		return true;
	rs_connect_report_cancelled(retried->rules, rule, target, &retried->state, error);
	return false;
}

/* Signals wait until the wait begins: one that came just before it must end it, too. */
static bool wait_for_next(struct retried *retried, const struct rs_connect *call, int error)
{
	sigset_t mask;
	bool again;

	rs_signals_hold(&mask);
	again = judge_and_wait(retried, call, error, &mask);
	rs_signals_let(&mask);
	return again;
}

static int next_attempt(struct retried *retried, const struct rs_connect *call)
{
	struct rs_connect next = *call;

	next.addr = (const struct sockaddr *)&retried->addr;
	retried->state.attempts++;
	return rs_connect_limited(&next, rs_connect_limit_ns(retried->rules, &next));
}

static int retry_blocking(const struct rs_connect *call, const struct rs_rules *rules, int error)
{
	struct retried retried = { .rules = rules };
	int status = -error;

	if (!begin(&retried, call))
		return status;
	while (status != 0 && rs_connect_is_failure(-status) &&
	       wait_for_next(&retried, call, -status))
		status = next_attempt(&retried, call);
	if (status == 0)
		rs_connect_report_success(rules, &retried.about.target, &retried.state);
	return status;
}

static int retry_nonblocking(const struct rs_connect *call, int error)
{
	sigset_t mask;
	int status;

	rs_signals_hold(&mask);
	status = rs_flight_failed_at_once(call, error);
	rs_signals_let(&mask);
	return status;
}

int rs_connect_retry(const struct rs_connect *call, int error)
{
	const struct rs_rules *rules;

	if (error == EINPROGRESS)
		rs_flight_begin(call);
	if (!rs_connect_is_failure(error))
		return -error;
	rules = rs_process_rules();
	if (!rules || !rs_connect_rules_name(rules, error) || !rs_socket_connects(call->fd))
		return -error;
	return is_blocking(call->fd) ? retry_blocking(call, rules, error)
				     : retry_nonblocking(call, error);
}
