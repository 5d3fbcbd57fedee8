/* A rules file, behind a NUL byte RETRYSHIM_OPTIONS, and behind another RETRYSHIM_FAULTS: whatever
 * they say, they are either rules or refused with a reason, and what is rules can be judged by. */
#include <errno.h>

#include "fuzz.h"
#include "retry/brief.h"
#include "retry/match.h"
#include "retry/ns.h"

struct heard {
	size_t errors, warnings;
	size_t faults; /* that they stand for */
};

static void hear(void *arg, const struct rs_complaint *complaint)
{
	struct heard *heard = arg;

	MUST(complaint->file && complaint->line >= 0);
	MUST(complaint->text && complaint->text[0]);
	MUST(complaint->faults > 0);
	heard->faults += complaint->faults;
	*(complaint->severity == RS_ERROR ? &heard->errors : &heard->warnings) += 1;
}

static void check_policy(const struct rs_rules *rules, const struct rs_policy *policy)
{
	MUST(policy->name);
	MUST(policy->max_attempts >= 1);
	MUST(policy->max_attempts != RS_UNLIMITED || policy->max_elapsed_ns != RS_FOREVER);
	MUST(policy->base_ns > 0 && policy->rate_millionths >= RS_RATE_ONE);
	MUST(policy->cap_ns >= 0 && policy->max_elapsed_ns >= 0 && policy->cost >= 0);
	MUST(policy->quota == RS_NO_QUOTA ||
	     (policy->quota >= 0 && (size_t)policy->quota < rules->quota_count));
}

/* No brief passes over a rule that matches; the first of those decides. */
static void check_match(const struct rs_rules *rules, const struct rs_target *target,
			const struct rs_outcome *outcome, const struct rs_rule *decides)
{
	const struct rs_brief offer = rs_brief_offer(target, outcome);
	const struct rs_rule *first = NULL;

	for (size_t i = 0; i < rules->rule_count; i++) {
		const struct rs_rule *rule = &rules->rules[i];
		const struct rs_brief brief = rs_brief_of(rule);

		if (rs_rule_refuses(rule, target, outcome))
			continue;
		MUST(rs_brief_allows(&brief, &offer));
		first = first ? first : rule;
	}
	MUST(first == decides);
}

static void judge(const struct rs_rules *rules, enum rs_call call)
{
	static const struct rs_outcome outcomes[] = {
		{ .status = 503, .headers = { "A: b\r\n", 6 }, .body = { "SlowDown", 8 } },
		{ .error = 7, .sys_errno = ECONNREFUSED, .never_sent = true },
		{ .sys_errno = ECONNREFUSED },
	};
	const struct rs_target target = {
		.call = call,
		.method = { "GET", 3 },
		.scheme = { "http", 4 },
		.host = { "example.org", 11 },
		.url = { "http://example.org/a", 20 },
		.port = 80,
		.address = { .family = RS_ADDRESS_UNIX, .path = { "/run/a", 6 } },
		.program = "fuzz",
	};

	for (size_t i = 0; i < sizeof(outcomes) / sizeof(outcomes[0]); i++) {
		const struct rs_rule *rule = NULL;
		enum rs_match match = rs_match(rules, &target, &outcomes[i], RS_KNOWN_ALL, &rule);

		MUST(match != RS_MATCH_NEED_MORE && (match == RS_MATCH_RULE) == (rule != NULL));
		check_match(rules, &target, &outcomes[i], rule);
	}
}

static void check_rules(const struct rs_rules *rules)
{
	MUST(rules->policy_count >= 1 && rules->quota_count >= 1);
	for (size_t i = 0; i < rules->policy_count; i++)
		check_policy(rules, &rules->policies[i]);
	for (size_t i = 0; i < rules->rule_count; i++)
		check_policy(rules, &rules->rules[i].policy);
	for (int call = 0; call < RS_CALL_COUNT; call++)
		judge(rules, (enum rs_call)call);
}

static void load_telling_all(struct rs_load_request request, const struct heard *some, int rc)
{
	struct heard all = { 0 };
	struct rs_rules *rules;

	request.want_all = true;
	request.arg = &all;
	MUST(rs_rules_load(&request, &rules) == rc);
	MUST(all.faults == some->faults && all.errors + all.warnings == all.faults);
	rs_rules_free(rules);
}

/* Whether somebody listens or not, and to how much, makes no difference to the answer. */
static void load(struct rs_load_request request)
{
	struct heard heard = { 0 };
	struct rs_rules *rules, *again;
	int rc;

	request.arg = &heard;
	rc = rs_rules_load(&request, &rules);
	MUST(rc == 0 || rc == -EINVAL);
	MUST((rc == 0) == (heard.errors == 0) && (rc == 0) == (rules != NULL));
	if (rules)
		check_rules(rules);
	rs_rules_free(rules);
	load_telling_all(request, &heard, rc);
	request.complain = NULL;
	MUST(rs_rules_load(&request, &again) == rc);
	rs_rules_free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = input_of(data, size);
	struct rs_span text = take_until(&in, '\0');
	char *options = in.left ? text_copy(take_until(&in, '\0')) : NULL;
	char *faults = in.left ? text_copy((struct rs_span){ in.at, in.left }) : NULL;
	struct rs_load_request request = {
		.paths = path_of(text),
		.options = options,
		.faults = faults,
		.want_warnings = true,
		.complain = hear,
	};

	load(request);
	if (options) {
		request.options = request.faults = NULL;
		request.paths = path_of((struct rs_span){ (const char *)data, size });
		load(request); /* with the NUL byte in it */
	}
	free(options);
	free(faults);
	return 0;
}
