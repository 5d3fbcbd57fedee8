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

/* After a failure, or in the middle of an attempt: the socket is to forget it. It keeps its options
 * and its binding. */
void rs_launch_clear(const struct rs_pending *pending);

/* Put off what becomes of an attempt: the real thing, or an error, when the fault's delay is over.
 * WAITS. */
enum rs_pending_stage rs_launch_put_off(struct rs_pending *pending,
					const struct rs_fault_strike *strike);

/* RS_STEP_ATTEMPT and RS_STEP_LAUNCH. Returns the stage that follows. */
enum rs_pending_stage rs_launch_attempt(struct rs_pending *pending);
enum rs_pending_stage rs_launch_real(struct rs_pending *pending);

#endif
