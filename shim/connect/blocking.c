#include "connect/blocking.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "connect/fault.h"
#include "connect/flight.h"
#include "connect/limited.h"
#include "connect/target.h"
#include "mark.h"
#include "ops/commands.h"
#include "ops/events.h"
#include "pause.h"
#include "retry/decide.h"
#include "retry/error_set.h"
#include "retry/match.h"
#include "retry/ns.h"
#include "retry/pacer.h"

/* What stays the same from attempt to attempt. */
struct retried {
	const struct rs_rules *rules;
	struct sockaddr_storage addr;
	struct rs_connect_target about;
	uint64_t cookie; /* says which socket the descriptor is; 0 where the kernel does not */
	struct rs_call_state state;
	struct rs_history history;
	int64_t attempt_ns;    /* when the last attempt began */
	sigset_t program_mask; /* of signals, while all of them wait */
	bool decided;          /* by a rule, at least once */
};

/* A judged failure. */
struct judged {
	const struct rs_rule *rule; /* NULL: none decides */
	struct rs_outcome outcome;
	struct rs_decision decision;
	int64_t now_ns;
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

/* Can and may this call be retried at all? Fills in what the retries need. */
static bool begin(struct retried *retried, const struct rs_connect *call)
{
	if (call->len > sizeof(retried->addr) || !is_blocking_stream(call->fd))
		return false;
	memset(&retried->addr, 0, sizeof(retried->addr));
	memcpy(&retried->addr, call->addr, call->len);
	if (!rs_connect_target(&retried->about, &retried->addr, call->len))
		return false;
	retried->about.target.program = rs_program_name();
	retried->cookie = cookie_of(call->fd);
	rs_call_begin(&retried->state, rs_mark_ns(call->began));
	retried->state.attempts = 1;
	retried->history.count = 0;
	retried->attempt_ns = retried->state.started_ns;
	retried->decided = false;
	return true;
}

static bool observes(const struct retried *retried)
{
	return retried->rules->settings.mode == RS_MODE_OBSERVE;
}

static struct rs_incident incident_of(const struct retried *retried, const struct judged *judged)
{
	return (struct rs_incident){
		.rules = retried->rules,
		.rule = judged->rule,
		.target = &retried->about.target,
		.outcome = &judged->outcome,
		.state = &retried->state,
		.decision = &judged->decision,
		.now_ns = judged->now_ns,
	};
}

static void remember(struct retried *retried, const struct judged *judged)
{
	const struct rs_cause cause = rs_cause_of(RS_CALL_CONNECT, &judged->outcome);
	bool waits = judged->decision.action == RS_ACTION_RETRY ||
		     judged->decision.action == RS_ACTION_RECOVER;

	rs_history_add(&retried->history, &cause, waits ? judged->decision.wait_ns : 0);
}

/* Logged. */
static void judge(struct retried *retried, struct judged *judged)
{
	const struct rs_target *target = &retried->about.target;
	struct rs_pacers *pacers = retried->rules->pacers;
	const struct rs_rule *rule = NULL;
	struct rs_circumstances now = {
		.replayable = true,
		.now_ns = rs_now_ns(),
		.wall_now_ns = rs_wall_now_ns(),
		.random = rs_random(retried->rules),
		.target = target,
	};

	judged->now_ns = now.now_ns;
	if (rs_match(retried->rules, target, &judged->outcome, RS_KNOWN_ALL, &rule) !=
		    RS_MATCH_RULE ||
	    !rule) {
		rs_pacer_outcome(pacers, target, false, now.now_ns);
		return;
	}
	judged->rule = rule;
	rs_pacer_outcome(pacers, target, rule->policy.rate_limit == RS_RATE_ADAPTIVE, now.now_ns);
	now.pace_ns = rs_pacer_wait_ns(pacers, target, now.now_ns);
	retried->decided = true;
	judged->decision = rs_decide(retried->rules, rule, &retried->state, &judged->outcome, &now);
	if (judged->decision.action == RS_ACTION_RETRY)
		rs_pacer_take(pacers, target, now.now_ns);
	rs_event_decision(retried->rules, judged->rule, target, &judged->outcome, &retried->state,
			  &judged->decision, now.now_ns);
	remember(retried, judged);
}

/* With the program's own signal mask. False when a handled signal ended the wait. */
static bool wait_ns(int64_t ns, const sigset_t *mask)
{
	struct timespec wait = { .tv_sec = ns / RS_NS_PER_S, .tv_nsec = ns % RS_NS_PER_S };

	return ppoll(NULL, 0, &wait, mask) == 0;
}

static bool is_ignored(int number)
{
	struct sigaction action;

	if (sigaction(number, NULL, &action) != 0 || action.sa_handler == SIG_IGN)
		return true;
	return action.sa_handler == SIG_DFL &&
	       (number == SIGCHLD || number == SIGURG || number == SIGWINCH || number == SIGCONT);
}

/* A signal that the program would have had by now ends the command, so that its handler may run,
 * and leave for good, when nothing of the command is left. */
static bool no_signal_waits(void *arg)
{
	const struct retried *retried = arg;
	sigset_t pending;

	sigpending(&pending);
	for (int number = 1; number < NSIG; number++) {
		if (sigismember(&pending, number) == 1 &&
		    sigismember(&retried->program_mask, number) == 0 && !is_ignored(number))
			return false;
	}
	return true;
}

static bool cancel(struct retried *retried, struct judged *judged)
{
	judged->decision = (struct rs_decision){
		.action = RS_ACTION_EXHAUSTED,
		.reason = RS_REASON_CANCELLED,
		.quota_left = -1,
	};
	rs_event_decision(retried->rules, judged->rule, &retried->about.target, &judged->outcome,
			  &retried->state, &judged->decision, rs_now_ns());
	return false;
}

/* What a recover command says about headers and URLs is for transfers alone. */
static bool recover(struct retried *retried, struct judged *judged, const char **reason)
{
	const struct rs_incident incident = incident_of(retried, judged);
	const struct rs_patience patience = { no_signal_waits, retried };
	struct rs_recovery *recovery = rs_recover(&incident, retried->attempt_ns, &patience);
	bool mended = recovery && recovery->mended;

	if (!recovery)
		return cancel(retried, judged);
	rs_recovery_release(recovery);
	if (!mended) {
		rs_call_unpaid(&retried->state, rs_now_ns());
		rs_history_no_wait(&retried->history);
		*reason = "recovery";
	}
	return mended;
}

/* Another thread may have closed the descriptor, and its number be another socket's now. The wait
 * is counted from the failure: what a recovery took of it is over. */
static bool wait_for_attempt(struct retried *retried, const struct rs_connect *call,
			     struct judged *judged)
{
	int64_t passed_ns = 0;

