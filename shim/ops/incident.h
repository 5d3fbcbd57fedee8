/*
 * A judged outcome, as those need it who act on it or tell of it. A view: it owns nothing.
 */
#ifndef RS_OPS_INCIDENT_H
#define RS_OPS_INCIDENT_H

#include "retry/decide.h"

struct rs_incident {
	const struct rs_rules *rules;
	const struct rs_rule *rule; /* that decided */
	const struct rs_target *target;
	const struct rs_outcome *outcome;
	const struct rs_call_state *state;
	const struct rs_decision *decision;
	int64_t now_ns; /* monotonic: when it was judged */
};

#endif
