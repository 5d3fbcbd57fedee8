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
#include "ops/hook.h"
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
	uint64_t url;          /* what it was run for, as in the key of its flight */
	int64_t ended_ns;
	char why[96];                 /* it is not mended */
	char shown[RS_REPORT_OUTPUT]; /* what it printed, without secrets */
	size_t shown_len;
	void *memory; /* that the edits point into */
};

/*
 * Run the recover command of the incident's rule, or share the run of another call of this process
 * to the same target: one that is going on, or one that ended after the incident's attempt began
 * (`attempt_ns`), since that attempt cannot have profited from it. A run that leads to another URL
 * is shared by calls for the same URL only. Logged.
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

/* Calls that share a recovery: of one rule, to one target; where it sets a URL, of one URL, too. */
struct rs_flight_key {
	const struct rs_rule *rule;
	uint64_t target, url;
};

/* A command that runs beside its call, for calls that must not wait. All zero: none does. */
struct rs_errand {
	bool runs;
	bool shared; /* a recover command: `key` says with whom */
	struct rs_flight_key key;
	struct rs_hook_job job;
};

/*
 * The two above, begun at the first call and asked after by further ones, with the same incident.
 * Neither waits. False: ask again later. True: it is over, and *recovery is what rs_recover() would
 * have returned.
 */
bool rs_recover_beside(struct rs_errand *errand, const struct rs_incident *incident,
		       int64_t attempt_ns, struct rs_recovery **recovery);
bool rs_follow_up_beside(struct rs_errand *errand, const struct rs_incident *incident,
			 const struct rs_history *history);

/* Did this process begin it? A fork's child only looks on. */
bool rs_errand_is_ours(const struct rs_errand *errand);

/* Nobody asks after it any more: it is ended, soon, without a word. */
void rs_errand_abandon(struct rs_errand *errand);

/* Tell of a followup command that was abandoned. */
void rs_follow_up_cancelled(const struct rs_incident *incident, const struct rs_history *history);

#endif
