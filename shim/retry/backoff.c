#include "retry/backoff.h"

#include "retry/ns.h"

typedef unsigned __int128 uint128;

/*
 * base * rate^(n-1), stopping once the cap is reached. The product is carried in millionths of a
 * nanosecond: whole-number rates come out exact, others are off by far less than a nanosecond.
 */
static int64_t exponential_ns(const struct rs_policy *policy, int32_t n)
{
	const uint128 cap = (uint128)policy->cap_ns * RS_RATE_ONE;
	const uint128 rate = (uint128)policy->rate_millionths;
	uint128 wait = (uint128)policy->base_ns * RS_RATE_ONE;

	if (policy->rate_millionths <= RS_RATE_ONE)
		return policy->base_ns;
	for (int32_t i = 1; i < n && wait < cap; i++) {
		if (__builtin_mul_overflow(wait, rate, &wait))
			return RS_FOREVER;
		wait /= RS_RATE_ONE;
	}
	return wait < cap ? (int64_t)(wait / RS_RATE_ONE) : policy->cap_ns;
}

static int64_t uncapped_ns(const struct rs_policy *policy, int32_t n)
{
	switch (policy->backoff) {
	case RS_BACKOFF_CONSTANT:
		return policy->base_ns;
	case RS_BACKOFF_LINEAR:
		return rs_ns_mul(policy->base_ns, n);
	case RS_BACKOFF_EXPONENTIAL:
		break;
	}
	return exponential_ns(policy, n);
}

int64_t rs_backoff_ns(const struct rs_policy *policy, int32_t n)
{
	return rs_ns_min(uncapped_ns(policy, n), policy->cap_ns);
}

/* Uniform over low..high, both included. Scaling a 64-bit random by a multiplication is unbiased
 * to one part in 2^64 / (high - low + 1), and has no loop that might run long. */
static int64_t uniform_ns(int64_t low_ns, int64_t high_ns, uint64_t random)
{
	const uint64_t steps = (uint64_t)(high_ns - low_ns) + 1;

	return low_ns + (int64_t)((uint128)random * steps >> 64);
}

static int64_t decorrelated_ns(const struct rs_policy *policy, int64_t previous_ns, uint64_t random)
{
	const int64_t base_ns = policy->base_ns;
	const int64_t from_ns = previous_ns > 0 ? previous_ns : base_ns;
	/* A cap below base/3 would otherwise turn the range round. */
	const int64_t high_ns = rs_ns_max(base_ns, rs_ns_mul(from_ns, 3));

	return rs_ns_min(policy->cap_ns, uniform_ns(base_ns, high_ns, random));
}

int64_t rs_backoff_jittered_ns(const struct rs_policy *policy, int32_t n, int64_t previous_ns,
			       uint64_t random)
{
	int64_t wait_ns;

	if (policy->jitter == RS_JITTER_DECORRELATED)
		return decorrelated_ns(policy, previous_ns, random);
	wait_ns = rs_backoff_ns(policy, n);
	if (policy->jitter == RS_JITTER_FULL)
		return uniform_ns(0, wait_ns, random);
	if (policy->jitter == RS_JITTER_EQUAL)
		return uniform_ns(wait_ns / 2, wait_ns, random);
	return wait_ns;
}
