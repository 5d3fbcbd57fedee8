#include "retry/decide.h"

#include <stddef.h>

#include "retry/backoff.h"
#include "retry/ledger.h"
#include "retry/ns.h"
#include "retry/retry_after.h"

/* Where `rule` counts its retries: its own place, else the first free one, else the last. */
static int place_of(const struct rs_call_state *state, const struct rs_rule *rule)
{
	int i = 0;

	while (i < RS_RULES_PER_CALL - 1 && state->seen[i].rule && state->seen[i].rule != rule)
		i++;
	return i;
}

static struct rs_purse purse_of(const struct rs_rules *rules, const struct rs_policy *policy,
				const struct rs_target *target)
{
	if (policy->quota == RS_NO_QUOTA)
		return (struct rs_purse){ .quota = NULL };
	return rs_purse_of(rules, &rules->quotas[policy->quota], target);
}

static bool may_be_sent_again(const struct rs_policy *policy, const struct rs_call_state *state,
			      const struct rs_circumstances *now, enum rs_reason *reason)
{
	if (policy->max_attempts != RS_UNLIMITED && state->attempts >= policy->max_attempts)
		*reason = RS_REASON_ATTEMPTS;
	else if (!now->replayable)
		*reason = RS_REASON_NOT_REPLAYABLE;
	else if (now->committed)
		*reason = RS_REASON_COMMITTED;
	else
		return true;
	return false;
}

/* No wait is begun that would end later than max_elapsed after the call began. */
static bool in_time(const struct rs_policy *policy, const struct rs_call_state *state,
		    int64_t now_ns, int64_t wait_ns)
{
	int64_t elapsed_ns = rs_ns_max(0, now_ns - state->started_ns);

	return rs_ns_add(elapsed_ns, wait_ns) <= policy->max_elapsed_ns;
}

/* Take the retry's cost; *left is what stays in the bucket, -1 where there is none to pay. */
static bool pay(const struct rs_purse *purse, int32_t cost, int64_t now_ns, int32_t *left)
{
	*left = purse->quota ? rs_purse_take(purse, cost, now_ns) : -1;
	return !purse->quota || *left >= 0;
}

static void count_retry(struct rs_call_state *state, const struct rs_rule *rule,
			const struct rs_purse *purse, int64_t computed_ns)
{
	int place = place_of(state, rule);

	if (!state->seen[place].rule && place + 1 < RS_RULES_PER_CALL) {
		state->seen[place + 1].rule = NULL;
		state->seen[place + 1].retries = 0;
	}
	state->seen[place].rule = rule;
	if (state->seen[place].retries < INT32_MAX)
		state->seen[place].retries++;
	state->previous_wait_ns = computed_ns;
	state->paid = *purse;
	state->paid_cost = purse->quota ? rule->policy.cost : 0;
	state->last_rule = rule;
}

static struct rs_decision exhausted(const struct rs_purse *purse, int64_t now_ns,
				    enum rs_reason reason)
{
	return (struct rs_decision){
		.action = RS_ACTION_EXHAUSTED,
		.reason = reason,
		.quota_left = rs_purse_level(purse, now_ns),
	};
}

/* A recovery is tried once per rule and call; if the rule comes up again, only time can help. */
bool rs_recovers_first(const struct rs_rule *rule, const struct rs_call_state *state)
{
	return rule->class == RS_RECOVERABLE && state->seen[place_of(state, rule)].rule != rule;
}

static enum rs_action retry_action(const struct rs_rule *rule, const struct rs_call_state *state)
{
	return rs_recovers_first(rule, state) ? RS_ACTION_RECOVER : RS_ACTION_RETRY;
}

static int64_t computed_wait_ns(const struct rs_rule *rule, const struct rs_call_state *state,
				uint64_t random)
{
	int32_t retries = state->seen[place_of(state, rule)].retries;
	int32_t n = retries < INT32_MAX ? retries + 1 : INT32_MAX;

	return rs_backoff_jittered_ns(&rule->policy, n, state->previous_wait_ns, random);
}

