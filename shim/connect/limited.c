#include "connect/limited.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/time.h>

#include "connect/socket.h"
#include "pause.h"
#include "process.h"
#include "real_libc.h"
#include "retry/match.h"
#include "retry/ns.h"

int64_t rs_connect_limit_ns(const struct rs_rules *rules, const struct rs_connect *call)
{
	struct rs_connect_target about;
	const struct rs_rule *rule;

	if (!rules || !rules->limits || rules->settings.mode == RS_MODE_OBSERVE ||
	    !rs_connect_find_target(&about, call, RS_ADDRESS_UNREAD) ||
	    about.target.address.family == RS_ADDRESS_UNIX)
		return RS_FOREVER;
	rule = rs_first_covering(rules, &about.target);
	return rule ? rs_ns_min(rule->policy.connect_timeout_ns, rule->policy.attempt_timeout_ns)
		    : RS_FOREVER;
}

static int plain(const struct rs_connect *call)
{
	return call->real(call->fd, call->addr, call->len) == 0 ? 0 : -errno;
}

static struct timeval own_limit(int fd)
{
	struct timeval own = { 0 };
	socklen_t len = sizeof(own);

	(void)rs_real_getsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &own, &len);
	return own;
}

int64_t rs_connect_own_limit_ns(int fd)
{
	const struct timeval own = own_limit(fd);

	if (own.tv_sec == 0 && own.tv_usec == 0)
		return RS_FOREVER;
	return rs_ns_add(rs_ns_mul(own.tv_sec, RS_NS_PER_S), own.tv_usec * RS_NS_PER_US);
}

/* A blocking stream socket on which the program has set no limit. */
static bool may_limit(int fd)
{
	socklen_t len = sizeof(int);
	int flags = fcntl(fd, F_GETFL), type = 0;

	return flags >= 0 && (flags & O_NONBLOCK) == 0 &&
	       rs_real_getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) == 0 &&
	       type == SOCK_STREAM && rs_connect_own_limit_ns(fd) == RS_FOREVER;
}

/* A limit that is over at once, and gone again before any handler can run, one of a cancellation's
 * included. */
int rs_connect_begin(const struct rs_connect *call)
{
	static const struct timeval at_once = { .tv_usec = 1 };
	const struct timeval own = own_limit(call->fd);
	int status;

	(void)setsockopt(call->fd, SOL_SOCKET, SO_SNDTIMEO, &at_once, sizeof(at_once));
	status = plain(call);
	(void)setsockopt(call->fd, SOL_SOCKET, SO_SNDTIMEO, &own, sizeof(own));
	return status;
}

bool rs_handlers_interrupt(void)
{
	struct sigaction action;

	for (int number = 1; number < NSIG; number++) {
		if (sigaction(number, NULL, &action) != 0 || action.sa_handler == SIG_DFL ||
		    action.sa_handler == SIG_IGN)
			continue;
		if ((action.sa_flags & SA_RESTART) == 0)
			return true;
	}
	return false;
}

static int time_out(const struct rs_connect *call)
{
	rs_socket_call_off(call->fd);
	return -ETIMEDOUT;
}

/* Another thread may have closed the descriptor, and its number be another socket's by now. */
static int wait_until(const struct rs_connect *call, int64_t until_ns, uint64_t cookie,
		      const struct rs_before *before)
{
	for (;;) {
		struct pollfd end = { .fd = call->fd, .events = POLLOUT };
		int64_t left_ns = rs_ns_max(0, until_ns - rs_now_ns());
		struct timespec left = { left_ns / RS_NS_PER_S, left_ns % RS_NS_PER_S };
		int ready;

		rs_cancel_let(before);
		ready = rs_real_ppoll(&end, 1, &left, &before->mask);
		rs_cancel_hold();
		if (rs_socket_cookie(call->fd) != cookie)
			return -EBADF;
		if (ready == 0)
			return time_out(call);
		if (ready > 0) /* connect() itself says how it ended */
			return plain(call);
		if (rs_handlers_interrupt())
			return -EINTR;
	}
}

int rs_connect_limited(const struct rs_connect *call, int64_t limit_ns)
{
	int64_t until_ns = rs_ns_add(rs_now_ns(), limit_ns);
	struct rs_before before;
	uint64_t cookie;
	int status;

	if (limit_ns == RS_FOREVER || !may_limit(call->fd))
		return plain(call);
	rs_signals_hold_to_wait(&before);
	cookie = rs_socket_cookie(call->fd);
	status = rs_connect_begin(call);
	if (status == -EINPROGRESS)
		status = wait_until(call, until_ns, cookie, &before);
	rs_signals_let(&before);
	return status;
}
