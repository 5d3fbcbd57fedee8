/*
 * How an attempt ended, as logs, reports and commands name it. Pure; async-signal-safe.
 */
#ifndef RS_OPS_CAUSE_TEXT_H
#define RS_OPS_CAUSE_TEXT_H

#include "retry/outcome.h"

/* Two error names and the slash between them. */
#define RS_CAUSE_TEXT_SIZE 96

/* An outcome without what it points to: it may be kept. */
struct rs_cause {
	enum rs_call call;
	int error, sys_errno, status;
};

static inline struct rs_cause rs_cause_of(enum rs_call call, const struct rs_outcome *outcome)
{
	return (struct rs_cause){ call, outcome->error, outcome->sys_errno, outcome->status };
}

/* Did a response decide? Then the cause is its status: a number. */
bool rs_cause_is_status(const struct rs_cause *cause);

/* The error's name, and that of the errno behind it: "CURLE_COULDNT_CONNECT/ECONNREFUSED". */
struct rs_span rs_cause_text(const struct rs_cause *cause, char buf[RS_CAUSE_TEXT_SIZE]);

/* The error's name alone; "" where there is none. */
const char *rs_cause_error(const struct rs_cause *cause);

#endif
