#include "process.h"
#include "transfer/exchange.h"

static bool go_on(void *exchange)
{
	return rs_exchange_go_on(exchange);
}

static struct rs_incident incident_of(struct rs_exchange *x)
{
	return (struct rs_incident){
		.rules = x->rules,
		.rule = x->rule,
		.target = rs_exchange_target(x),
		.outcome = &x->outcome,
		.state = &x->call,
		.decision = &x->decision,
		.now_ns = x->decided_ns,
	};
}

/* The retry is not made: its quota is given back, and the response is the program's. */
static enum rs_recovered give_up(struct rs_exchange *x)
{
	rs_call_unpaid(&x->call, rs_now_ns());
	rs_history_no_wait(&x->history);
	if (x->phase == RS_HOLDING || x->resume.continuing)
		rs_hand_over(x);
	return RS_RECOVERED_NO;
}

enum rs_recovered rs_exchange_recover(struct rs_exchange *x)
{
	const struct rs_incident incident = incident_of(x);
	const struct rs_patience patience = { go_on, x };
	struct rs_recovery *recovery = rs_recover(&incident, x->attempt_ns, &patience);

	rs_recovery_release(x->recovery);
	x->recovery = recovery;
	if (!recovery) {
		rs_transfer_error(x, "Callback aborted");
		return RS_RECOVERED_CANCELLED;
	}
	if (!recovery->mended || !rs_amend(x, &recovery->edits))
		return give_up(x);
	rs_prepare_retry(x);
	return RS_RECOVERED_YES;
}

/* The response is over, and with it the program's interest: a followup command that is in its way
 * can be stopped by the progress callback, but changes nothing about the outcome. */
void rs_exchange_report(struct rs_exchange *x)
{
	const struct rs_patience patience = { go_on, x };
	struct rs_incident incident;
	const char *reason;

	if (!x->rule || x->rules->settings.mode == RS_MODE_OBSERVE)
		return;
	incident = incident_of(x);
	if (x->decision.action == RS_ACTION_FOLLOWUP) {
		rs_follow_up(&incident, &x->history, &patience);
		return;
	}
	reason = rs_report_reason(&incident);
	if (x->decision.action == RS_ACTION_RECOVER) {
		reason = "recovery";
		incident.now_ns = rs_now_ns(); /* the command has taken its time */
	}
	rs_report_write(&incident, &x->history, reason, rs_recovery_shown(x->recovery));
}
