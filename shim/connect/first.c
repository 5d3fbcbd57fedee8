#include "connect/first.h"

#include <errno.h>

#include "connect/fault.h"
#include "connect/flight.h"
#include "connect/socket.h"
#include "pause.h"
#include "retried.h"
#include "retry/ns.h"

void rs_connect_note_success(const struct rs_rules *rules, const struct rs_connect *call)
{
	struct rs_connect_target about;
	bool known;

	if (rs_curl_depth > 0 || !rs_first_success_matters(rules))
		return;
	known = rs_connect_find_target(&about, call, RS_ADDRESS_READ);
	rs_first_succeeded(rules, known ? &about.target : NULL);
}

static int put_off(const struct rs_connect *call, int64_t due_ns)
{
	struct rs_before before;
	bool pends;

	rs_signals_hold(&before);
	pends = rs_flight_paced(call, due_ns);
	rs_signals_let(&before);
	return pends ? RS_CONNECT_PENDS : 0;
}

/* Another thread may close the descriptor, and its number be another socket's then. */
static int await_turn(int fd, uint64_t cookie, int64_t turn_ns)
{
	(void)rs_pause(turn_ns, NULL);
	return rs_socket_cookie(fd) == cookie ? 0 : -EBADF;
}

/* On a non-blocking socket connect() may only be a question. */
static bool is_attempt(int fd)
{
	return rs_socket_is_nonblocking(fd) ? rs_socket_is_fresh(fd) : rs_socket_connects(fd);
}

static int pace(const struct rs_rules *rules, const struct rs_connect *call)
{
	struct rs_connect_target about;
	int64_t now_ns, turn_ns;
	uint64_t cookie;

	if (rs_curl_depth > 0 || rules->settings.mode == RS_MODE_OBSERVE || !is_attempt(call->fd) ||
	    !rs_connect_find_target(&about, call, RS_ADDRESS_UNREAD))
		return 0;
	cookie = rs_socket_cookie(call->fd);
	now_ns = rs_now_ns();
	turn_ns = rs_turn_wait_ns(rules, &about.target, now_ns);
	if (turn_ns == 0)
		return 0;
	if (rs_socket_is_nonblocking(call->fd))
		return put_off(call, rs_ns_add(now_ns, turn_ns));
	return await_turn(call->fd, cookie, turn_ns);
}

int rs_connect_pace(const struct rs_connect *call)
{
	const struct rs_rules *rules = rs_process_rules_if_loaded();
	int saved_errno = errno;
	int status = rules && rules->pacers ? pace(rules, call) : 0;

	errno = saved_errno;
	return status;
}
