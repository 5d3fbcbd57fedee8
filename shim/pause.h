/*
 * Waiting between two attempts of a blocking call, as a system call of the program would wait: a
 * handled signal ends it, a handler may leave it by siglongjmp, a thread can be cancelled in it.
 * Async-signal-safe.
 */
#ifndef RS_PAUSE_H
#define RS_PAUSE_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

/* Hold all signals back until the wait, so that one that comes just before it ends it, too. */
void rs_signals_hold(sigset_t *before);
void rs_signals_let(const sigset_t *before);

/* Wait under the program's own mask. False when a handled signal ended it. */
bool rs_pause(int64_t ns, const sigset_t *mask);

#endif
