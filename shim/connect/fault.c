#include "connect/fault.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <time.h>

#include "connect/target.h"
#include "ops/fault_event.h"
#include "retry/fault.h"
#include "retry/ns.h"

static int real_attempt(const struct rs_connect *call)
{
	return call->real(call->fd, call->addr, call->len) == 0 ? 0 : -errno;
}

static bool has_connections(int fd)
{
	int type = 0;
	socklen_t len = sizeof(type);

	return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) == 0 &&
	       (type == SOCK_STREAM || type == SOCK_SEQPACKET);
}

/* AF_UNSPEC, which dissolves a connection, is no target. */
static bool find_target(const struct rs_connect *call, struct sockaddr_storage *addr,
			struct rs_connect_target *about)
{
	if (!call->addr || call->len > sizeof(*addr) || !has_connections(call->fd))
		return false;
	memset(addr, 0, sizeof(*addr));
	memcpy(addr, call->addr, call->len);
	if (!rs_connect_target(about, addr, call->len))
		return false;
	about->target.program = rs_program_name();
	return true;
}

static void delay(int fd, int64_t ns)
{
	struct timespec wait = { .tv_sec = ns / RS_NS_PER_S, .tv_nsec = ns % RS_NS_PER_S };
	int flags = fcntl(fd, F_GETFL);

	if (ns > 0 && flags >= 0 && !(flags & O_NONBLOCK))
		ppoll(NULL, 0, &wait, NULL);
}

int rs_connect_attempt(const struct rs_connect *call)
{
	const struct rs_rules *rules = rs_curl_depth > 0 ? NULL : rs_process_rules();
	struct rs_connect_target about;
	struct sockaddr_storage addr;
	struct rs_fault_strike strike;

	if (!rules || !(rules->fault_calls & 1u << RS_CALL_CONNECT) ||
	    !find_target(call, &addr, &about))
		return real_attempt(call);
	strike = rs_fault_next(rules, &about.target, rs_random(rules));
	if (!strike.fault)
		return real_attempt(call);
	rs_event_fault(rules, &strike, &about.target);
	delay(call->fd, strike.delay_ns);
	return strike.fault->error.sys ? -strike.fault->error.sys : real_attempt(call);
}
