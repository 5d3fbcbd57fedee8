#include "failure.h"

#include "ops/events.h"
#include "process.h"
#include "retry/match.h"
#include "retry/pacer.h"

/* Will there be another attempt, if nothing comes between? */
static bool goes_on(const struct rs_failure *failure)
{
	return failure->decision.action == RS_ACTION_RETRY ||
	       failure->decision.action == RS_ACTION_RECOVER;
}

struct rs_incident rs_failure_incident(const struct rs_failure *failure)
{
	return (struct rs_incident){
		.rules = failure->rules,
		.rule = failure->rule,
		.target = failure->target,
		.outcome = &failure->outcome,
		.state = failure->state,
		.decision = &failure->decision,
		.now_ns = failure->now_ns,
	};
}

/* ---- judging ---- */

static void log_decision(const struct rs_failure *failure, int64_t now_ns)
{
	rs_event_decision(failure->rules, failure->rule, failure->target, &failure->outcome,
			  failure->state, &failure->decision, now_ns);
}

static void remember(const struct rs_failure *failure)
{
	const struct rs_cause cause = rs_cause_of(failure->target->call, &failure->outcome);

	rs_history_add(failure->history, &cause, goes_on(failure) ? failure->decision.wait_ns : 0);
}

static const struct rs_rule *find_rule(const struct rs_failure *failure)
{
	const struct rs_rule *rule = NULL;

	if (rs_match(failure->rules, failure->target, &failure->outcome, RS_KNOWN_ALL, &rule) !=
	    RS_MATCH_RULE)
		return NULL;
	return rule;
}

static void decide(struct rs_failure *failure)
{
	struct rs_pacers *pacers = failure->rules->pacers;
	const struct rs_circumstances now = {
		.replayable = true,
		.now_ns = failure->now_ns,
		.wall_now_ns = rs_wall_now_ns(),
		.pace_ns = rs_pacer_wait_ns(pacers, failure->target, failure->now_ns),
		.random = rs_random(failure->rules),
		.target = failure->target,
	};

	failure->decision =
		rs_decide(failure->rules, failure->rule, failure->state, &failure->outcome, &now);
	if (failure->decision.action == RS_ACTION_RETRY)
		rs_pacer_take(pacers, failure->target, now.now_ns);
}

bool rs_failure_judge(struct rs_failure *failure)
{
	bool throttled;

	failure->now_ns = rs_now_ns();
	failure->rule = find_rule(failure);
	throttled = failure->rule && failure->rule->policy.rate_limit == RS_RATE_ADAPTIVE;
	rs_pacer_outcome(failure->rules->pacers, failure->target, throttled, failure->now_ns);
	if (!failure->rule)
		return false;
	decide(failure);
	log_decision(failure, failure->now_ns);
	remember(failure);
	if (failure->rules->settings.mode != RS_MODE_OBSERVE)
		return true;
	rs_call_unpaid(failure->state, rs_now_ns());
	return false;
}

/* ---- the end ---- */

static void report(const struct rs_failure *failure, const struct rs_incident *incident,
		   const char *reason)
{
	rs_report_write(incident, failure->history, reason, (struct rs_span){ NULL, 0 });
}

void rs_failure_report(const struct rs_failure *failure)
{
	const struct rs_incident incident = rs_failure_incident(failure);

	report(failure, &incident, rs_report_reason(&incident));
}

void rs_failure_not_recovered(const struct rs_failure *failure)
{
	struct rs_incident incident = rs_failure_incident(failure);

	incident.now_ns = rs_now_ns(); /* the command has taken its time */
	rs_call_unpaid(failure->state, incident.now_ns);
	rs_history_no_wait(failure->history);
	report(failure, &incident, "recovery");
}

void rs_failure_cancelled(struct rs_failure *failure)
{
	failure->decision = (struct rs_decision){
		.action = RS_ACTION_EXHAUSTED,
		.reason = RS_REASON_CANCELLED,
		.quota_left = -1,
	};
	failure->now_ns = rs_now_ns();
	log_decision(failure, failure->now_ns);
	rs_failure_report(failure);
}

void rs_call_recovered(const struct rs_rules *rules, const struct rs_target *target,
		       const struct rs_call_state *state)
{
	int64_t now_ns = rs_now_ns();

	rs_pacer_outcome(rules->pacers, target, false, now_ns);
	rs_call_succeeded(rules, state, target, now_ns);
	rs_event_recovered(rules, target, state, now_ns);
}
