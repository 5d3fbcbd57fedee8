/*
 * The report: an object of JSON a line for each outcome that retries did not mend.
 *
 * A line is written by one system call and is short enough for that to hold; a report that cannot
 * be written is dropped, which the log says once. Same guarantees as ops/log.h.
 */
#ifndef RS_OPS_REPORT_H
#define RS_OPS_REPORT_H

#include "ops/cause_text.h"
#include "ops/incident.h"
#include "ops/line.h"

/* As many attempts of a call are told of; of more the first ones and the last. */
#define RS_HISTORY_MOST 32

/* As much of a command's output is told. */
#define RS_REPORT_OUTPUT 4096

/* No line is longer: each byte of output takes six at most. */
#define RS_REPORT_LINE 49152

/* How a call's attempts ended, and how long was waited after each. `count` = 0 begins one. */
struct rs_history {
	int32_t count; /* of all, kept or not */
	struct {
		struct rs_cause cause;
		int64_t wait_ns;
	} at[RS_HISTORY_MOST];
};

void rs_history_add(struct rs_history *history, const struct rs_cause *cause, int64_t wait_ns);

/* The wait that was to follow the last attempt did not begin. */
void rs_history_no_wait(struct rs_history *history);

struct rs_report {
	const struct rs_incident *incident;
	const struct rs_history *history;
	const char *reason;
	struct rs_span output; /* of a command; {NULL, 0}: there was none */
	int64_t wall_ns;       /* when */
	int pid;
};

/* The line, with its end. Pure. */
void rs_report_compose(struct rs_line *line, const struct rs_report *report);

/* Append the outcome to the report, if the settings ask for one. */
void rs_report_write(const struct rs_incident *incident, const struct rs_history *history,
		     const char *reason, struct rs_span output);

/* Why a call ended that is to be reported: that of an exhausted one, else the class. */
const char *rs_report_reason(const struct rs_incident *incident);

#endif
