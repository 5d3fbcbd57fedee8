/*
 * The pace of each target (rate_limit = adaptive): a table of retry/adaptive.h by host:port.
 * Looking a name up asks somebody else than whoever has that name, and has a pace of its own.
 *
 * A bounded one: a target that was not called for RS_PACER_REST_NS gives its place up, and one that
 * finds no place is not paced.
 *
 * Any thread, after fork, in a signal handler: what holds a place does so for a moment, and whoever
 * finds it held for longer (its thread is gone) takes it over. Who does not get it goes unpaced.
 */
#ifndef RS_RETRY_PACER_H
#define RS_RETRY_PACER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "retry/adaptive.h"
#include "retry/outcome.h"

#define RS_PACERS        64 /* a power of two */
#define RS_PACER_REST_NS 300000000000LL

struct rs_pacer {
	_Atomic int64_t held_ns; /* since when; 0: not */
	_Atomic uint64_t key;    /* the target's; 0: free */
	int64_t used_ns;
	struct rs_adaptive adaptive;
};

struct rs_pacers {
	struct rs_pacer at[RS_PACERS];
};

/* An attempt has ended. `pacers` may be NULL here and below: then nothing is paced. */
void rs_pacer_outcome(struct rs_pacers *pacers, const struct rs_target *target, bool throttled,
		      int64_t now_ns);

/* How long the next attempt would have to wait; then, when it will be made, its token. */
int64_t rs_pacer_wait_ns(struct rs_pacers *pacers, const struct rs_target *target, int64_t now_ns);
void rs_pacer_take(struct rs_pacers *pacers, const struct rs_target *target, int64_t now_ns);

/* An attempt that has taken its token is not made: give it back. */
void rs_pacer_give(struct rs_pacers *pacers, const struct rs_target *target, int64_t now_ns);

#endif
