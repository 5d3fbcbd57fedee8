/*
 * A failed attempt of a call that does not go through libcurl, a connect or a look-up: what the
 * rules make of it, and what operators are told.
 *
 * Nothing here waits or takes a lock. Async-signal-safe once the rules are loaded.
 */
#ifndef RS_FAILURE_H
#define RS_FAILURE_H

#include <stdbool.h>
#include <stdint.h>

#include "ops/incident.h"
#include "ops/report.h"

/* What it points to belongs to the caller. */
struct rs_failure {
	const struct rs_rules *rules;
	const struct rs_target *target;
	struct rs_call_state *state;
	struct rs_history *history;
	struct rs_outcome outcome;

	/* Filled in by rs_failure_judge(). */
	const struct rs_rule *rule; /* that decides; NULL: none */
	struct rs_decision decision;
	int64_t now_ns;
};

/* Judge and log. Where it is to be tried again the quota has been paid, unless the rules only
 * observe. True: there is something to be done, now: wait, run a command, report. */
bool rs_failure_judge(struct rs_failure *failure);

/* As those need it who act on it. */
struct rs_incident rs_failure_incident(const struct rs_failure *failure);

/* It is the end: tell the report, with the decision's reason. */
void rs_failure_report(const struct rs_failure *failure);

/* A recover command has not helped: the attempt that was paid for is not made. */
void rs_failure_not_recovered(const struct rs_failure *failure);

/* Something ended the wait: logged, counted, reported. */
void rs_failure_cancelled(struct rs_failure *failure);

/* The call has succeeded after retries: give back to the quota, and log. */
void rs_call_recovered(const struct rs_rules *rules, const struct rs_target *target,
		       const struct rs_call_state *state);

#endif
