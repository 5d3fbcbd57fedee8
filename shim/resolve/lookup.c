#include "resolve/lookup.h"

#include <errno.h>
#include <netdb.h>
#include <string.h>

#include "gnu.h"
#include "mark.h"
#include "ops/stats.h"
#include "process.h"
#include "resolve/fault.h"
#include "resolve/target.h"
#include "retried.h"
#include "retry/ending.h"
#include "retry/purse.h"

bool rs_lookup_is_due(const char *host)
{
	return !strchr(host, ':') && host[strspn(host, "0123456789.")] != '\0';
}

int rs_eai_of_h_errno(int error)
{
	switch (error) {
	case HOST_NOT_FOUND:
		return EAI_NONAME;
	case TRY_AGAIN:
		return EAI_AGAIN;
	case NO_RECOVERY:
		return EAI_FAIL;
	case NO_DATA:
		return EAI_NODATA;
	default:
		return EAI_SYSTEM;
	}
}

int rs_h_errno_of_eai(int eai)
{
	switch (eai) {
	case EAI_NONAME:
		return HOST_NOT_FOUND;
	case EAI_AGAIN:
		return TRY_AGAIN;
	case EAI_NODATA:
	case EAI_ADDRFAMILY:
		return NO_DATA;
	case EAI_SYSTEM:
		return NETDB_INTERNAL;
	default:
		return NO_RECOVERY;
	}
}

static void attempt(struct rs_lookup *lookup)
{
	if (!rs_lookups_watched || !rs_lookup_struck(lookup))
		lookup->attempt(lookup);
}

/* Nothing is paced before the rules are loaded. */
static void await_turn(const struct rs_lookup *lookup)
{
	const struct rs_rules *rules = rs_process_rules_if_loaded();
	struct rs_target target;

	if (!rules || !rules->pacers || rules->settings.mode == RS_MODE_OBSERVE)
		return;
	target = rs_lookup_target(lookup);
	rs_first_await_turn(rules, &target);
}

/* Nothing was spent where no rules are loaded. */
static void note_success(const struct rs_lookup *lookup)
{
	const struct rs_rules *rules = rs_process_rules_if_loaded();
	struct rs_target target;

	if (!rules || rs_stirred(rules) == 0)
		return;
	rs_stats_passed(rules, RS_CALL_RESOLVE);
	if (!rs_first_success_matters(rules))
		return;
	target = rs_lookup_target(lookup);
	rs_first_succeeded(rules, &target);
}

static bool has_failed(const struct rs_lookup *lookup)
{
	return rs_look_up_is_failure(lookup->eai, lookup->sys_errno);
}

static bool is_time_for_next(struct rs_retried *retried, const struct rs_lookup *lookup)
{
	const struct rs_outcome outcome = {
		.error = lookup->eai,
		.sys_errno = lookup->eai == EAI_SYSTEM ? lookup->sys_errno : 0,
		.never_sent = true,
	};

	return rs_retried_again(retried, &outcome);
}

/* What a look-up that ends well leaves alone: every attempt finds it as the first one did. */
struct entry {
	int sys_errno, host_errno;
};

static void retry(struct rs_lookup *lookup, const struct rs_rules *rules, struct entry entry)
{
	const struct rs_target target = rs_lookup_target(lookup);
	struct rs_retried retried;

	rs_retried_begin(&retried, rules, &target, rs_mark_ns(lookup->began));
	while (has_failed(lookup) && is_time_for_next(&retried, lookup)) {
		errno = entry.sys_errno;
		h_errno = entry.host_errno;
		attempt(lookup);
	}
	rs_retried_end(&retried, lookup->eai == 0);
}

/* Out of line: it takes a stack that a look-up which ends well has no use for. */
__attribute__((noinline)) static void after_failure(struct rs_lookup *lookup, struct entry entry)
{
	const struct rs_rules *rules = rs_process_rules_at_failure(RS_CALL_RESOLVE);

	if (rules && (rules->calls & 1u << RS_CALL_RESOLVE) != 0)
		retry(lookup, rules, entry);
	else if (rules)
		rs_stats_passed(rules, RS_CALL_RESOLVE);
}

void rs_lookup_make(struct rs_lookup *lookup)
{
	const struct entry entry = { errno, h_errno };

	await_turn(lookup);
	attempt(lookup);
	if (lookup->eai == 0)
		note_success(lookup);
	else if (has_failed(lookup))
		after_failure(lookup, entry);
}
