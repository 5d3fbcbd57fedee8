/*
 * The token bucket that retries pay from: the AWS SDKs' standard retry mode. Lock-free; safe from
 * any thread, after fork and in a signal handler.
 */
#ifndef RS_RETRY_QUOTA_H
#define RS_RETRY_QUOTA_H

#include "retry/rule.h"

/* Take all of `cost` or nothing. Returns the tokens left, or -1 where there were too few. */
int32_t rs_quota_take(const struct rs_quota *quota, int32_t cost);

/* Give back `amount`, never above capacity. A full bucket is only read. */
void rs_quota_give(const struct rs_quota *quota, int32_t amount);

/* The tokens in the bucket now. */
int32_t rs_quota_level(const struct rs_quota *quota);

#endif
