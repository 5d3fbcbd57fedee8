#include "ops/command_run.h"
#include "ops/events.h"
#include "process.h"

static void tell(const struct rs_incident *incident, const struct rs_history *history,
		 struct rs_hook_result *result)
{
	char why[96];

	rs_command_why(result, why, sizeof(why));
	rs_event_command(incident, why, rs_now_ns());
	rs_report_write(incident, history, rs_report_reason(incident), result->output);
	rs_hook_release(result);
}

void rs_follow_up(const struct rs_incident *incident, const struct rs_history *history,
		  const struct rs_patience *patience)
{
	struct rs_hook_result result;

	rs_command_run(incident, incident->rule->followup, patience, &result);
	tell(incident, history, &result);
}

bool rs_follow_up_beside(struct rs_errand *errand, const struct rs_incident *incident,
			 const struct rs_history *history)
{
	struct rs_hook_result result;

	if (!errand->runs)
		rs_command_start(incident, incident->rule->followup, &errand->job);
	errand->runs = true;
	if (!rs_hook_is_over(&errand->job))
		return false;
	rs_hook_finish(&errand->job, &result);
	errand->runs = false;
	tell(incident, history, &result);
	return true;
}

void rs_follow_up_cancelled(const struct rs_incident *incident, const struct rs_history *history)
{
	struct rs_hook_result result = { .end = RS_HOOK_CANCELLED };

	tell(incident, history, &result);
}
