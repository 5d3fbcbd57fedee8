/* Targets, rules with one matcher, and asking rs_match about them. For the test_match* programs. */
#ifndef RS_TESTS_MATCH_HELPER_H
#define RS_TESTS_MATCH_HELPER_H

#include "unit.h"

#include "retry/brief.h"
#include "retry/error_set.h"
#include "retry/match.h"

#define TEXTS(...)                                                                                 \
	{                                                                                          \
		.at = (const struct rs_span[]){ __VA_ARGS__ },                                     \
		.count = sizeof((const struct rs_span[]){ __VA_ARGS__ }) / sizeof(struct rs_span)  \
	}

static inline struct rs_target curl_target(void)
{
	return (struct rs_target){
		.call = RS_CALL_CURL,
		.method = span("GET"),
		.scheme = span("https"),
		.host = span("api.example.com"),
		.url = span("https://api.example.com/v1/x"),
		.port = 443,
		.program = "fetcher",
	};
}

static inline struct rs_target connect_target(uint8_t last)
{
	return (struct rs_target){
		.call = RS_CALL_CONNECT,
		.port = 5432,
		.address = { .family = RS_ADDRESS_IPV4, .ip = { 10, 1, 2, last } },
		.program = "psql",
	};
}

static inline struct rs_rule status_rule(const char *name, int from, int to)
{
	struct rs_rule rule = any_scope_rule(name);

	rule.status = statuses(from, to);
	return rule;
}

static inline struct rs_rule error_rule(const char *name, enum rs_error_domain domain, int code)
{
	struct rs_rule rule = any_scope_rule(name);

	rule.has_error = true;
	rs_error_set_add(&rule.error, domain, code);
	return rule;
}

static inline void unite(struct rs_rules *all, const struct rs_rule *rule)
{
	struct rs_status_set every = { 0 };
	const struct rs_status_set *status = rule->status ? rule->status : &every;

	if (!rule->status && (rule->body.count > 0 || rule->body_regex || rule->header))
		add_status(&every, 1, RS_STATUS_LIMIT - 1);
	all->calls |= rule->calls;
	for (size_t i = 0; i < COUNT(all->status.bits); i++)
		all->status.bits[i] |= status->bits[i];
	for (size_t i = 0; i < COUNT(all->error.curl); i++)
		all->error.curl[i] |= rule->error.curl[i];
	for (size_t i = 0; i < COUNT(all->error.sys); i++)
		all->error.sys[i] |= rule->error.sys[i];
	all->error.eai |= rule->error.eai;
}

/* The rules as a loader would put them together, unions included. */
static inline struct rs_rules rules_of(const struct rs_rule *rules, size_t count)
{
	struct rs_rules all = { .rules = rules, .rule_count = count };

	for (size_t i = 0; i < count; i++)
		unite(&all, &rules[i]);
	return all;
}

/* By its brief: a rule that matches has to be. */
static inline bool is_allowed(const struct rs_rule *rule, const struct rs_target *target,
			      const struct rs_outcome *outcome)
{
	const struct rs_brief brief = rs_brief_of(rule), offer = rs_brief_offer(target, outcome);

	return rs_brief_allows(&brief, &offer);
}

static inline enum rs_match match_one(const struct rs_rule *rule, const struct rs_target *target,
				      const struct rs_outcome *outcome, enum rs_known known)
{
	const struct rs_rules all = rules_of(rule, 1);
	const struct rs_rule *found = NULL;
	enum rs_match match = rs_match(&all, target, outcome, known, &found);

	assert_ptr_equal(found, match == RS_MATCH_RULE ? rule : NULL);
	assert_true(match == RS_MATCH_NONE || is_allowed(rule, target, outcome));
	return match;
}

/* rs_match and rs_rule_refuses must agree. NULL: the rule matches. */
static inline void refuses(const struct rs_rule *rule, const struct rs_target *target,
			   const struct rs_outcome *outcome, const char *key)
{
	const char *refused = rs_rule_refuses(rule, target, outcome);

	if (key) {
		assert_non_null(refused);
		assert_string_equal(refused, key);
	} else if (refused) {
		fail_msg("%s refuses", refused);
	}
	assert_int_equal(match_one(rule, target, outcome, RS_KNOWN_ALL),
			 key ? RS_MATCH_NONE : RS_MATCH_RULE);
}

#endif
