/*
 * What becomes of a connect of which an attempt has failed: what every way to connect asks of the
 * rules, and tells operators.
 *
 * Nothing here waits or takes a lock. Async-signal-safe once the rules are loaded.
 */
#ifndef RS_CONNECT_JUDGE_H
#define RS_CONNECT_JUDGE_H

#include <stdbool.h>
#include <stdint.h>

#include "ops/incident.h"
#include "ops/report.h"

/* Is this the errno of an attempt that has failed? The others say that the connection goes on, or
 * is there, or that the address could not be read. */
bool rs_connect_is_failure(int error);

/* Does any rule for connects name this errno? A bit test. */
bool rs_connect_rules_name(const struct rs_rules *rules, int error);

/* Does any name an errno at all? */
bool rs_connect_rules_name_any(const struct rs_rules *rules);

/* A failed attempt. What it points to belongs to the caller. */
struct rs_connect_failure {
	const struct rs_rules *rules;
	const struct rs_target *target;
	struct rs_call_state *state;
	struct rs_history *history;
	struct rs_outcome outcome; /* rs_connect_outcome() */

	/* Filled in by rs_connect_judge(). */
	const struct rs_rule *rule; /* that decides; NULL: none */
	struct rs_decision decision;
	int64_t now_ns;
};

static inline struct rs_outcome rs_connect_outcome(int error)
{
	return (struct rs_outcome){ .sys_errno = error, .never_sent = true };
}

/* Judge and log. Where it is to be tried again the quota has been paid, unless the rules only
 * observe. True: there is something to be done, now: wait, run a command, report. */
bool rs_connect_judge(struct rs_connect_failure *failure);

/* Will there be another attempt, if nothing comes between? */
bool rs_connect_goes_on(const struct rs_connect_failure *failure);

/* As those need it who act on it. */
struct rs_incident rs_connect_incident(const struct rs_connect_failure *failure);

/* It is the end: tell the report, with the decision's reason. */
void rs_connect_report(const struct rs_connect_failure *failure);

/* A recover command has not helped: the attempt that was paid for is not made. */
void rs_connect_not_recovered(const struct rs_connect_failure *failure);

/* Something ended the wait: logged, counted, reported. */
void rs_connect_cancelled(struct rs_connect_failure *failure);

/* The call has succeeded after retries: give back to the quota, and log. */
void rs_connect_recovered(const struct rs_rules *rules, const struct rs_target *target,
			  const struct rs_call_state *state);

#endif
