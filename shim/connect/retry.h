/*
 * A connect() whose first attempt has not succeeded: what becomes of it.
 */
#ifndef RS_CONNECT_RETRY_H
#define RS_CONNECT_RETRY_H

#include "connect/call.h"

/*
 * The first attempt has ended with `error`. A failure is judged, and retried on a blocking socket;
 * on a non-blocking one it is pending from then on (-EINPROGRESS). 0, or -errno. Where nothing is
 * to be done that is -error, and for an errno that no rule names no system call is made.
 *
 * The guarantees of connect/blocking.h. Async-signal-safe once the rules are loaded.
 */
int rs_connect_retry(const struct rs_connect *call, int error);

#endif
