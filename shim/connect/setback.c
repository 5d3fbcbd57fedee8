#include "connect/setback.h"

#include <unistd.h>

#include "connect/judge.h"
#include "failure.h"
#include "mark.h"
#include "ops/stats.h"
#include "process.h"
#include "retry/ns.h"

/* From one look at a command to the next: longer and longer. */
#define LOOK_FIRST_NS (1 * RS_NS_PER_MS)
#define LOOK_MOST_NS  (32 * RS_NS_PER_MS)

bool rs_pending_describe(struct rs_connect_target *about, const struct rs_pending *pending)
{
	if (!rs_connect_target(about, &pending->addr, pending->len))
		return false;
	about->target.program = rs_program_name();
	return true;
}

void rs_setback_none(const struct rs_pending *pending)
{
	const struct rs_rules *rules = rs_process_rules_if_loaded();

	if (rules && !pending->rule)
		rs_stats_passed(rules, RS_CALL_CONNECT);
}

/* ---- a judgement, and the place that it is kept in ---- */

static struct rs_failure recall(struct rs_pending *pending, const struct rs_target *target)
{
	return (struct rs_failure){
		.rules = pending->rules,
		.target = target,
		.state = &pending->state,
		.history = &pending->history,
		.outcome = rs_connect_outcome(pending->error),
		.rule = pending->rule,
		.decision = pending->decision,
		.now_ns = pending->judged_ns,
	};
}

static void keep(struct rs_pending *pending, const struct rs_failure *failure)
{
	if (!failure->rule)
		return;
	pending->rule = failure->rule;
	pending->decision = failure->decision;
	pending->judged_ns = failure->now_ns;
}

/* ---- what follows ---- */

static enum rs_pending_stage wait_until(struct rs_pending *pending, enum rs_pending_step step,
					int64_t due_ns)
{
	pending->step = step;
	pending->due_ns = due_ns;
	return RS_PENDING_WAITS;
}

/* The wait is counted from the failure: what a command took of it is over. */
static enum rs_pending_stage wait_for_attempt(struct rs_pending *pending)
{
	return wait_until(pending, RS_STEP_ATTEMPT,
			  rs_ns_add(pending->judged_ns, pending->decision.wait_ns));
}

static enum rs_pending_stage look_again(struct rs_pending *pending)
{
	int64_t look_ns = pending->look_ns;

	pending->look_ns = rs_ns_min(2 * look_ns, LOOK_MOST_NS);
	return wait_until(pending, RS_STEP_LOOK, rs_ns_add(rs_now_ns(), look_ns));
}

static enum rs_pending_stage recover(struct rs_pending *pending, struct rs_failure *failure)
{
	const struct rs_incident incident = rs_failure_incident(failure);
	struct rs_recovery *recovery;
	bool mended;

	if (!rs_recover_beside(&pending->errand, &incident, pending->attempt_ns, &recovery))
		return look_again(pending);
	mended = recovery && recovery->mended;
	if (!recovery)
		rs_failure_cancelled(failure);
	else if (!mended)
		rs_failure_not_recovered(failure);
	rs_recovery_release(recovery);
	return mended ? wait_for_attempt(pending) : RS_PENDING_FAILED;
}

static enum rs_pending_stage follow_up(struct rs_pending *pending, const struct rs_failure *failure)
{
	const struct rs_incident incident = rs_failure_incident(failure);

	if (!rs_follow_up_beside(&pending->errand, &incident, &pending->history))
		return look_again(pending);
	return RS_PENDING_FAILED;
}

static enum rs_pending_stage act(struct rs_pending *pending, struct rs_failure *failure)
{
	switch (failure->decision.action) {
	case RS_ACTION_RETRY:
		return wait_for_attempt(pending);
	case RS_ACTION_RECOVER:
		return recover(pending, failure);
	case RS_ACTION_FOLLOWUP:
		return follow_up(pending, failure);
	case RS_ACTION_EXHAUSTED:
	case RS_ACTION_PERMANENT:
		break;
	}
	rs_failure_report(failure);
	return RS_PENDING_FAILED;
}

/* ---- the outside ---- */

static bool judge(struct rs_pending *pending, struct rs_failure *failure)
{
	bool to_do =
		rs_connect_rules_name(failure->rules, pending->error) && rs_failure_judge(failure);

	if (!failure->rule)
		rs_setback_none(pending);
	keep(pending, failure);
	return to_do;
}

static void date(struct rs_pending *pending)
{
	int64_t began_ns = 0;

	if (pending->state.started_ns == 0 || pending->attempt_ns == 0)
		began_ns = rs_mark_ns(pending->began);
	if (pending->state.started_ns == 0)
		pending->state.started_ns = began_ns;
	if (pending->attempt_ns == 0)
		pending->attempt_ns = began_ns;
}

enum rs_pending_stage rs_setback(struct rs_pending *pending, int error)
{
	struct rs_failure failure;
	struct rs_connect_target about;

	pending->process = getpid();
	pending->error = error;
	pending->rules = rs_process_rules_at_failure(RS_CALL_CONNECT);
	if (!pending->rules || !rs_pending_describe(&about, pending))
		return RS_PENDING_FAILED;
	date(pending);
	failure = recall(pending, &about.target);
	failure.rule = NULL;
	if (!judge(pending, &failure))
		return RS_PENDING_FAILED;
	pending->look_ns = LOOK_FIRST_NS;
	return act(pending, &failure);
}

enum rs_pending_stage rs_setback_look(struct rs_pending *pending)
{
	struct rs_failure failure;
	struct rs_connect_target about;

	if (!rs_pending_describe(&about, pending))
		return RS_PENDING_FAILED;
	failure = recall(pending, &about.target);
	return act(pending, &failure);
}

/* A fork's child lets go of what is its parent's without a word. */
void rs_setback_cancel(struct rs_pending *pending)
{
	bool follows_up = pending->rule && pending->decision.action == RS_ACTION_FOLLOWUP;
	bool silent = pending->errand.runs && !rs_errand_is_ours(&pending->errand);
	struct rs_failure failure;
	struct rs_connect_target about;
	struct rs_incident incident;

	rs_errand_abandon(&pending->errand);
	if (silent || !pending->rule || !rs_pending_describe(&about, pending))
		return;
	failure = recall(pending, &about.target);
	incident = rs_failure_incident(&failure);
	if (follows_up)
		rs_follow_up_cancelled(&incident, &pending->history);
	else
		rs_failure_cancelled(&failure);
}
