/*
 * The bucket that a call pays from: its quota's own, or, where that has one per target or shares
 * its buckets with other processes, one of a ledger. Same guarantees as retry/quota.h.
 */
#ifndef RS_RETRY_PURSE_H
#define RS_RETRY_PURSE_H

#include "retry/rule.h"

struct rs_purse {
	const struct rs_quota *quota; /* NULL: none, and nothing is to be paid */
	struct rs_ledger *ledger;     /* NULL: the quota's own bucket */
	uint64_t key;
};

/* `target` may be NULL: then it is one that nobody knows. */
struct rs_purse rs_purse_of(const struct rs_rules *rules, const struct rs_quota *quota,
			    const struct rs_target *target);

/* Take all of `cost` or nothing: the tokens left; -1 where there were too few. With a quota. */
int32_t rs_purse_take(const struct rs_purse *purse, int32_t cost, int64_t now_ns);
void rs_purse_give(const struct rs_purse *purse, int32_t amount, int64_t now_ns);

/* The tokens in it; -1 where there is no quota. */
int32_t rs_purse_level(const struct rs_purse *purse, int64_t now_ns);

/* See struct rs_stir. */
static inline uint32_t rs_stirred(const struct rs_rules *rules)
{
	return atomic_load_explicit(&rules->stir->bits, memory_order_relaxed);
}

/* May a bucket of this quota lack tokens? A load or two. */
bool rs_quota_may_lack(const struct rs_rules *rules, const struct rs_quota *quota);

#endif
