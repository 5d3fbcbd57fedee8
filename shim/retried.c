#include "retried.h"

#include <errno.h>

#include "ops/commands.h"
#include "ops/events.h"
#include "ops/stats.h"
#include "pause.h"
#include "process.h"
#include "retry/match.h"
#include "retry/ns.h"
#include "retry/pacer.h"

/* A judged failure. */
struct judged {
	const struct rs_rule *rule; /* NULL: none decides */
	const struct rs_outcome *outcome;
	struct rs_decision decision;
	int64_t now_ns;
};

void rs_retried_begin(struct rs_retried *retried, const struct rs_rules *rules,
		      const struct rs_target *target, int64_t began_ns)
{
	retried->rules = rules;
	retried->target = target;
	retried->is_there = NULL;
	rs_call_begin(&retried->state, began_ns);
	retried->state.attempts = 1;
	retried->history.count = 0;
	retried->attempt_ns = began_ns;
	retried->decided = false;
}

static bool observes(const struct rs_retried *retried)
{
	return retried->rules->settings.mode == RS_MODE_OBSERVE;
}

static bool waits(const struct judged *judged)
{
	return judged->decision.action == RS_ACTION_RETRY ||
	       judged->decision.action == RS_ACTION_RECOVER;
}

static struct rs_incident incident_of(const struct rs_retried *retried, const struct judged *judged)
{
	return (struct rs_incident){
		.rules = retried->rules,
		.rule = judged->rule,
		.target = retried->target,
		.outcome = judged->outcome,
		.state = &retried->state,
		.decision = &judged->decision,
		.now_ns = judged->now_ns,
	};
}

static void tell(const struct rs_retried *retried, const struct judged *judged, int64_t now_ns)
{
	rs_event_decision(retried->rules, judged->rule, retried->target, judged->outcome,
			  &retried->state, &judged->decision, now_ns);
}

static void remember(struct rs_retried *retried, const struct judged *judged)
{
	const struct rs_cause cause = rs_cause_of(retried->target->call, judged->outcome);

	rs_history_add(&retried->history, &cause, waits(judged) ? judged->decision.wait_ns : 0);
}

/* Logged. */
static void judge(struct rs_retried *retried, struct judged *judged)
{
	const struct rs_target *target = retried->target;
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
	if (rs_match(retried->rules, target, judged->outcome, RS_KNOWN_ALL, &rule) !=
		    RS_MATCH_RULE ||
	    !rule) {
		rs_pacer_outcome(pacers, target, false, now.now_ns);
		return;
	}
	judged->rule = rule;
	rs_pacer_outcome(pacers, target, rule->policy.rate_limit == RS_RATE_ADAPTIVE, now.now_ns);
	now.pace_ns = rs_pacer_wait_ns(pacers, target, now.now_ns);
	retried->decided = true;
	judged->decision = rs_decide(retried->rules, rule, &retried->state, judged->outcome, &now);
	if (judged->decision.action == RS_ACTION_RETRY)
		rs_pacer_take(pacers, target, now.now_ns);
	tell(retried, judged, now.now_ns);
	remember(retried, judged);
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
	const struct rs_retried *retried = arg;
	sigset_t pending;

	sigpending(&pending);
	for (int number = 1; number < NSIG; number++) {
		if (sigismember(&pending, number) == 1 &&
		    sigismember(&retried->program_mask, number) == 0 && !is_ignored(number))
			return false;
	}
	return true;
}

static bool cancel(struct rs_retried *retried, struct judged *judged)
{
	judged->decision = (struct rs_decision){
		.action = RS_ACTION_EXHAUSTED,
		.reason = RS_REASON_CANCELLED,
		.quota_left = -1,
	};
	tell(retried, judged, rs_now_ns());
	return false;
}

/* What a recover command says about headers and URLs is for transfers alone. */
static bool recover(struct rs_retried *retried, struct judged *judged, const char **reason)
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

/* The wait is counted from the failure: what a recovery took of it is over. */
static bool wait_for_attempt(struct rs_retried *retried, struct judged *judged)
{
	int64_t passed_ns = 0;

	if (judged->decision.action == RS_ACTION_RECOVER)
		passed_ns = rs_now_ns() - judged->now_ns;
	if (rs_pause(rs_ns_max(0, judged->decision.wait_ns - passed_ns), &retried->program_mask) &&
	    (!retried->is_there || retried->is_there(retried->arg)))
		return true;
	return cancel(retried, judged);
}

static void report(struct rs_retried *retried, struct judged *judged, const char *reason)
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

static bool judge_and_wait(struct rs_retried *retried, const struct rs_outcome *outcome)
{
	struct judged judged = { .outcome = outcome };
	const char *reason = NULL;
	bool again;

	judge(retried, &judged);
	if (!judged.rule)
		return false;
	if (observes(retried)) {
		rs_call_unpaid(&retried->state, rs_now_ns());
		return false;
	}
	again = waits(&judged);
	if (judged.decision.action == RS_ACTION_RECOVER)
		again = recover(retried, &judged, &reason);
	again = again && wait_for_attempt(retried, &judged);
	if (!again)
		report(retried, &judged, reason);
	return again;
}

/* Signals wait until the wait begins: one that came just before it must end it, too. */
bool rs_retried_again(struct rs_retried *retried, const struct rs_outcome *outcome)
{
	int saved_errno = errno;
	bool again;

	rs_signals_hold(&retried->program_mask);
	again = judge_and_wait(retried, outcome);
	rs_signals_let(&retried->program_mask);
	if (again) {
		retried->state.attempts++;
		retried->attempt_ns = rs_now_ns();
	}
	errno = saved_errno;
	return again;
}

void rs_retried_end(const struct rs_retried *retried, bool succeeded)
{
	const struct rs_rules *rules = retried->rules;
	int saved_errno = errno;
	int64_t now_ns;

	if (!retried->decided)
		rs_stats_passed(rules, retried->target->call);
	if (!succeeded)
		return;
	now_ns = rs_now_ns();
	rs_pacer_outcome(rules->pacers, retried->target, false, now_ns);
	rs_call_succeeded(rules, &retried->state, retried->target, now_ns);
	rs_event_recovered(rules, retried->target, &retried->state, now_ns);
	errno = saved_errno;
}

/* ---- a call that has not failed ---- */

void rs_first_await_turn(const struct rs_rules *rules, const struct rs_target *target)
{
	int saved_errno = errno;
	int64_t now_ns = rs_now_ns();
	int64_t turn_ns = rs_pacer_wait_ns(rules->pacers, target, now_ns);

	rs_pacer_take(rules->pacers, target, now_ns);
	if (turn_ns == 0)
		return;
	rs_event_paced(rules, target, turn_ns);
	(void)rs_pause(turn_ns, NULL);
	errno = saved_errno;
}

static const struct rs_call_state first_attempt = { .attempts = 1 };

bool rs_first_success_matters(const struct rs_rules *rules)
{
	return rules->pacers || rs_call_refunds(rules, &first_attempt);
}

void rs_first_succeeded(const struct rs_rules *rules, const struct rs_target *target)
{
	int64_t now_ns = rs_now_ns();

	rs_call_succeeded(rules, &first_attempt, target, now_ns);
	if (target)
		rs_pacer_outcome(rules->pacers, target, false, now_ns);
}
