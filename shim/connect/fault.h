/*
 * Faults on purpose, for connect().
 */
#ifndef RS_CONNECT_FAULT_H
#define RS_CONNECT_FAULT_H

#include "connect/call.h"

/*
 * One attempt: the real one, unless a fault strikes it. 0, or -errno. A fault's delay is waited for
 * on a blocking socket only, where a signal ends it early; the error of a fault is told at once, on
 * a non-blocking one, too, as the kernel does where it knows at once. libcurl's own connects, and
 * sockets without connections, are left alone. Async-signal-safe once the rules are loaded.
 */
int rs_connect_attempt(const struct rs_connect *call);

#endif
