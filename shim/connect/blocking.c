#include "connect/blocking.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>

#include "connect/fault.h"
#include "connect/flight.h"
#include "connect/limited.h"
#include "connect/target.h"
#include "mark.h"
#include "pause.h"
#include "retried.h"
#include "retry/error_set.h"

/* What the attempts are made on. */
struct retries {
	struct rs_retried retried;
	const struct rs_connect *call;
	struct sockaddr_storage addr;
	struct rs_connect_target about;
	uint64_t cookie; /* says which socket the descriptor is; 0 where the kernel does not */
};

/* Not failures: the connection goes on, or is there. And an address that the kernel could not read
 * is none that we could. */
static bool is_failure(int error)
{
	return error != EINPROGRESS && error != EALREADY && error != EISCONN && error != EINTR &&
	       error != EFAULT;
}

static bool any_rule_names(const struct rs_rules *rules, int error)
{
	return (rules->calls & 1u << RS_CALL_CONNECT) != 0 &&
	       rs_error_set_has(&rules->error, RS_DOMAIN_ERRNO, error);
}

/* A stream or seqpacket socket in blocking mode. */
static bool is_blocking_stream(int fd)
{
	int type = 0, flags;
	socklen_t len = sizeof(type);

	if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) != 0 ||
	    (type != SOCK_STREAM && type != SOCK_SEQPACKET))
		return false;
	flags = fcntl(fd, F_GETFL);
	return flags >= 0 && (flags & O_NONBLOCK) == 0;
}

static uint64_t cookie_of(int fd)
{
	uint64_t cookie = 0;
	socklen_t len = sizeof(cookie);

	return getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &len) == 0 ? cookie : 0;
}

/* Another thread may have closed the descriptor, and its number be another socket's now. */
static bool is_the_same_socket(void *arg)
{
	const struct retries *retries = arg;

	return cookie_of(retries->call->fd) == retries->cookie;
}

/* Can and may this call be retried at all? Fills in what the retries need. */
static bool begin(struct retries *retries, const struct rs_rules *rules,
		  const struct rs_connect *call)
{
	struct rs_retried *retried = &retries->retried;

	if (call->len > sizeof(retries->addr) || !is_blocking_stream(call->fd))
		return false;
	memset(&retries->addr, 0, sizeof(retries->addr));
	memcpy(&retries->addr, call->addr, call->len);
	if (!rs_connect_target(&retries->about, &retries->addr, call->len))
		return false;
	retries->about.target.program = rs_program_name();
	retries->call = call;
	retries->cookie = cookie_of(call->fd);
	rs_retried_begin(retried, rules, &retries->about.target, rs_mark_ns(call->began));
	retried->is_there = is_the_same_socket;
	retried->arg = retries;
	return true;
}

static bool is_time_for_next(struct retries *retries, int error)
{
	const struct rs_outcome outcome = { .sys_errno = error, .never_sent = true };

	return rs_retried_again(&retries->retried, &outcome);
}

static int next_attempt(const struct retries *retries)
{
	struct rs_connect again = *retries->call;

	again.addr = (const struct sockaddr *)&retries->addr;
	if (rs_faults_watched)
		return rs_connect_attempt(&again);
	return rs_connect_limited(&again, rs_connect_limit_ns(retries->retried.rules, &again));
}

static bool is_nonblocking(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	return flags >= 0 && (flags & O_NONBLOCK) != 0;
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
	struct retries retries;
	int status = -error;

	if (rs_curl_depth > 0 && rs_connected_fd == call->fd + 1)
		return 0;
	if (error == EINPROGRESS && rs_curl_depth == 0)
		rs_flight_begin(call);
	if (!is_failure(error) || rs_curl_depth > 0)
		return status;
	rules = rs_process_rules_at_failure();
	if (!rules)
		return status;
	if (any_rule_names(rules, error) && is_nonblocking(call->fd))
		return retry_nonblocking(call, error);
	if (!any_rule_names(rules, error) || !begin(&retries, rules, call)) {
		rs_stats_passed(rules, RS_CALL_CONNECT);
		return status;
	}
	while (status != 0 && is_failure(-status) && is_time_for_next(&retries, -status))
		status = next_attempt(&retries);
	rs_retried_end(&retries.retried, status == 0);
	return status;
}

static bool find_target(struct rs_connect_target *about, const struct rs_connect *call)
{
	struct sockaddr_storage addr;

	if (call->len > sizeof(addr))
		return false;
	memset(&addr, 0, sizeof(addr));
	memcpy(&addr, call->addr, call->len);
	return rs_connect_target(about, &addr, call->len);
}

void rs_connect_note_success(const struct rs_rules *rules, const struct rs_connect *call)
{
	struct rs_connect_target about;

	if (rs_curl_depth == 0 && rs_first_success_matters(rules))
		rs_first_succeeded(rules, find_target(&about, call) ? &about.target : NULL);
}

void rs_connect_pace(const struct rs_rules *rules, const struct rs_connect *call)
{
	int saved_errno = errno;
	struct rs_connect_target about;

	if (rs_curl_depth == 0 && rules->settings.mode != RS_MODE_OBSERVE &&
	    is_blocking_stream(call->fd) && find_target(&about, call))
		rs_first_await_turn(rules, &about.target);
	errno = saved_errno;
}
