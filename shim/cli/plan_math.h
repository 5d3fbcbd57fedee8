/*
 * What a policy would do when every attempt fails at once: the waits, and what they add up to.
 * Pure; allocates nothing; nanoseconds that saturate at RS_FOREVER.
 */
#ifndef RS_CLI_PLAN_MATH_H
#define RS_CLI_PLAN_MATH_H

#include <stddef.h>

#include "retry/rule.h"

/* Least, expected and longest. */
struct rs_plan_range {
	int64_t min_ns, mean_ns, max_ns;
};

struct rs_plan_wait {
	int32_t attempt; /* that begins after this wait; 2 for the first */
	struct rs_plan_range wait;
	struct rs_plan_range total; /* of the waits so far; never above max_elapsed */
};

enum rs_plan_end {
	RS_PLAN_ATTEMPTS, /* max_attempts ends it */
	RS_PLAN_ELAPSED,  /* max_elapsed is expected to end it: one more wait would pass it */
	RS_PLAN_LIMIT,    /* as many as were asked for are there; there would be more */
};

struct rs_plan {
	struct rs_plan_wait *waits; /* the caller's */
	size_t count;
	enum rs_plan_end end;
	/* The first attempt that does not come when every wait is the longest possible, because
	 * of max_elapsed; 0: all do. */
	int32_t doubtful_from;
};

/* What a server has answered to the first attempt, and when. */
struct rs_plan_server {
	struct rs_span headers;
	int64_t wall_now_ns;
};

/* Fill `waits` (at most `limit` of them) from the policy. `server` may be NULL: it asks for
 * nothing. */
struct rs_plan rs_plan_make(const struct rs_policy *policy, const struct rs_plan_server *server,
			    struct rs_plan_wait *waits, size_t limit);

/* The sums over a whole plan; zeros where it has no wait. */
struct rs_plan_range rs_plan_total(const struct rs_plan *plan);

#endif
