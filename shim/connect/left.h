/*
 * Connects between two attempts that epoll sets are quiet about, and that nobody waits for there.
 * A program may only ask such a set, and wait for the set itself: inside of another one, or by
 * poll() or select(). So whoever waits, and for whatever, sees to these.
 *
 * Signals are to be held back (rs_signals_hold) around all of this.
 */
#ifndef RS_CONNECT_LEFT_H
#define RS_CONNECT_LEFT_H

#include <stdbool.h>
#include <stdint.h>

/* Without holding any: may there be one? No system call; signals need not be held back. */
bool rs_left_maybe(void);

/* Make the attempts that are due, and end those that take too long. Returns when there is more to
 * do; RS_FOREVER: never. */
int64_t rs_left_bring_on(int64_t now_ns);

/* A thread that has waited in this set, or only asked it, waits there no more. */
void rs_left_by(int epfd);

#endif
