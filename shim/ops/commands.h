/*
 * The commands of rules at work: recover, which may mend what made an attempt fail, and followup,
 * which looks into what cannot be mended.
 *
 * From any thread, after fork; async-signal-safe where all signals wait meanwhile. No lock is held
 * while a command runs or is waited for.
 */
#ifndef RS_OPS_COMMANDS_H
#define RS_OPS_COMMANDS_H

#include <stdatomic.h>

#include "ops/edits.h"
#include "ops/incident.h"
#include "ops/report.h"

/* Who waits, and may lose patience: `go_on` is asked at least every 50 ms. */
struct rs_patience {
	bool (*go_on)(void *arg);
	void *arg;
};

/* One run of a recover command. Shared by the calls that it was for; not to be changed. */
struct rs_recovery {
	atomic_int users;
	bool mended;           /* the next attempt may be made, with these edits */
	bool cancelled;        /* the patience of whoever ran it was at an end */
	struct rs_edits edits; /* none unless mended */
	int64_t ended_ns;
	char why[96];                 /* it is not mended */
	char shown[RS_REPORT_OUTPUT]; /* what it printed, without secrets */
	size_t shown_len;
	void *memory; /* that the edits point into */
};

/*
 * Run the recover command of the incident's rule, or share the run of another call of this process
 * to the same target: one that is going on, or one that ended after the incident's attempt began
 * (`attempt_ns`), since that attempt cannot have profited from it. Logged.
 *
 * NULL: no more patience; else to be released. Where memory is short nothing is run, or mended.
 */
struct rs_recovery *rs_recover(const struct rs_incident *incident, int64_t attempt_ns,
			       const struct rs_patience *patience);
void rs_recovery_release(struct rs_recovery *recovery);

/* What it printed, for the report. {NULL, 0} for NULL. */
struct rs_span rs_recovery_shown(const struct rs_recovery *recovery);

/* Run the followup command of the incident's rule; its output joins the report. Logged. */
void rs_follow_up(const struct rs_incident *incident, const struct rs_history *history,
		  const struct rs_patience *patience);

#endif
