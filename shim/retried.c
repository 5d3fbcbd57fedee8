#include "retried.h"

#include <errno.h>

#include "failure.h"
#include "ops/commands.h"
#include "ops/events.h"
#include "ops/stats.h"
#include "pause.h"
#include "process.h"
#include "retry/ns.h"
#include "retry/pacer.h"

#define LOOK_NS (50 * RS_NS_PER_MS)

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

static bool stops(int number)
{
	struct sigaction action;

	return (number == SIGTSTP || number == SIGTTIN || number == SIGTTOU) &&
	       sigaction(number, NULL, &action) == 0 && action.sa_handler == SIG_DFL;
}

/* The program stops, as it would have by now, and is not told of it when it goes on. */
static void stop_by(int number)
{
	sigset_t only;

	sigemptyset(&only);
	sigaddset(&only, number);
	sigprocmask(SIG_UNBLOCK, &only, NULL);
	sigprocmask(SIG_BLOCK, &only, NULL);
}

/* A signal that the program would have had by now ends the command, so that its handler may run,
 * and leave for good, when nothing of the command is left. One that stops the program does no more
 * than that. */
static bool no_signal_waits(void *arg)
{
	const struct rs_retried *retried = arg;
	sigset_t pending;

	sigpending(&pending);
	for (int number = 1; number < NSIG; number++) {
		if (sigismember(&pending, number) != 1 ||
		    sigismember(&retried->before.mask, number) != 0 || rs_signal_is_ignored(number))
			continue;
		if (!stops(number))
			return false;
		stop_by(number);
	}
	return true;
}

/* What a recover command says about headers and URLs is for transfers alone. */
static bool recover(struct rs_retried *retried, struct rs_failure *failure)
{
	const struct rs_incident incident = rs_failure_incident(failure);
	const struct rs_patience patience = { no_signal_waits, retried };
	struct rs_recovery *recovery = rs_recover(&incident, retried->attempt_ns, &patience);
	bool mended = recovery && recovery->mended;

	if (!recovery)
		rs_failure_cancelled(failure);
	else if (!mended)
		rs_failure_not_recovered(failure);
	rs_recovery_release(recovery);
	return mended;
}

static bool is_there(const struct rs_retried *retried)
{
	return !retried->is_there || retried->is_there(retried->arg);
}

/* What is gone ends it before its time. */
static bool wait_out(const struct rs_retried *retried, int64_t wait_ns)
{
	int64_t until_ns = rs_ns_add(rs_now_ns(), wait_ns), left_ns = wait_ns;
	int64_t look_ns = retried->is_there ? LOOK_NS : RS_FOREVER;
	bool passed;

	do {
		passed = rs_pause(rs_ns_min(left_ns, look_ns), &retried->before) &&
			 is_there(retried);
		left_ns = until_ns - rs_now_ns();
	} while (passed && left_ns > 0);
	return passed;
}

/* The wait is counted from the failure: what a recovery took of it is over. */
static bool wait_for_attempt(struct rs_retried *retried, struct rs_failure *failure)
{
	int64_t passed_ns = 0;

	if (failure->decision.action == RS_ACTION_RECOVER)
		passed_ns = rs_now_ns() - failure->now_ns;
	if (wait_out(retried, rs_ns_max(0, failure->decision.wait_ns - passed_ns)))
		return true;
	rs_failure_cancelled(failure);
	return false;
}

static bool act(struct rs_retried *retried, struct rs_failure *failure)
{
	const struct rs_incident incident = rs_failure_incident(failure);
	const struct rs_patience patience = { no_signal_waits, retried };

	switch (failure->decision.action) {
	case RS_ACTION_RECOVER:
		return recover(retried, failure) && wait_for_attempt(retried, failure);
	case RS_ACTION_RETRY:
		return wait_for_attempt(retried, failure);
	case RS_ACTION_FOLLOWUP:
		rs_follow_up(&incident, failure->history, &patience);
		return false;
	case RS_ACTION_EXHAUSTED:
	case RS_ACTION_PERMANENT:
		break;
	}
	rs_failure_report(failure);
	return false;
}

static bool judge_and_wait(struct rs_retried *retried, const struct rs_outcome *outcome)
{
	struct rs_failure failure = {
		.rules = retried->rules,
		.target = retried->target,
		.state = &retried->state,
		.history = &retried->history,
		.outcome = *outcome,
	};
	bool to_do = rs_failure_judge(&failure);

	if (failure.rule)
		retried->decided = true;
	return to_do && act(retried, &failure);
}

/* Signals wait until the wait begins: one that came just before it must end it, too. */
bool rs_retried_again(struct rs_retried *retried, const struct rs_outcome *outcome)
{
	int saved_errno = errno;
	bool again;

	rs_signals_hold_to_wait(&retried->before);
	again = judge_and_wait(retried, outcome);
	rs_signals_let(&retried->before);
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

	if (!retried->decided)
		rs_stats_passed(rules, retried->target->call);
	if (succeeded)
		rs_call_recovered(rules, retried->target, &retried->state);
	errno = saved_errno;
}

/* ---- a call that has not failed ---- */

int64_t rs_turn_wait_ns(const struct rs_rules *rules, const struct rs_target *target,
			int64_t now_ns)
{
	int64_t wait_ns = rs_pacer_wait_ns(rules->pacers, target, now_ns);

	rs_pacer_take(rules->pacers, target, now_ns);
	if (wait_ns > 0)
		rs_event_paced(rules, target, wait_ns);
	return wait_ns;
}

void rs_first_await_turn(const struct rs_rules *rules, const struct rs_target *target)
{
	int saved_errno = errno;
	int64_t wait_ns = rs_turn_wait_ns(rules, target, rs_now_ns());

	if (wait_ns > 0)
		(void)rs_pause(wait_ns, NULL);
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
