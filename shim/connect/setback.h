/*
 * An attempt of a pending connect has failed: it is judged, and what the rule asks for is done,
 * beside the program.
 *
 * On held places, with signals held back. Nothing here blocks.
 */
#ifndef RS_CONNECT_SETBACK_H
#define RS_CONNECT_SETBACK_H

#include <stdbool.h>

#include "connect/pending.h"

/* What the call is about. False: nothing that rules speak of. */
bool rs_pending_describe(struct rs_connect_target *about, const struct rs_pending *pending);

/* Judge `error`; returns the stage that follows: WAITS for an attempt or a command, or FAILED. */
enum rs_pending_stage rs_setback(struct rs_pending *pending, int error);

/* RS_STEP_LOOK. */
enum rs_pending_stage rs_setback_look(struct rs_pending *pending);

/* Something ended the waiting before its time: told to operators, and its command ended. */
void rs_setback_cancel(struct rs_pending *pending);

/* The call has ended without an attempt that failed and was judged: it counts all the same. */
void rs_setback_none(const struct rs_pending *pending);

#endif
