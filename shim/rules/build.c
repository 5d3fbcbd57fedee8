#include "rules/build.h"

#include <errno.h>
#include <string.h>

#include "retry/ledger.h"
#include "retry/ns.h"
#include "retry/pacer.h"
#include "rules/fields.h"
#include "rules/index_texts.h"
#include "rules/options.h"
#include "rules/policies.h"
#include "rules/unite.h"

static const struct rs_settings default_settings = {
	.mode = RS_MODE_ENFORCE,
	.log_format = RS_LOG_TEXT,
	.log_level = RS_LOG_WARN,
	.reload_ns = RS_RELOAD_NS,
	.hook_timeout_ns = 10 * RS_NS_PER_S,
	.body_limit = (size_t)64 * 1024,
	.spool_limit = (size_t)1024 * 1024,
};

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
		rs_set_all(build, section, &rules->settings);
	rs_set_all(build, &options->settings, &rules->settings);
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
	for (; (section = rs_section_from(section, RS_SECTION_QUOTA)); section = section->next) {
		quotas[section->index].name = rs_build_text(build, section->name);
		rs_set_all(build, section, &quotas[section->index]);
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

/* A command and the class that runs it belong together. */
static void check_command(struct rs_build *build, const struct rs_section *section,
			  const struct rs_rule *rule, enum rs_class class, const char *key)
{
	const char *name = class == RS_RECOVERABLE ? "recoverable" : "followup";
	struct rs_place place = { section->place.file, rs_line_of(section, RS_SECTION_RULE, key) };

	if (rule->class == class && place.line < 0)
		rs_error(build->faults, section->place,
			 "rule '%s' has class = %s, but no %s =", section->name, name, key);
	if (rule->class != class && place.line >= 0)
		rs_error(build->faults, place, "'%s': only runs in a rule with class = %s", key,
			 name);
}

static void check_commands(struct rs_build *build, const struct rs_section *section,
			   const struct rs_rule *rule)
{
	check_command(build, section, rule, RS_RECOVERABLE, "recover");
	check_command(build, section, rule, RS_FOLLOWUP, "followup");
}

static void build_rule(struct rs_build *build, const struct rs_section *section,
		       const struct rs_rules *rules, struct rs_rule *rule)
{
	bool has_command = false;

	rule->name = rs_build_text(build, section->name);
	rule->file = section->place.file;
	rule->line = section->place.line;
	rule->calls = (1U << RS_CALL_COUNT) - 1;
	rule->method = build->idempotent;
	rule->policy = *rs_named_policy(build, section, rules);
	for (const struct rs_entry *entry = section->first; entry;
	     entry = rs_entry_head(entry->next)) {
		has_command |= rs_entry_key(entry)->kind == RS_VALUE_COMMAND;
		rs_rule_field_set(build, section, entry, rule);
	}
	rs_check_bounded(build, section, &rule->policy);
	if (has_command || rule->class == RS_RECOVERABLE || rule->class == RS_FOLLOWUP)
		check_commands(build, section, rule);
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
	for (; (section = rs_section_from(section, RS_SECTION_RULE)); section = section->next)
		build_rule(build, section, rules, &all[section->index]);
	return true;
}

static void build_fault(struct rs_build *build, const struct rs_section *section,
			struct rs_fault *fault)
{
	*fault = (struct rs_fault){
		.name = rs_build_text(build, section->name),
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
	if (!faults)
		return false;
	rules->faults = faults;
	rules->fault_count = count;
	for (; (section = rs_section_from(section, RS_SECTION_FAULT)); section = section->next) {
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
	struct rs_build build = { .arena = arena,
				  .faults = document->faults,
				  .document = document };
	struct rs_document scratch = *document; /* options stand in no section of it */
	struct rs_options read;

	rs_options_read(&scratch, options, &read);
	build_settings(&build, &read, rules);
	if (!make_idempotent(&build) || !build_quotas(&build, rules) ||
	    !rs_build_policies(&build, &read, rules) || !build_all_rules(&build, rules) ||
	    !build_faults(&build, rules) || !make_pacers(&build, rules) || arena->failed)
		return -ENOMEM;
	if (!rs_index_texts(rules, arena, document->arena) || !rs_unite_rules(rules, arena))
		return -ENOMEM;
	return 0;
}
