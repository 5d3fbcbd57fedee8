/*
 * What a call that succeeds at its first attempt gives back to the quotas.
 */
#ifndef RS_REFUND_H
#define RS_REFUND_H

#include "process.h"

/* Give it back where a bucket is not full. Async-signal-safe, without a lock. */
void rs_refund(const struct rs_rules *rules);

/* The call succeeded at its first attempt. Nothing was spent where no rules are loaded. */
static inline void rs_succeeded_at_once(void)
{
	const struct rs_rules *rules = rs_process_rules_if_loaded();

	if (rules)
		rs_refund(rules);
}

#endif
