#include "ops/command_run.h"
#include "ops/events.h"
#include "process.h"

void rs_follow_up(const struct rs_incident *incident, const struct rs_history *history,
		  const struct rs_patience *patience)
{
	struct rs_hook_result result;
	char why[96];

	rs_command_run(incident, incident->rule->followup, patience, &result);
	rs_command_why(&result, why, sizeof(why));
	rs_event_command(incident, why, rs_now_ns());
	rs_report_write(incident, history, rs_report_reason(incident), result.output);
	rs_hook_release(&result);
}
