/*
 * An attempt of a blocking connect() that takes no longer than the rules allow, where the program
 * has set no limit itself.
 *
 * The program can observe nothing of it: the socket's options and flags are as they were whenever
 * one of its signal handlers may run, or leave by siglongjmp, and when a thread that is cancelled
 * ends. Only TCP: a Unix socket waits for nothing but room in a queue.
 */
#ifndef RS_CONNECT_LIMITED_H
#define RS_CONNECT_LIMITED_H

#include <stdbool.h>
#include <stdint.h>

#include "connect/call.h"
#include "retry/rule.h"

/* The limit on an attempt of this call, by the first rule that covers it; RS_FOREVER: none. */
int64_t rs_connect_limit_ns(const struct rs_rules *rules, const struct rs_connect *call);

/* The limit that the program itself has set on what its blocking socket sends, and on how long it
 * connects; RS_FOREVER: none. Then the kernel sees to it, and rules limit nothing. */
int64_t rs_connect_own_limit_ns(int fd);

/* Would the kernel have ended connect() for a handler that has run? Not for those with SA_RESTART,
 * and which one it was nobody tells. */
bool rs_handlers_interrupt(void);

/* Begin to connect on a blocking socket without waiting for it. 0 or -errno, mostly -EINPROGRESS.
 * With signals held back: no handler sees the option by which that is done. */
int rs_connect_begin(const struct rs_connect *call);

/* connect() for limit_ns at most. 0 or -errno, -ETIMEDOUT where it took longer, -EBADF where the
 * descriptor was closed meanwhile. */
int rs_connect_limited(const struct rs_connect *call, int64_t limit_ns);

#endif
