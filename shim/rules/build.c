#include "rules/build.h"

#include <errno.h>
#include <string.h>

#include "retry/ledger.h"
#include "retry/ns.h"
#include "retry/pacer.h"
#include "rules/fields.h"
#include "rules/names.h"
#include "rules/options.h"

static const struct rs_settings default_settings = {
	.mode = RS_MODE_ENFORCE,
	.log_format = RS_LOG_TEXT,
	.log_level = RS_LOG_WARN,
	.reload_ns = RS_RELOAD_NS,
	.hook_timeout_ns = 10 * RS_NS_PER_S,
	.body_limit = (size_t)64 * 1024,
	.spool_limit = (size_t)1024 * 1024,
};

static const struct rs_policy default_policy = {
	.max_attempts = 4,
	.backoff = RS_BACKOFF_EXPONENTIAL,
	.base_ns = 200 * RS_NS_PER_MS,
	.rate_millionths = 2 * RS_RATE_ONE,
	.cap_ns = 20 * RS_NS_PER_S,
	.jitter = RS_JITTER_FULL,
	.max_elapsed_ns = 300 * RS_NS_PER_S,
	.retry_after = RS_RETRY_AFTER_MAX,
	.retry_after_cap_ns = 120 * RS_NS_PER_S,
	.attempt_timeout_ns = RS_FOREVER,
	.connect_timeout_ns = RS_FOREVER,
	.resume = true,
	.quota = RS_STANDARD_QUOTA,
	.cost = 14,
};

static const char *copy(struct rs_build *build, const char *text)
{
	return rs_arena_text(build->arena, text, strlen(text));
}

static void set_all(struct rs_build *build, const struct rs_section *section, void *object)
{
	for (const struct rs_entry *entry = section->first; entry;
	     entry = rs_entry_head(entry->next))
		rs_field_set(build, section, entry, object);
}

static const struct rs_section *next_of(const struct rs_section *section, enum rs_section_type type)
{
	while (section && section->type != type)
		section = section->next;
	return section;
}

static void build_settings(struct rs_build *build, const struct rs_options *options,
			   struct rs_rules *rules)
{
	const struct rs_section *section =
		rs_document_find(build->document, RS_SECTION_RETRYSHIM, "");

	rules->settings = default_settings;
	rules->settings.log = "stderr";
	rules->settings.report = "none";
	rules->settings.stats = "no";
	if (section)
		set_all(build, section, &rules->settings);
	set_all(build, &options->settings, &rules->settings);
}

static bool make_target_ledger(struct rs_build *build, struct rs_rules *rules)
{
	for (size_t i = 0; i < rules->quota_count && !rules->target_ledger; i++) {
		enum rs_scope scope = rules->quotas[i].scope;

		if (scope != RS_SCOPE_TARGET && scope != RS_SCOPE_HOST_TARGET)
			continue;
		rules->target_ledger = RS_NEW(build->arena, struct rs_ledger);
		if (!rules->target_ledger)
			return false;
	}
	return true;
}

static bool build_quotas(struct rs_build *build, struct rs_rules *rules)
{
	size_t count = build->document->counts[RS_SECTION_QUOTA] + 1;
	struct rs_quota *quotas = RS_NEW_ARRAY(build->arena, count, struct rs_quota);
	struct rs_bucket *buckets = RS_NEW_ARRAY(build->arena, count, struct rs_bucket);
	const struct rs_section *section = build->document->first;

	if (!quotas || !buckets)
		return false;
	quotas[RS_STANDARD_QUOTA].name = "standard";
	for (size_t i = 0; i < count; i++) {
		quotas[i].capacity = RS_QUOTA_CAPACITY;
		quotas[i].refund = RS_QUOTA_REFUND;
		quotas[i].bucket = &buckets[i];
	}
	for (; (section = next_of(section, RS_SECTION_QUOTA)); section = section->next) {
		quotas[section->index].name = copy(build, section->name);
		set_all(build, section, &quotas[section->index]);
	}
	for (size_t i = 0; i < count; i++)
		atomic_init(&buckets[i].tokens, quotas[i].capacity);
	rules->stir = RS_NEW(build->arena, struct rs_stir);
	if (!rules->stir)
		return false;
	rules->quotas = quotas;
	rules->quota_count = count;
	return make_target_ledger(build, rules);
}

/* The line where a section sets the key (0 for an option), or -1. */
static int line_of(const struct rs_section *section, enum rs_section_type type, const char *name)
{
	const struct rs_key *key = rs_key_find(type, name);
	int line = -1;

	for (const struct rs_entry *entry = section->first; entry; entry = entry->next) {
		if (rs_entry_key(entry) == key)
			line = entry->line;
	}
	return line;
}

