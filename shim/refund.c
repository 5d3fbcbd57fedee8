#include "refund.h"

#include "retry/decide.h"

/* Nearly always every bucket is full: that is found out without a call. */
static bool any_bucket_lacks(const struct rs_rules *rules)
{
	const struct rs_quota *end = rules->quotas + rules->quota_count;

	for (const struct rs_quota *quota = rules->quotas; quota < end; quota++) {
		if (atomic_load_explicit(&quota->bucket->tokens, memory_order_relaxed) <
		    quota->capacity)
			return true;
	}
	return false;
}

void rs_refund(const struct rs_rules *rules)
{
	static const struct rs_call_state first_attempt = { .attempts = 1 };

	if (any_bucket_lacks(rules) && rs_curl_depth == 0)
		rs_call_succeeded(rules, &first_attempt);
}