	if (judged->decision.action == RS_ACTION_RECOVER)
		passed_ns = rs_now_ns() - judged->now_ns;
	if (wait_ns(rs_ns_max(0, judged->decision.wait_ns - passed_ns), &retried->program_mask) &&
	    cookie_of(call->fd) == retried->cookie)
		return true;
	return cancel(retried, judged);
}

static void report(struct retried *retried, struct judged *judged, const char *reason)
{
	struct rs_incident incident = incident_of(retried, judged);
	const struct rs_patience patience = { no_signal_waits, retried };

	if (judged->decision.action == RS_ACTION_FOLLOWUP) {
		rs_follow_up(&incident, &retried->history, &patience);
		return;
	}
	incident.now_ns = rs_now_ns();
	rs_report_write(&incident, &retried->history, reason ? reason : rs_report_reason(&incident),
			(struct rs_span){ NULL, 0 });
}

/* Judge a failure, and wait where the answer is to try again. False: it is final. */
static bool judge_and_wait(struct retried *retried, const struct rs_connect *call, int error)
{
	struct judged judged = { .outcome = { .sys_errno = error, .never_sent = true } };
	const char *reason = NULL;
	bool again;

	judge(retried, &judged);
	if (!judged.rule)
		return false;
	if (observes(retried)) {
		rs_call_unpaid(&retried->state, rs_now_ns());
		return false;
	}
	again = judged.decision.action == RS_ACTION_RETRY ||
		judged.decision.action == RS_ACTION_RECOVER;
	if (judged.decision.action == RS_ACTION_RECOVER)
		again = recover(retried, &judged, &reason);
	again = again && wait_for_attempt(retried, call, &judged);
	if (!again)
		report(retried, &judged, reason);
	return again;
}

/* Signals wait until the wait begins: one that came just before it must end it, too. */
static bool wait_for_next(struct retried *retried, const struct rs_connect *call, int error)
{
	sigset_t all;
	bool again;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &retried->program_mask);
	again = judge_and_wait(retried, call, error);
	sigprocmask(SIG_SETMASK, &retried->program_mask, NULL);
	return again;
}

