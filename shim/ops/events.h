/*
 * The events that calls of every kind report: what they were, how they ended, what is done.
 * Same guarantees as ops/log.h.
 */
#ifndef RS_OPS_EVENTS_H
#define RS_OPS_EVENTS_H

#include "ops/incident.h"

/* A wait begins (event=retry), the call is given up (exhausted), or was hopeless (permanent).
 * Fields: rule call method target attempt of cause wait_ms quota; for exhausted also reason and
 * elapsed_ms. `cause` is the status, or the error's name (and the errno's behind it). */
void rs_event_decision(const struct rs_rules *rules, const struct rs_rule *rule,
		       const struct rs_target *target, const struct rs_outcome *outcome,
		       const struct rs_call_state *state, const struct rs_decision *decision,
		       int64_t now_ns);

/* A command of the rule has run (event=recover or followup). Fields: rule call method target
 * attempt of cause, for recover wait_ms quota, result (ok, failed), error where it failed, run_ms
 * (until `now_ns`). */
void rs_event_command(const struct rs_incident *incident, const char *why, int64_t now_ns);

/* A first attempt is delayed to keep its target's pace (event=paced): call method target wait_ms.
 */
void rs_event_paced(const struct rs_rules *rules, const struct rs_target *target, int64_t wait_ns);

/* A call succeeded after retries: rule call method target attempts elapsed_ms. */
void rs_event_recovered(const struct rs_rules *rules, const struct rs_target *target,
			const struct rs_call_state *state, int64_t now_ns);

/* Rules that were read for a connect may have a body_regex that is none. Once it was needed, for a
 * transfer, that is said (event=rules): action=refused file line rule error. */
void rs_event_patterns(const struct rs_rules *rules);

#endif
