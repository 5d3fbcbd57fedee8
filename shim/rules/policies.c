#include "rules/policies.h"

#include <string.h>

#include "retry/ns.h"
#include "rules/names.h"

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

/* Only a section that sets one of the two can be the one that brings them together. */
void rs_check_bounded(struct rs_build *build, const struct rs_section *section,
		      const struct rs_policy *policy)
{
	struct rs_place place = { section->place.file, -1 };

	if (policy->max_attempts != RS_UNLIMITED || policy->max_elapsed_ns != RS_FOREVER)
		return;
	place.line = rs_line_of(section, RS_SECTION_POLICY, "max_attempts");
	if (place.line < 0)
		place.line = rs_line_of(section, RS_SECTION_POLICY, "max_elapsed");
	if (place.line >= 0)
		rs_error(build->faults, place,
			 "max_attempts = unlimited needs a max_elapsed: nothing else would end "
			 "the retries");
}

static void fill_policy(struct rs_build *build, const struct rs_section *section,
			struct rs_policy *policy)
{
	rs_set_all(build, section, policy);
	rs_check_bounded(build, section, policy);
}

bool rs_build_policies(struct rs_build *build, const struct rs_options *options,
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
	for (; (section = rs_section_from(section, RS_SECTION_POLICY)); section = section->next) {
		if (section->index == 0)
			continue;
		policies[section->index] = policies[0];
		policies[section->index].name = rs_build_text(build, section->name);
		fill_policy(build, section, &policies[section->index]);
	}
	rules->policies = policies;
	rules->policy_count = count;
	return true;
}

static void missing_policy(struct rs_build *build, const struct rs_section *section,
			   const struct rs_entry *entry)
{
	struct rs_place place = { section->place.file, entry->line };
	const char *near = rs_reference_nearest(build, RS_SECTION_POLICY, entry->text);

	if (near)
		rs_error(build->faults, place, "there is no [policy %s] (did you mean '%s'?)",
			 rs_show(entry->text).text, near);
	else
		rs_error(build->faults, place, "there is no [policy %s]",
			 rs_show(entry->text).text);
}

/* The policy that the rule names, before any key of the rule changes it. */
const struct rs_policy *rs_named_policy(struct rs_build *build, const struct rs_section *section,
					const struct rs_rules *rules)
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
