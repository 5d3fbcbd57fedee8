#include "connect/judge.h"

#include <errno.h>
#include <sys/socket.h>

#include "ops/events.h"
#include "process.h"
#include "real_libc.h"
#include "retry/error_set.h"
#include "retry/match.h"
#include "retry/pacer.h"

bool rs_connect_is_failure(int error)
{
	return error != EINPROGRESS && error != EALREADY && error != EISCONN && error != EINTR &&
	       error != EFAULT;
}

bool rs_connect_rules_name(const struct rs_rules *rules, int error)
{
	return (rules->calls & 1u << RS_CALL_CONNECT) != 0 &&
	       rs_error_set_has(&rules->error, RS_DOMAIN_ERRNO, error);
}

bool rs_connect_rules_name_any(const struct rs_rules *rules)
{
	const uint64_t *named = rules->error.sys;

	return (rules->calls & 1u << RS_CALL_CONNECT) != 0 && (named[0] | named[1] | named[2]) != 0;
}

bool rs_connect_judge(const struct rs_rules *rules, const struct rs_target *target,
		      struct rs_call_state *state, int error, const struct rs_rule **rule,
		      int64_t *wait_ns)
{
	struct rs_outcome outcome = { .sys_errno = error, .never_sent = true };
	struct rs_decision decision;
	struct rs_circumstances now = {
		.replayable = true,
		.now_ns = rs_now_ns(),
		.wall_now_ns = rs_wall_now_ns(),
		.random = rs_random(rules),
		.target = target,
	};

	*rule = NULL;
	if (rs_match(rules, target, &outcome, RS_KNOWN_ALL, rule) != RS_MATCH_RULE) {
		rs_pacer_outcome(rules->pacers, target, false, now.now_ns);
		return false;
	}
	rs_pacer_outcome(rules->pacers, target, (*rule)->policy.rate_limit == RS_RATE_ADAPTIVE,
			 now.now_ns);
	now.pace_ns = rs_pacer_wait_ns(rules->pacers, target, now.now_ns);
	decision = rs_decide(rules, *rule, state, &outcome, &now);
	/* There is no room for a command in a wait that is somebody else's. */
	if (decision.action == RS_ACTION_RECOVER)
		decision.action = RS_ACTION_RETRY;
	if (decision.action == RS_ACTION_RETRY)
		rs_pacer_take(rules->pacers, target, now.now_ns);
	rs_event_decision(rules, *rule, target, &outcome, state, &decision, now.now_ns);
	*wait_ns = decision.wait_ns;
	if (rules->settings.mode == RS_MODE_OBSERVE) {
		rs_call_unpaid(state, now.now_ns);
		return false;
	}
	return decision.action == RS_ACTION_RETRY;
}

void rs_connect_report_cancelled(const struct rs_rules *rules, const struct rs_rule *rule,
				 const struct rs_target *target, const struct rs_call_state *state,
				 int error)
{
	static const struct rs_decision cancelled = {
		.action = RS_ACTION_EXHAUSTED,
		.reason = RS_REASON_CANCELLED,
	};
	struct rs_outcome outcome = { .sys_errno = error, .never_sent = true };

	rs_event_decision(rules, rule, target, &outcome, state, &cancelled, rs_now_ns());
}

void rs_connect_report_success(const struct rs_rules *rules, const struct rs_target *target,
			       const struct rs_call_state *state)
{
	int64_t now_ns = rs_now_ns();

	rs_pacer_outcome(rules->pacers, target, false, now_ns);
	rs_call_succeeded(rules, state, target, now_ns);
	rs_event_recovered(rules, target, state, now_ns);
}

uint64_t rs_socket_cookie(int fd)
{
	uint64_t cookie = 0;
	socklen_t len = sizeof(cookie);

	return rs_real_getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &len) == 0 ? cookie : 0;
}

bool rs_socket_connects(int fd)
{
	int type = 0;
	socklen_t len = sizeof(type);

	return rs_real_getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) == 0 &&
	       (type == SOCK_STREAM || type == SOCK_SEQPACKET);
}
