/*
 * Retries of a blocking connect() on the program's own descriptor.
 */
#ifndef RS_CONNECT_BLOCKING_H
#define RS_CONNECT_BLOCKING_H

#include "connect/call.h"
#include "retry/rule.h"

/*
 * The first attempt has failed with `error`, which a rule for connects names. Judge it, and as long
 * as the rules say so wait and try again. 0, or -errno of the last real attempt. Where nothing is
 * to be done that is -error.
 *
 * Takes no lock and no heap: a signal handler may leave by siglongjmp, and a thread be cancelled,
 * during a wait. Never changes the socket's flags. Async-signal-safe.
 */
int rs_connect_blocking(const struct rs_rules *rules, const struct rs_connect *call, int error);

#endif
