#include "cli/plan_math.h"

#include "cli/expected_wait.h"
#include "retry/backoff.h"
#include "retry/ns.h"

/* What the next wait is computed from. */
struct walk {
	const struct rs_policy *policy;
	int64_t previous_min_ns, previous_max_ns; /* for decorrelated jitter */
	struct rs_expected_wait expected;         /* likewise */
};

static int64_t mean_ns(struct walk *walk, const struct rs_plan_range *wait)
{
	/* Every jitter but this one is symmetrical about its middle. */
	if (walk->policy->jitter == RS_JITTER_DECORRELATED)
		return rs_expected_wait_next_ns(&walk->expected);
	return wait->min_ns + (wait->max_ns - wait->min_ns) / 2;
}

/* The waits with the luckiest and the unluckiest draws throughout. */
static struct rs_plan_range next_wait(struct walk *walk, int32_t n)
{
	struct rs_plan_range wait;

	wait.min_ns = rs_backoff_jittered_ns(walk->policy, n, walk->previous_min_ns, 0);
	wait.max_ns = rs_backoff_jittered_ns(walk->policy, n, walk->previous_max_ns, UINT64_MAX);
	wait.mean_ns = mean_ns(walk, &wait);
	walk->previous_min_ns = wait.min_ns;
	walk->previous_max_ns = wait.max_ns;
	return wait;
}

static struct rs_plan_range sum(const struct rs_plan_range *a, const struct rs_plan_range *b)
{
	return (struct rs_plan_range){
		.min_ns = rs_ns_add(a->min_ns, b->min_ns),
		.mean_ns = rs_ns_add(a->mean_ns, b->mean_ns),
		.max_ns = rs_ns_add(a->max_ns, b->max_ns),
	};
}

struct rs_plan rs_plan_make(const struct rs_policy *policy, struct rs_plan_wait *waits,
			    size_t limit)
{
	const int64_t max_elapsed_ns = policy->max_elapsed_ns;
	struct rs_plan plan = { .waits = waits, .end = RS_PLAN_ATTEMPTS };
	struct rs_plan_range total = { 0 };
	struct walk walk = { .policy = policy };

	rs_expected_wait_begin(&walk.expected, policy->base_ns, policy->cap_ns);
	for (int32_t attempt = 2; attempt <= policy->max_attempts; attempt++) {
		struct rs_plan_range wait = next_wait(&walk, attempt - 1);

		total = sum(&total, &wait);
		if (total.mean_ns > max_elapsed_ns) {
			plan.end = RS_PLAN_ELAPSED;
			break;
		}
		if (plan.count == limit) {
			plan.end = RS_PLAN_LIMIT;
			break;
		}
		if (total.max_ns > max_elapsed_ns && plan.doubtful_from == 0)
			plan.doubtful_from = attempt;
		/* No wait is begun that would end later. */
		total.max_ns = rs_ns_min(total.max_ns, max_elapsed_ns);
		waits[plan.count++] = (struct rs_plan_wait){ attempt, wait, total };
	}
	return plan;
}

struct rs_plan_range rs_plan_total(const struct rs_plan *plan)
{
	static const struct rs_plan_range none = { 0 };

	return plan->count > 0 ? plan->waits[plan->count - 1].total : none;
}
