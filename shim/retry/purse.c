#include "retry/purse.h"

#include <stddef.h>

#include "retry/ledger.h"
#include "retry/ns.h"
#include "retry/quota.h"
#include "retry/target_key.h"

static bool is_per_target(const struct rs_quota *quota)
{
	return quota->scope == RS_SCOPE_TARGET || quota->scope == RS_SCOPE_HOST_TARGET;
}

/* Without the shared ledger a scope means this process alone. */
static struct rs_ledger *ledger_of(const struct rs_rules *rules, const struct rs_quota *quota)
{
	if (quota->scope == RS_SCOPE_PROCESS)
		return NULL;
	if (quota->scope != RS_SCOPE_TARGET && rules->host_ledger)
		return rules->host_ledger;
	return is_per_target(quota) ? rules->target_ledger : NULL;
}

struct rs_purse rs_purse_of(const struct rs_rules *rules, const struct rs_quota *quota,
			    const struct rs_target *target)
{
	struct rs_purse purse = { .quota = quota, .ledger = ledger_of(rules, quota) };

	if (!purse.ledger)
		return purse;
	purse.key = rs_name_key(quota->name);
	if (is_per_target(quota))
		purse.key = rs_key_of_both(purse.key, rs_target_key(target));
	return purse;
}

static struct rs_ledger_bucket bucket_of(const struct rs_purse *purse)
{
	return (struct rs_ledger_bucket){ purse->key, purse->quota->capacity };
}

static uint32_t seconds(int64_t now_ns)
{
	return (uint32_t)(now_ns / RS_NS_PER_S);
}

int32_t rs_purse_take(const struct rs_purse *purse, int32_t cost, int64_t now_ns)
{
	if (!purse->ledger)
		return rs_quota_take(purse->quota, cost);
	return rs_ledger_take(purse->ledger, bucket_of(purse), cost, seconds(now_ns));
}

void rs_purse_give(const struct rs_purse *purse, int32_t amount, int64_t now_ns)
{
	if (!purse->ledger)
		rs_quota_give(purse->quota, amount);
	else
		rs_ledger_give(purse->ledger, bucket_of(purse), amount, seconds(now_ns));
}

int32_t rs_purse_level(const struct rs_purse *purse, int64_t now_ns)
{
	if (!purse->quota)
		return -1;
	if (!purse->ledger)
		return rs_quota_level(purse->quota);
	return rs_ledger_level(purse->ledger, bucket_of(purse), seconds(now_ns));
}

bool rs_quota_may_lack(const struct rs_rules *rules, const struct rs_quota *quota)
{
	const struct rs_ledger *ledger = ledger_of(rules, quota);

	return ledger ? !rs_ledger_rests(ledger) : rs_quota_level(quota) < quota->capacity;
}
