/*
 * The pace that rate_limit = adaptive sets for a target: it delays attempts.
 */
#include "process.h"
#include "retried.h"
#include "retry/pacer.h"
#include "transfer/exchange.h"

bool rs_exchange_put_off(struct rs_exchange *x)
{
	const struct rs_target *target;
	int64_t now_ns, wait_ns;

	if (!x->rules->pacers || x->rules->settings.mode == RS_MODE_OBSERVE)
		return false;
	rs_exchange_time(x);
	now_ns = x->call.started_ns;
	target = rs_exchange_target(x);
	wait_ns = rs_turn_wait_ns(x->rules, target, now_ns);
	if (wait_ns == 0)
		return false;
	x->turn_ns = rs_ns_add(now_ns, wait_ns);
	x->rule = NULL; /* nothing has been judged yet, should it end here */
	return true;
}

bool rs_exchange_pace(struct rs_exchange *x)
{
	return !rs_exchange_put_off(x) || rs_exchange_wait(x, x->turn_ns);
}

void rs_exchange_give_turn_back(struct rs_exchange *x)
{
	rs_pacer_give(x->rules->pacers, rs_exchange_target(x), rs_now_ns());
}

void rs_exchange_went_well(struct rs_exchange *x)
{
	if (x->rules->pacers)
		rs_pacer_outcome(x->rules->pacers, rs_exchange_target(x), false, rs_now_ns());
}

int64_t rs_exchange_pace_after(struct rs_exchange *x, const struct rs_rule *rule)
{
	struct rs_pacers *pacers = x->rules->pacers;
	bool throttled = rule->policy.rate_limit == RS_RATE_ADAPTIVE;
	int64_t now_ns;

	if (!pacers)
		return 0;
	now_ns = rs_now_ns();
	rs_pacer_outcome(pacers, rs_exchange_target(x), throttled, now_ns);
	return rs_pacer_wait_ns(pacers, rs_exchange_target(x), now_ns);
}
