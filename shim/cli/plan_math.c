#include "cli/plan_math.h"

#include "cli/expected_wait.h"
#include "retry/backoff.h"
#include "retry/ns.h"
#include "retry/retry_after.h"

/* So many equally likely waits stand for all of a range. */
#define DRAWS 200

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

static int64_t with_server_ns(const struct rs_policy *policy, const struct rs_plan_server *server,
			      int64_t wait_ns)
{
	int64_t asked_ns;

	return rs_wait_with_server_ns(policy, server->headers, wait_ns, server->wall_now_ns,
				      &asked_ns);
}

/* A first wait is drawn evenly from its range. */
static int64_t mean_with_server_ns(const struct rs_policy *policy,
				   const struct rs_plan_server *server,
				   const struct rs_plan_range *wait)
{
	double width = (double)(wait->max_ns - wait->min_ns), sum = 0;

	for (int i = 0; i < DRAWS; i++) {
		int64_t drawn_ns = wait->min_ns + (int64_t)(width * (i + 0.5) / DRAWS);

		sum += (double)with_server_ns(policy, server, drawn_ns);
	}
	return sum / DRAWS < (double)RS_FOREVER ? (int64_t)(sum / DRAWS) : RS_FOREVER;
}

static void heed_server(const struct rs_policy *policy, const struct rs_plan_server *server,
			struct rs_plan_range *wait)
{
	if (with_server_ns(policy, server, wait->min_ns) == wait->min_ns &&
	    with_server_ns(policy, server, wait->max_ns) == wait->max_ns)
		return; /* the mean stays exact */
	wait->mean_ns = mean_with_server_ns(policy, server, wait);
	wait->min_ns = with_server_ns(policy, server, wait->min_ns);
	wait->max_ns = with_server_ns(policy, server, wait->max_ns);
}

static struct rs_plan_range sum(const struct rs_plan_range *a, const struct rs_plan_range *b)
{
	return (struct rs_plan_range){
		.min_ns = rs_ns_add(a->min_ns, b->min_ns),
		.mean_ns = rs_ns_add(a->mean_ns, b->mean_ns),
		.max_ns = rs_ns_add(a->max_ns, b->max_ns),
	};
}

struct rs_plan rs_plan_make(const struct rs_policy *policy, const struct rs_plan_server *server,
			    struct rs_plan_wait *waits, size_t limit)
{
	const int64_t max_elapsed_ns = policy->max_elapsed_ns;
	struct rs_plan plan = { .waits = waits, .end = RS_PLAN_ATTEMPTS };
	struct rs_plan_range total = { 0 };
	struct walk walk = { .policy = policy };

	rs_expected_wait_begin(&walk.expected, policy->base_ns, policy->cap_ns);
	for (int32_t attempt = 2; attempt <= policy->max_attempts; attempt++) {
		struct rs_plan_range wait = next_wait(&walk, attempt - 1);

		if (server && attempt == 2)
			heed_server(policy, server, &wait);
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
