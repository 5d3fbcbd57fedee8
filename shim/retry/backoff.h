/*
 * How long to wait before a retry. Pure; nanosecond integers that saturate; safe anywhere.
 */
#ifndef RS_RETRY_BACKOFF_H
#define RS_RETRY_BACKOFF_H

#include "retry/rule.h"

/*
 * The wait before jitter, capped: constant base; linear base * n; exponential base * rate^(n-1).
 * n >= 1 counts the retries that this rule caused in this call. Does not apply to decorrelated
 * jitter, which has a recurrence of its own.
 */
int64_t rs_backoff_ns(const struct rs_policy *policy, int32_t n);

/*
 * The wait to take. `random` is uniform over all of uint64_t.
 *
 * AWS Architecture Blog, "Exponential Backoff And Jitter" (M. Brooker, 2015), w = rs_backoff_ns():
 *   none          w
 *   full          uniform(0, w)
 *   equal         w/2 + uniform(0, w/2)
 *   decorrelated  min(cap, uniform(base, 3 * previous))
 * `previous_ns` is the call's last computed wait, or 0 before the first (then base is used).
 */
int64_t rs_backoff_jittered_ns(const struct rs_policy *policy, int32_t n, int64_t previous_ns,
			       uint64_t random);

#endif
