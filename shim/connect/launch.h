/*
 * An attempt of a pending connect: when its time has come, and past the faults on purpose that lie
 * in its way.
 *
 * On held places, with signals held back. Nothing here blocks.
 */
#ifndef RS_CONNECT_LAUNCH_H
#define RS_CONNECT_LAUNCH_H

#include "connect/pending.h"
#include "retry/fault.h"

/* An attempt has succeeded; NONE. */
enum rs_pending_stage rs_launch_arrived(struct rs_pending *pending);

/* End the attempt that flies: somebody has looked just now whether it has connected. The socket
 * keeps its options and its binding. */
void rs_launch_call_off(const struct rs_pending *pending);

/* Put off what becomes of an attempt: the real thing, or an error, when the fault's delay is over.
 * WAITS. */
enum rs_pending_stage rs_launch_put_off(struct rs_pending *pending,
					const struct rs_fault_strike *strike);

/* An attempt flies: how long may it, by the rules? */
void rs_launch_limit(struct rs_pending *pending);

/* RS_STEP_ATTEMPT and RS_STEP_LAUNCH. Returns the stage that follows. A connection that came about
 * meanwhile, by another process's attempt, is the outcome. */
enum rs_pending_stage rs_launch_attempt(struct rs_pending *pending);
enum rs_pending_stage rs_launch_real(struct rs_pending *pending);

#endif
