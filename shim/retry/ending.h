/*
 * Endings that no rule is asked about: what is no failure, and what the program itself has ended.
 * Pure; async-signal-safe.
 */
#ifndef RS_RETRY_ENDING_H
#define RS_RETRY_ENDING_H

#include <stdbool.h>

#include "retry/outcome.h"

/* Is this the errno of a connect that has failed? The others say that the connection goes on, or
 * is there, or that there is no such descriptor or nothing to be read at the address. */
bool rs_connect_is_failure(int error);

/* Has a look-up failed? 0 is none, and a buffer of the program's that is too small is no failure.
 */
bool rs_look_up_is_failure(int eai, int sys_errno);

/* Is this the CURLcode of a callback that returned an error, or asked to abort? */
bool rs_curl_error_is_programs(int code);

/* Are the rules asked about it at all? */
bool rs_ending_is_judged(enum rs_call call, const struct rs_outcome *outcome);

#endif
