/*
 * What is logged of faults on purpose.
 */
#ifndef RS_OPS_FAULT_EVENT_H
#define RS_OPS_FAULT_EVENT_H

#include "retry/fault.h"

/* "fault", at level info: which fault strikes what, and how. Any thread; async-signal-safe. */
void rs_event_fault(const struct rs_rules *rules, const struct rs_fault_strike *strike,
		    const struct rs_target *target);

#endif
