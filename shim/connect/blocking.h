/*
 * Retries of a blocking connect() on the program's own descriptor.
 */
#ifndef RS_CONNECT_BLOCKING_H
#define RS_CONNECT_BLOCKING_H

#include <stdint.h>

#include "ops/stats.h"
#include "process.h"
#include "real.h"
#include "retry/ledger.h"
#include "retry/purse.h"

/* One connect() as the program asked for it. */
struct rs_connect {
	rs_connect_fn real;
	int fd;
	const struct sockaddr *addr;
	socklen_t len;
	uint64_t began; /* rs_mark() */
};

/*
 * The first attempt has failed with `error`. Judge it, and as long as the rules say so wait and
 * try again. 0, or -errno of the last real attempt. Where nothing is to be done that is -error,
 * and for an errno that no rule names no system call is made.
 *
 * Takes no lock and no heap: a signal handler may leave by siglongjmp, and a thread be cancelled,
 * during a wait. Never changes the socket's flags. Async-signal-safe once the rules are loaded.
 */
int rs_connect_retry(const struct rs_connect *call, int error);

/* Give back what a success at the first attempt earns, and let its target's pace know. */
void rs_connect_note_success(const struct rs_rules *rules, const struct rs_connect *call);

/* Wait for the turn of the first attempt, as far as its target's pace asks for that; a handled
 * signal ends the wait. */
void rs_connect_pace(const struct rs_rules *rules, const struct rs_connect *call);

/* Nothing is paced before the rules are loaded. */
static inline void rs_connect_await_turn(const struct rs_connect *call)
{
	const struct rs_rules *rules = rs_process_rules_if_loaded();

	if (rules && rules->pacers)
		rs_connect_pace(rules, call);
}

/* The call succeeded at its first attempt. Nothing was spent where no rules are loaded. */
static inline void rs_connect_succeeded(const struct rs_connect *call)
{
	const struct rs_rules *rules = rs_process_rules_if_loaded();
	uint32_t stirred = rules ? rs_stirred(rules) : 0;

	if (stirred & RS_STIR_COUNT && rs_curl_depth == 0)
		atomic_fetch_add_explicit(&rules->passed->calls[RS_CALL_CONNECT], 1,
					  memory_order_relaxed);
	if (stirred & ~(uint32_t)RS_STIR_COUNT &&
	    (stirred & (RS_STIR_PAID | RS_STIR_PACE) || !rs_ledger_rests(rules->host_ledger)))
		rs_connect_note_success(rules, call);
}

#endif
