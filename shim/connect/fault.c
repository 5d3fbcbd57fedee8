#include "connect/fault.h"

#include <errno.h>

#include "connect/delayed.h"
#include "connect/flight.h"
#include "connect/limited.h"
#include "connect/socket.h"
#include "ops/fault_event.h"
#include "pause.h"
#include "process.h"

bool rs_connect_struck(const struct rs_connect *call, struct rs_fault_strike *strike)
{
	const struct rs_rules *rules =
		rs_faults_watched && rs_curl_depth == 0 ? rs_process_rules(RS_CALL_CONNECT) : NULL;
	struct rs_connect_target about;

	if (!rules || !(rules->fault_calls & 1u << RS_CALL_CONNECT) ||
	    !rs_socket_connects(call->fd) ||
	    !rs_connect_find_target(&about, call, RS_ADDRESS_UNREAD))
		return false;
	*strike = rs_fault_next(rules, &about.target, RS_FAULTS_ALL, rs_random(rules));
	if (strike->fault)
		rs_event_fault(rules, strike, &about.target);
	return strike->fault != NULL;
}

/* What only the other side, or the lack of one, can tell; that there is no route to it
 * (ENETUNREACH) is known here, and so is a Unix socket's other side. */
static bool comes_from_the_network(const struct rs_connect *call, int error)
{
	struct sockaddr_storage addr;

	switch (error) {
	case ECONNREFUSED:
	case ECONNRESET:
	case ETIMEDOUT:
	case EHOSTUNREACH:
	case EHOSTDOWN:
	case ENOPROTOOPT:
	case EPROTO:
		return rs_connect_copy_address(&addr, call, RS_ADDRESS_UNREAD) &&
		       addr.ss_family != AF_UNIX;
	default:
		return false;
	}
}

static bool comes_later(const struct rs_connect *call, const struct rs_fault_strike *strike)
{
	return strike->delay_ns > 0 || comes_from_the_network(call, strike->fault->error.sys);
}

static int64_t limit_ns(const struct rs_connect *call)
{
	return rs_connect_limit_ns(rs_process_rules(RS_CALL_CONNECT), call);
}

static int real_attempt(const struct rs_connect *call)
{
	return rs_connect_limited(call, limit_ns(call));
}

static int struck_attempt(const struct rs_connect *call, const struct rs_fault_strike *strike)
{
	int error = strike->fault->error.sys;

	return error ? -error : real_attempt(call);
}

/* A connect() on one that is under way, connected or listening is a question, and no attempt. */
static bool strikes(const struct rs_connect *call, struct rs_fault_strike *strike)
{
	return rs_faults_watched && rs_socket_is_fresh(call->fd) && rs_connect_struck(call, strike);
}

static int attempt_nonblocking(const struct rs_connect *call)
{
	struct rs_fault_strike strike;
	struct rs_before before;
	bool pends;

	if (!strikes(call, &strike))
		return real_attempt(call);
	if (!comes_later(call, &strike))
		return struck_attempt(call, &strike);
	rs_signals_hold(&before);
	pends = rs_flight_struck(call, &strike);
	rs_signals_let(&before);
	return pends ? RS_CONNECT_PENDS : struck_attempt(call, &strike);
}

int rs_connect_attempt(const struct rs_connect *call)
{
	struct rs_fault_strike strike;
	uint64_t cookie;

	if (rs_socket_is_nonblocking(call->fd))
		return attempt_nonblocking(call);
	cookie = rs_faults_watched ? rs_socket_cookie(call->fd) : 0;
	if (!strikes(call, &strike))
		return real_attempt(call);
	if (strike.delay_ns > 0)
		return rs_connect_delayed(call, &strike, limit_ns(call), cookie);
	return struck_attempt(call, &strike);
}