static int next_attempt(struct retried *retried, const struct rs_connect *call)
{
	struct rs_connect again = *call;

	again.addr = (const struct sockaddr *)&retried->addr;
	retried->state.attempts++;
	retried->attempt_ns = rs_now_ns();
	if (rs_faults_watched)
		return rs_connect_attempt(&again);
	return rs_connect_limited(&again, rs_connect_limit_ns(retried->rules, &again));
}

static void succeed(const struct retried *retried)
{
	const struct rs_target *target = &retried->about.target;
	int64_t now_ns = rs_now_ns();

	rs_pacer_outcome(retried->rules->pacers, target, false, now_ns);
	rs_call_succeeded(retried->rules, &retried->state, target, now_ns);
	rs_event_recovered(retried->rules, target, &retried->state, now_ns);
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
	struct retried retried;
	int status = -error;

	if (rs_curl_depth > 0 && rs_connected_fd == call->fd + 1)
		return 0;
	if (error == EINPROGRESS && rs_curl_depth == 0)
		rs_flight_begin(call);
	if (!is_failure(error) || rs_curl_depth > 0)
		return status;
	retried.rules = rs_process_rules_at_failure();
	if (!retried.rules)
		return status;
	if (any_rule_names(retried.rules, error) && is_nonblocking(call->fd))
		return retry_nonblocking(call, error);
	if (!any_rule_names(retried.rules, error) || !begin(&retried, call)) {
		rs_stats_passed(retried.rules, RS_CALL_CONNECT);
		return status;
	}
	while (status != 0 && is_failure(-status) && wait_for_next(&retried, call, -status))
		status = next_attempt(&retried, call);
	if (!retried.decided)
		rs_stats_passed(retried.rules, RS_CALL_CONNECT);
	if (status == 0)
		succeed(&retried);
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
	static const struct rs_call_state first_attempt = { .attempts = 1 };
	struct rs_connect_target about;
	const struct rs_target *target;

	if (rs_curl_depth > 0 || (!rules->pacers && !rs_call_refunds(rules, &first_attempt)))
		return;
	target = find_target(&about, call) ? &about.target : NULL;
	rs_call_succeeded(rules, &first_attempt, target, rs_now_ns());
	if (rules->pacers && target)
		rs_pacer_outcome(rules->pacers, target, false, rs_now_ns());
}

static void await_turn(const struct rs_rules *rules, const struct rs_target *target)
{
	int64_t now_ns = rs_now_ns();
	int64_t turn_ns = rs_pacer_wait_ns(rules->pacers, target, now_ns);

	rs_pacer_take(rules->pacers, target, now_ns);
	if (turn_ns == 0)
		return;
	rs_event_paced(rules, target, turn_ns);
	(void)wait_ns(turn_ns, NULL);
}

void rs_connect_pace(const struct rs_rules *rules, const struct rs_connect *call)
{
	int saved_errno = errno;
	struct rs_connect_target about;

	if (rs_curl_depth == 0 && rules->settings.mode != RS_MODE_OBSERVE &&
	    is_blocking_stream(call->fd) && find_target(&about, call))
		await_turn(rules, &about.target);
	errno = saved_errno;
}