static struct rs_decision retry_or_not(const struct rs_rules *rules, const struct rs_rule *rule,
				       struct rs_call_state *state,
				       const struct rs_outcome *outcome,
				       const struct rs_circumstances *now)
{
	const struct rs_policy *policy = &rule->policy;
	const struct rs_purse purse = purse_of(rules, policy, now->target);
	struct rs_decision decision = { .action = retry_action(rule, state) };
	enum rs_reason reason;
	int64_t computed_ns, asked_ns;

	if (!may_be_sent_again(policy, state, now, &reason))
		return exhausted(&purse, now->now_ns, reason);
	computed_ns = computed_wait_ns(rule, state, now->random);
	decision.wait_ns = rs_wait_with_server_ns(policy, outcome->headers, computed_ns,
						  now->wall_now_ns, &asked_ns);
	if (asked_ns > policy->retry_after_cap_ns)
		return exhausted(&purse, now->now_ns, RS_REASON_RETRY_AFTER);
	decision.wait_ns = rs_ns_max(decision.wait_ns, now->pace_ns);
	if (!in_time(policy, state, now->now_ns, decision.wait_ns))
		return exhausted(&purse, now->now_ns, RS_REASON_ELAPSED);
	if (!pay(&purse, policy->cost, now->now_ns, &decision.quota_left))
		return exhausted(&purse, now->now_ns, RS_REASON_QUOTA);
	count_retry(state, rule, &purse, computed_ns);
	if (rules->stir && purse.quota)
		atomic_fetch_or_explicit(&rules->stir->bits, RS_STIR_PAID, memory_order_relaxed);
	return decision;
}

struct rs_decision rs_decide(const struct rs_rules *rules, const struct rs_rule *rule,
			     struct rs_call_state *state, const struct rs_outcome *outcome,
			     const struct rs_circumstances *now)
{
	const struct rs_purse purse = purse_of(rules, &rule->policy, now->target);
	struct rs_decision decision = { .quota_left = rs_purse_level(&purse, now->now_ns) };

	switch (rule->class) {
	case RS_PERMANENT:
		decision.action = RS_ACTION_PERMANENT;
		return decision;
	case RS_FOLLOWUP:
		decision.action = RS_ACTION_FOLLOWUP;
		return decision;
	case RS_TEMPORARY:
	case RS_RECOVERABLE:
		break;
	}
	return retry_or_not(rules, rule, state, outcome, now);
}

void rs_call_unpaid(struct rs_call_state *state, int64_t now_ns)
{
	if (state->paid.quota)
		rs_purse_give(&state->paid, state->paid_cost, now_ns);
	state->paid.quota = NULL;
	state->paid_cost = 0;
}

__attribute__((noinline)) static bool any_may_lack(const struct rs_rules *rules)
{
	for (size_t i = 0; i < rules->quota_count; i++) {
		if (rs_quota_may_lack(rules, &rules->quotas[i]))
			return true;
	}
	return false;
}

/* Down first, and up again where it was too early: nobody's payment in between is overlooked. */
__attribute__((noinline)) static bool still_stirred(const struct rs_rules *rules)
{
	_Atomic uint32_t *bits = &rules->stir->bits;

	atomic_fetch_and(bits, ~(uint32_t)RS_STIR_PAID);
	if (!any_may_lack(rules))
		return false;
	atomic_fetch_or(bits, RS_STIR_PAID);
	return true;
}

bool rs_call_refunds(const struct rs_rules *rules, const struct rs_call_state *state)
{
	if (state->paid.quota || state->attempts > 1)
		return state->paid.quota != NULL;
	if (!rules->stir)
		return any_may_lack(rules);
	if (rs_stirred(rules) & RS_STIR_PAID)
		return still_stirred(rules);
	return rules->host_ledger && !rs_ledger_rests(rules->host_ledger);
}

void rs_call_succeeded(const struct rs_rules *rules, const struct rs_call_state *state,
		       const struct rs_target *target, int64_t now_ns)
{
	if (state->paid.quota) {
		rs_purse_give(&state->paid, state->paid_cost, now_ns);
		return;
	}
	if (state->attempts > 1)
		return;
	for (size_t i = 0; i < rules->quota_count; i++) {
		const struct rs_purse purse = rs_purse_of(rules, &rules->quotas[i], target);

		rs_purse_give(&purse, rules->quotas[i].refund, now_ns);
	}
}

const char *rs_reason_name(enum rs_reason reason)
{
	static const char names[][16] = {
		[RS_REASON_ATTEMPTS] = "attempts",   [RS_REASON_ELAPSED] = "elapsed",
		[RS_REASON_QUOTA] = "quota",         [RS_REASON_RETRY_AFTER] = "retry_after",
		[RS_REASON_CANCELLED] = "cancelled", [RS_REASON_NOT_REPLAYABLE] = "not_replayable",
		[RS_REASON_COMMITTED] = "committed",
	};

	return names[reason];
}

const char *rs_class_name(enum rs_class class)
{
	static const char names[][12] = {
		[RS_TEMPORARY] = "temporary",
		[RS_RECOVERABLE] = "recoverable",
		[RS_FOLLOWUP] = "followup",
		[RS_PERMANENT] = "permanent",
	};

	return names[class];
}

const char *rs_call_name(enum rs_call call)
{
	static const char names[][8] = {
		[RS_CALL_CURL] = "curl",
		[RS_CALL_CONNECT] = "connect",
		[RS_CALL_RESOLVE] = "resolve",
	};

	return names[call];
}
