#include "connect/blocking.h"

#include <errno.h>

#include "connect/fault.h"
#include "connect/judge.h"
#include "connect/socket.h"
#include "mark.h"
#include "ops/stats.h"
#include "process.h"
#include "retried.h"

/* What the attempts are made on. */
struct retries {
	struct rs_retried retried;
	const struct rs_connect *call;
	struct sockaddr_storage addr;
	struct rs_connect_target about;
	uint64_t cookie; /* says which socket the descriptor is; 0 where the kernel does not */
};

/* Another thread may have closed the descriptor, and its number be another socket's now; or have
 * shut it down, since it wants this call to end. */
static bool is_there(void *arg)
{
	const struct retries *retries = arg;
	int fd = retries->call->fd;

	return rs_socket_cookie(fd) == retries->cookie && !rs_socket_is_shut_down(fd);
}

/* Can and may this call be retried at all? Fills in what the retries need. */
static bool begin(struct retries *retries, const struct rs_rules *rules,
		  const struct rs_connect *call, enum rs_address_state state)
{
	struct rs_retried *retried = &retries->retried;

	if (!rs_socket_blocks(call->fd) || !rs_connect_copy_address(&retries->addr, call, state) ||
	    !rs_connect_target(&retries->about, &retries->addr, call->len))
		return false;
	retries->about.target.program = rs_program_name();
	retries->call = call;
	retries->cookie = rs_socket_cookie(call->fd);
	rs_retried_begin(retried, rules, &retries->about.target, rs_mark_ns(call->began));
	retried->is_there = is_there;
	retried->arg = retries;
	return true;
}

static bool is_time_for_next(struct retries *retries, int error)
{
	const struct rs_outcome outcome = rs_connect_outcome(error);

	return rs_connect_is_failure(error) && rs_retried_again(&retries->retried, &outcome);
}

static int next_attempt(const struct retries *retries)
{
	struct rs_connect again = *retries->call;
	int status;

	again.addr = (const struct sockaddr *)&retries->addr;
	rs_socket_bind_again(again.fd);
	status = rs_connect_attempt(&again);
	/* Another thread has made the socket a non-blocking one. */
	return status == RS_CONNECT_PENDS ? -EINPROGRESS : status;
}

int rs_connect_blocking(const struct rs_rules *rules, const struct rs_connect *call, int error)
{
	struct retries retries;
	int status = -error;

	if (!begin(&retries, rules, call, rs_connect_address_after(error))) {
		rs_stats_passed(rules, RS_CALL_CONNECT);
		return status;
	}
	while (status != 0 && is_time_for_next(&retries, -status))
		status = next_attempt(&retries);
	rs_retried_end(&retries.retried, status == 0);
	return status;
}
