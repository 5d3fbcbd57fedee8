#include "connect/between.h"

#include "connect/patience.h"
#include "connect/socket.h"
#include "ops/commands.h"
#include "pause.h"
#include "process.h"
#include "retry/ns.h"

/* The program's own signal mask, while all signals wait. */
struct between {
	struct rs_retried *retried;
	int fd;
	sigset_t mask;
};

/* What a recover command says about headers and URLs is for transfers alone. */
static bool recover(struct between *between, struct rs_connect_failure *failure)
{
	const struct rs_incident incident = rs_connect_incident(failure);
	const struct rs_patience patience = rs_connect_patience(&between->mask);
	struct rs_recovery *recovery =
		rs_recover(&incident, between->retried->attempt_ns, &patience);
	bool mended = recovery && recovery->mended;

	if (!recovery)
		rs_connect_cancelled(failure);
	else if (!mended)
		rs_connect_not_recovered(failure);
	rs_recovery_release(recovery);
	return mended;
}

/* Another thread may have closed the descriptor, and its number be another socket's now. The wait
 * is counted from the failure: what a recovery took of it is over. */
static bool wait_for_attempt(struct between *between, struct rs_connect_failure *failure)
{
	int64_t passed_ns = 0;

	if (failure->decision.action == RS_ACTION_RECOVER)
		passed_ns = rs_now_ns() - failure->now_ns;
	if (rs_pause(rs_ns_max(0, failure->decision.wait_ns - passed_ns), &between->mask) &&
	    rs_socket_cookie(between->fd) == between->retried->cookie)
		return true;
	rs_connect_cancelled(failure);
	return false;
}

static bool act(struct between *between, struct rs_connect_failure *failure)
{
	const struct rs_incident incident = rs_connect_incident(failure);
	const struct rs_patience patience = rs_connect_patience(&between->mask);

	switch (failure->decision.action) {
	case RS_ACTION_RECOVER:
		return recover(between, failure) && wait_for_attempt(between, failure);
	case RS_ACTION_RETRY:
		return wait_for_attempt(between, failure);
	case RS_ACTION_FOLLOWUP:
		rs_follow_up(&incident, failure->history, &patience);
		return false;
	case RS_ACTION_EXHAUSTED:
	case RS_ACTION_PERMANENT:
		break;
	}
	rs_connect_report(failure);
	return false;
}

static bool judge_and_wait(struct between *between, int error)
{
	struct rs_retried *retried = between->retried;
	struct rs_connect_failure failure = {
		.rules = retried->rules,
		.target = &retried->about.target,
		.state = &retried->state,
		.history = &retried->history,
		.outcome = rs_connect_outcome(error),
	};
	bool to_do = rs_connect_judge(&failure);

	if (failure.rule)
		retried->decided = true;
	return to_do && act(between, &failure);
}

bool rs_connect_wait_for_next(struct rs_retried *retried, int fd, int error)
{
	struct between between = { .retried = retried, .fd = fd };
	bool again;

	rs_signals_hold(&between.mask);
	again = judge_and_wait(&between, error);
	rs_signals_let(&between.mask);
	return again;
}
