/*
 * Faults on purpose, for connect().
 */
#ifndef RS_CONNECT_FAULT_H
#define RS_CONNECT_FAULT_H

#include <stdbool.h>

#include "connect/call.h"
#include "retry/fault.h"

/* An attempt is about to be made: does a fault strike it? Counted and logged. One load where none
 * is watched for. Sockets without connections are left alone, and so is what libcurl connects. */
bool rs_connect_struck(const struct rs_connect *call, struct rs_fault_strike *strike);

/* It has not ended: it is pending now. */
#define RS_CONNECT_PENDS 1

/*
 * One attempt: the real one, under the limit that the rules set, unless a fault strikes it. 0, or
 * -errno, or RS_CONNECT_PENDS.
 *
 * A blocking socket waits for a fault's delay (delayed.h). On a non-blocking one it looks like a
 * slow connect; and an error that the kernel would learn from the network comes later
 * even without a delay, one that it finds itself at once. Async-signal-safe once the rules are
 * loaded.
 */
int rs_connect_attempt(const struct rs_connect *call);

#endif
