#include "retry/quota.h"

/*
 * Relaxed order throughout: the level guards nothing but itself.
 */

int32_t rs_quota_take(const struct rs_quota *quota, int32_t cost)
{
	_Atomic int32_t *tokens = &quota->bucket->tokens;
	int32_t level = atomic_load_explicit(tokens, memory_order_relaxed);

	while (level >= cost) {
		if (atomic_compare_exchange_weak_explicit(tokens, &level, level - cost,
							  memory_order_relaxed,
							  memory_order_relaxed))
			return level - cost;
	}
	return -1;
}

void rs_quota_give(const struct rs_quota *quota, int32_t amount)
{
	_Atomic int32_t *tokens = &quota->bucket->tokens;
	int32_t level = atomic_load_explicit(tokens, memory_order_relaxed);

	while (level < quota->capacity) {
		int32_t room = quota->capacity - level;
		int32_t next = amount < room ? level + amount : quota->capacity;

		if (atomic_compare_exchange_weak_explicit(
			    tokens, &level, next, memory_order_relaxed, memory_order_relaxed))
			return;
	}
}

int32_t rs_quota_level(const struct rs_quota *quota)
{
	return atomic_load_explicit(&quota->bucket->tokens, memory_order_relaxed);
}
