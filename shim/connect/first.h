/*
 * The first attempt of a connect, and the rules: whether it has to wait for its turn, and what its
 * success gives back. Nearly every call asks, and nearly none has to do anything: the questions
 * are a load and a test each.
 *
 * Async-signal-safe; errno is kept.
 */
#ifndef RS_CONNECT_FIRST_H
#define RS_CONNECT_FIRST_H

#include "connect/call.h"
#include "ops/stats.h"
#include "process.h"
#include "retry/ledger.h"
#include "retry/purse.h"

/* Is any target's pace kept? Not before the rules are loaded. */
static inline bool rs_connect_is_paced(void)
{
	const struct rs_rules *rules = rs_process_rules_if_loaded();

	return rules && rules->pacers;
}

/* The first attempt's turn, as far as its target's pace asks for that. 0: it is to be made now. On
 * a blocking socket it is waited for; a handled signal ends the wait, and -EBADF says that the
 * descriptor was closed meanwhile. RS_CONNECT_PENDS on a non-blocking one whose turn has not come:
 * it will be made then. */
int rs_connect_pace(const struct rs_connect *call);

/* Give back what a success at the first attempt earns, and let its target's pace know. */
void rs_connect_note_success(const struct rs_rules *rules, const struct rs_connect *call);

/* Has the success of a first attempt more to it than to be counted? */
static inline bool rs_connect_success_matters(const struct rs_rules *rules, uint32_t stirred)
{
	return stirred & ~(uint32_t)RS_STIR_COUNT &&
	       (stirred & (RS_STIR_PAID | RS_STIR_PACE) || !rs_ledger_rests(rules->host_ledger));
}

/* The call succeeded at its first attempt. Nothing was spent where no rules are loaded. */
static inline void rs_connect_succeeded(const struct rs_connect *call)
{
	const struct rs_rules *rules = rs_process_rules_if_loaded();
	uint32_t stirred = rules ? rs_stirred(rules) : 0;

	if (stirred & RS_STIR_COUNT && rs_curl_depth == 0)
		atomic_fetch_add_explicit(&rules->passed->calls[RS_CALL_CONNECT], 1,
					  memory_order_relaxed);
	if (rs_connect_success_matters(rules, stirred))
		rs_connect_note_success(rules, call);
}

#endif
