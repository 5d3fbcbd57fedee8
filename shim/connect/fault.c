#include "connect/fault.h"

#include <errno.h>

#include "connect/socket.h"
#include "ops/fault_event.h"
#include "pause.h"
#include "process.h"
#include "retry/fault.h"

static int real_attempt(const struct rs_connect *call)
{
	return call->real(call->fd, call->addr, call->len) == 0 ? 0 : -errno;
}

static void delay(int fd, int64_t ns)
{
	if (ns > 0 && !rs_socket_is_nonblocking(fd))
		(void)rs_pause(ns, NULL);
}

int rs_connect_attempt(const struct rs_connect *call)
{
	const struct rs_rules *rules = rs_curl_depth > 0 ? NULL : rs_process_rules();
	struct rs_connect_target about;
	struct rs_fault_strike strike;

	if (!rules || !(rules->fault_calls & 1u << RS_CALL_CONNECT) ||
	    !rs_socket_connects(call->fd) ||
	    !rs_connect_find_target(&about, call, RS_ADDRESS_UNREAD))
		return real_attempt(call);
	strike = rs_fault_next(rules, &about.target, rs_random(rules));
	if (!strike.fault)
		return real_attempt(call);
	rs_event_fault(rules, &strike, &about.target);
	delay(call->fd, strike.delay_ns);
	return strike.fault->error.sys ? -strike.fault->error.sys : real_attempt(call);
}
