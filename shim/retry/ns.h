/*
 * Time: nanoseconds in int64_t, never negative, saturating at RS_FOREVER.
 *
 * Every function here is pure: safe in a signal handler and from any thread.
 */
#ifndef RS_RETRY_NS_H
#define RS_RETRY_NS_H

#include <stdint.h>

#ifndef __SIZEOF_INT128__
#error "32-bit machines are not supported: times are multiplied in 128 bits"
#endif

#define RS_NS_PER_US 1000LL
#define RS_NS_PER_MS 1000000LL
#define RS_NS_PER_S  1000000000LL

/* No limit, or later than any clock will ever show. */
#define RS_FOREVER INT64_MAX

/* a + b for a, b >= 0; RS_FOREVER on overflow. */
static inline int64_t rs_ns_add(int64_t a_ns, int64_t b_ns)
{
	int64_t sum_ns;

	return __builtin_add_overflow(a_ns, b_ns, &sum_ns) ? RS_FOREVER : sum_ns;
}

/* a * factor for a, factor >= 0; RS_FOREVER on overflow. */
static inline int64_t rs_ns_mul(int64_t a_ns, int64_t factor)
{
	int64_t product_ns;

	return __builtin_mul_overflow(a_ns, factor, &product_ns) ? RS_FOREVER : product_ns;
}

static inline int64_t rs_ns_min(int64_t a_ns, int64_t b_ns)
{
	return a_ns < b_ns ? a_ns : b_ns;
}

static inline int64_t rs_ns_max(int64_t a_ns, int64_t b_ns)
{
	return a_ns > b_ns ? a_ns : b_ns;
}

#endif