/* Only a section that sets one of the two can be the one that brings them together. */
static void check_bounded(struct rs_build *build, const struct rs_section *section,
			  const struct rs_policy *policy)
{
	struct rs_place place = { section->place.file, -1 };

	if (policy->max_attempts != RS_UNLIMITED || policy->max_elapsed_ns != RS_FOREVER)
		return;
	place.line = line_of(section, RS_SECTION_POLICY, "max_attempts");
	if (place.line < 0)
		place.line = line_of(section, RS_SECTION_POLICY, "max_elapsed");
	if (place.line >= 0)
		rs_error(build->faults, place,
			 "max_attempts = unlimited needs a max_elapsed: nothing else would end "
			 "the retries");
}

static void fill_policy(struct rs_build *build, const struct rs_section *section,
			struct rs_policy *policy)
{
	set_all(build, section, policy);
	check_bounded(build, section, policy);
}

static bool build_policies(struct rs_build *build, const struct rs_options *options,
			   struct rs_rules *rules)
{
	size_t count = build->document->counts[RS_SECTION_POLICY] + 1;
	struct rs_policy *policies = RS_NEW_ARRAY(build->arena, count, struct rs_policy);
	const struct rs_section *section =
		rs_document_find(build->document, RS_SECTION_POLICY, "default");

	if (!policies)
		return false;
	policies[0] = default_policy;
	policies[0].name = "default";
	if (section)
		fill_policy(build, section, &policies[0]);
	fill_policy(build, &options->policy, &policies[0]);
	section = build->document->first;
	for (; (section = next_of(section, RS_SECTION_POLICY)); section = section->next) {
		if (section->index == 0)
			continue;
		policies[section->index] = policies[0];
		policies[section->index].name = copy(build, section->name);
		fill_policy(build, section, &policies[section->index]);
	}
	rules->policies = policies;
	rules->policy_count = count;
	return true;
}

static const char *nearest_section(const struct rs_document *document, enum rs_section_type type,
				   const char *name)
{
	const char *names[100];
	size_t count = 0;

	for (const struct rs_section *section = document->first; section && count < 100;
	     section = section->next) {
		if (section->type == type)
			names[count++] = section->name;
	}
	return rs_nearest(name, names, count);
}

static void missing_policy(struct rs_build *build, const struct rs_section *section,
			   const struct rs_entry *entry)
{
	struct rs_place place = { section->place.file, entry->line };
	const char *near = NULL;

	if (rs_faults_heard(build->faults))
		near = nearest_section(build->document, RS_SECTION_POLICY, entry->text);
	if (near)
		rs_error(build->faults, place, "there is no [policy %s] (did you mean '%s'?)",
			 rs_show(entry->text).text, near);
	else
		rs_error(build->faults, place, "there is no [policy %s]",
			 rs_show(entry->text).text);
}

/* The policy that the rule names, before any key of the rule changes it. */
static const struct rs_policy *
named_policy(struct rs_build *build, const struct rs_section *section, const struct rs_rules *rules)
{
	const struct rs_entry *entry = section->first;
	int index;

	while (entry && rs_entry_key(entry)->kind != RS_VALUE_POLICY)
		entry = entry->next;
	if (!entry)
		return &rules->policies[0];
	index = rs_reference(build, RS_SECTION_POLICY, entry->text);
	if (index >= 0)
		return &rules->policies[index];
	if (*entry->text && !build->document->incomplete)
		missing_policy(build, section, entry);
	return &rules->policies[0];
}

/* A command and the class that runs it belong together. */
static void check_command(struct rs_build *build, const struct rs_section *section,
			  const struct rs_rule *rule, enum rs_class class, const char *key)
{
	const char *name = class == RS_RECOVERABLE ? "recoverable" : "followup";
	struct rs_place place = { section->place.file, line_of(section, RS_SECTION_RULE, key) };

	if (rule->class == class && place.line < 0)
		rs_error(build->faults, section->place,
			 "rule '%s' has class = %s, but no %s =", section->name, name, key);
	if (rule->class != class && place.line >= 0)
		rs_error(build->faults, place, "'%s': only runs in a rule with class = %s", key,
			 name);
}

static void build_rule(struct rs_build *build, const struct rs_section *section,
		       const struct rs_rules *rules, struct rs_rule *rule)
{
	rule->name = copy(build, section->name);
	rule->file = section->place.file;
	rule->line = section->place.line;
	rule->calls = (1U << RS_CALL_COUNT) - 1;
	rule->method = build->idempotent;
	rule->policy = *named_policy(build, section, rules);
	for (const struct rs_entry *entry = section->first; entry;
	     entry = rs_entry_head(entry->next))
		rs_rule_field_set(build, section, entry, rule);
	check_bounded(build, section, &rule->policy);
	check_command(build, section, rule, RS_RECOVERABLE, "recover");
	check_command(build, section, rule, RS_FOLLOWUP, "followup");
	if (section->has_lines && !section->has_outcome)
		rs_error(build->faults, section->place,
			 "rule '%s' says nothing about outcomes: give it error, status, body, "
			 "body_regex or header",
			 section->name);
}

