#include "rules/unite.h"

#include "retry/brief.h"
#include "retry/ns.h"

static bool any_bit(const uint64_t *words, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (words[i])
			return true;
	}
	return false;
}

/* The calls that the rule can match an outcome of: only a transfer has a response, and a call's
 * errors are those of its own domain or an errno. */
static unsigned calls_concerned(const struct rs_rule *rule)
{
	bool by_errno = any_bit(rule->error.sys, 3);
	unsigned calls = 0;

	if (rs_rule_has_response_matcher(rule) || by_errno || any_bit(rule->error.curl, 2))
		calls |= 1U << RS_CALL_CURL;
	if (by_errno)
		calls |= 1U << RS_CALL_CONNECT;
	if (by_errno || rule->error.eai)
		calls |= 1U << RS_CALL_RESOLVE;
	return calls & rule->calls;
}

static void unite_statuses(struct rs_rules *rules, const struct rs_rule *rule)
{
	bool by_text = rule->body.count > 0 || rule->body_regex || rule->header;

	for (size_t i = 0; i < sizeof(rules->status.bits) / sizeof(rules->status.bits[0]); i++) {
		if (rule->status)
			rules->status.bits[i] |= rule->status->bits[i];
		else if (by_text)
			rules->status.bits[i] = UINT64_MAX;
	}
}

static void unite_rule(struct rs_rules *rules, const struct rs_rule *rule)
{
	for (size_t i = 0; i < 2; i++)
		rules->error.curl[i] |= rule->error.curl[i];
	for (size_t i = 0; i < 3; i++)
		rules->error.sys[i] |= rule->error.sys[i];
	rules->error.eai |= rule->error.eai;
	rules->calls |= calls_concerned(rule);
	rules->limits |= rule->policy.attempt_timeout_ns != RS_FOREVER ||
			 rule->policy.connect_timeout_ns != RS_FOREVER;
	rules->has_patterns |= rule->body_regex != NULL;
	rules->minds_url |= rule->url.count > 0 || rule->recover;
}

static bool make_briefs(struct rs_rules *rules, struct rs_arena *arena)
{
	struct rs_brief *briefs;

	if (rules->rule_count < RS_BRIEF_LEAST)
		return true;
	briefs = RS_NEW_ARRAY(arena, rules->rule_count, struct rs_brief);
	if (!briefs)
		return false;
	for (size_t i = 0; i < rules->rule_count; i++)
		briefs[i] = rs_brief_of(&rules->rules[i]);
	rules->briefs = briefs;
	return true;
}

bool rs_unite_rules(struct rs_rules *rules, struct rs_arena *arena)
{
	for (size_t i = 0; i < rules->rule_count; i++) {
		const struct rs_rule *rule = &rules->rules[i];

		/* Neighbours often share theirs. */
		if (i == 0 || !rule->status || rule->status != rule[-1].status)
			unite_statuses(rules, rule);
		unite_rule(rules, rule);
	}
	rules->minds_first = rules->limits || rules->fault_calls || rules->pacers;
	return make_briefs(rules, arena);
}
