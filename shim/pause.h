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

/* What a thread had: its mask, and whether it can be cancelled. */
struct rs_before {
	sigset_t mask;
	int cancel_state;
};

/* Hold all signals back until the wait, so that one that comes just before it ends it, too; and a
 * cancellation, which could come in the middle of anything: poll() is a cancellation point even
 * where it does not wait. */
void rs_signals_hold(struct rs_before *before);
void rs_signals_let(const struct rs_before *before);

/* The same where a wait follows that is a cancellation point. Who has been cancelled already ends
 * here, since under the mask that follows its cleanup handlers would not have any signals. */
void rs_signals_hold_to_wait(struct rs_before *before);

/* Does the program do without this signal, as things are? */
bool rs_signal_is_ignored(int number);

/* Where no signal is held back such a one goes by unnoticed; one that was, ends an epoll_wait()
 * that has `mask`, with nothing to show for it. Those are taken away. */
void rs_signals_drop_ignored(const sigset_t *mask);

/* Around a wait, which has the program's mask: let a cancellation come. errno is kept. */
void rs_cancel_let(const struct rs_before *before);
void rs_cancel_hold(void);

/* Wait as the program would have. `before`: what is held back; NULL: nothing is. False when a
 * handled signal ended it. */
bool rs_pause(int64_t ns, const struct rs_before *before);

#endif
