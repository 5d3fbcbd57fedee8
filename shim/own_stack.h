/*
 * A stack of its own, for what needs more of one than a signal handler or a small thread may have.
 */
#ifndef RS_OWN_STACK_H
#define RS_OWN_STACK_H

/*
 * Run fn(arg) there. It has to return: neither siglongjmp() nor cancellation may leave it, so
 * signals are to be held back and cancellation disabled. Where there is no memory, or on a machine
 * that this is not written for, it runs on the caller's. Async-signal-safe; may change errno.
 */
void rs_on_own_stack(void (*fn)(void *), void *arg);

#endif