static bool build_all_rules(struct rs_build *build, struct rs_rules *rules)
{
	size_t count = build->document->counts[RS_SECTION_RULE];
	struct rs_rule *all = RS_NEW_ARRAY(build->arena, count, struct rs_rule);
	const struct rs_section *section = build->document->first;

	if (!all)
		return false;
	rules->rules = all;
	rules->rule_count = count;
	for (; (section = next_of(section, RS_SECTION_RULE)); section = section->next)
		build_rule(build, section, rules, &all[section->index]);
	return true;
}

static void build_fault(struct rs_build *build, const struct rs_section *section,
			struct rs_fault *fault)
{
	*fault = (struct rs_fault){
		.name = copy(build, section->name),
		.scope = { .calls = (1U << RS_CALL_COUNT) - 1, .method = { .any = true } },
		.cut = RS_NO_CUT,
		.probability = RS_CERTAIN,
		.first = RS_NO_FIRST,
		.every = 1,
	};
	for (const struct rs_entry *entry = section->first; entry;
	     entry = rs_entry_head(entry->next))
		rs_fault_field_set(build, section, entry, fault);
	rs_fault_finish(build, section, fault);
}

static bool build_faults(struct rs_build *build, struct rs_rules *rules)
{
	size_t count = build->document->counts[RS_SECTION_FAULT];
	const struct rs_section *section = build->document->first;
	struct rs_fault *faults;

	if (count == 0)
		return true;
	faults = RS_NEW_ARRAY(build->arena, count, struct rs_fault);
	rules->fault_counts = RS_NEW(build->arena, struct rs_fault_counts);
	if (!faults || !rules->fault_counts)
		return false;
	rules->faults = faults;
	rules->fault_count = count;
	for (; (section = next_of(section, RS_SECTION_FAULT)); section = section->next) {
		build_fault(build, section, &faults[section->index]);
		if (rules->settings.mode == RS_MODE_ENFORCE)
			rules->fault_calls |= faults[section->index].scope.calls;
	}
	return true;
}

static bool make_pacers(struct rs_build *build, struct rs_rules *rules)
{
	for (size_t i = 0; i < rules->rule_count && !rules->pacers; i++) {
		if (rules->rules[i].policy.rate_limit != RS_RATE_ADAPTIVE)
			continue;
		rules->pacers = RS_NEW(build->arena, struct rs_pacers);
		if (!rules->pacers)
			return false;
	}
	return true;
}

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
	bool response =
		rule->has_status || rule->body.count > 0 || rule->body_regex || rule->header_name;
	bool by_errno = any_bit(rule->error.sys, 3);
	unsigned calls = 0;

	if (response || by_errno || any_bit(rule->error.curl, 2))
		calls |= 1U << RS_CALL_CURL;
	if (by_errno)
		calls |= 1U << RS_CALL_CONNECT;
	if (by_errno || rule->error.eai)
		calls |= 1U << RS_CALL_RESOLVE;
	return calls & rule->calls;
}

static void unite_rule(struct rs_rules *rules, const struct rs_rule *rule)
{
	bool by_text = rule->body.count > 0 || rule->body_regex || rule->header_name;
	size_t words = sizeof(rules->status.bits) / sizeof(rules->status.bits[0]);

	for (size_t i = 0; i < words; i++) {
		if (rule->has_status)
			rules->status.bits[i] |= rule->status.bits[i];
		else if (by_text)
			rules->status.bits[i] = UINT64_MAX;
	}
	for (size_t i = 0; i < 2; i++)
		rules->error.curl[i] |= rule->error.curl[i];
	for (size_t i = 0; i < 3; i++)
		rules->error.sys[i] |= rule->error.sys[i];
	rules->error.eai |= rule->error.eai;
	rules->calls |= calls_concerned(rule);
	rules->limits |= rule->policy.attempt_timeout_ns != RS_FOREVER ||
			 rule->policy.connect_timeout_ns != RS_FOREVER;
}

/* What `method = idempotent` means, shared by all rules that say no other. */
static bool make_idempotent(struct rs_build *build)
{
	static const char names[][8] = { "GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE" };
	size_t count = sizeof(names) / sizeof(names[0]);
	struct rs_span *spans = RS_NEW_ARRAY(build->arena, count, struct rs_span);

	if (!spans)
		return false;
	for (size_t i = 0; i < count; i++)
		spans[i] = (struct rs_span){ names[i], strlen(names[i]) };
	build->idempotent.names = (struct rs_texts){ spans, count };
	return true;
}

int rs_build_rules(const struct rs_document *document, const char *options, struct rs_arena *arena,
		   struct rs_rules *rules)
{
	struct rs_build build = { arena, document->faults, document, { 0 } };
	struct rs_document scratch = *document; /* options stand in no section of it */
	struct rs_options read;

	rs_options_read(&scratch, options, &read);
	build_settings(&build, &read, rules);
	if (!make_idempotent(&build) || !build_quotas(&build, rules) ||
	    !build_policies(&build, &read, rules) || !build_all_rules(&build, rules) ||
	    !build_faults(&build, rules) || !make_pacers(&build, rules) || arena->failed)
		return -ENOMEM;
	for (size_t i = 0; i < rules->rule_count; i++)
		unite_rule(rules, &rules->rules[i]);
	return 0;
}
