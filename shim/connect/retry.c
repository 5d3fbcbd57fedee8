#include "connect/retry.h"

#include <errno.h>

#include "connect/blocking.h"
#include "connect/flight.h"
#include "connect/judge.h"
#include "connect/socket.h"
#include "ops/stats.h"
#include "pause.h"
#include "process.h"

static int retry_nonblocking(const struct rs_connect *call, int error)
{
	struct rs_before before;
	int status;

	rs_signals_hold(&before);
	status = rs_flight_failed_at_once(call, error);
	rs_signals_let(&before);
	return status;
}

int rs_connect_retry(const struct rs_connect *call, int error)
{
	const struct rs_rules *rules;

	if (rs_curl_depth > 0)
		return rs_connected_fd == call->fd + 1 ? 0 : -error;
	if (!rs_connect_is_failure(error))
		return -error;
	rules = rs_process_rules_at_failure(RS_CALL_CONNECT);
	if (!rules)
		return -error;
	if (!rs_connect_rules_name(rules, error)) {
		rs_stats_passed(rules, RS_CALL_CONNECT);
		return -error;
	}
	if (rs_socket_is_nonblocking(call->fd))
		return retry_nonblocking(call, error);
	return rs_connect_blocking(rules, call, error);
}
