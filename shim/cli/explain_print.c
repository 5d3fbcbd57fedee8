#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/duration_text.h"
#include "cli/explain.h"
#include "cli/json.h"
#include "cli/plan_math.h"
#include "cli/plan_print.h"
#include "retry/decide.h"
#include "retry/ns.h"
#include "retry/retry_after.h"

#define WAITS_SHOWN 20

/* What the program gets the outcome of passes. */
static const char *action_name(const struct rs_rules *rules, const struct rs_explain_answer *answer)
{
	static const char *const names[] = {
		[RS_ACTION_RETRY] = "retry",         [RS_ACTION_EXHAUSTED] = "pass",
		[RS_ACTION_PERMANENT] = "permanent", [RS_ACTION_RECOVER] = "recover",
		[RS_ACTION_FOLLOWUP] = "followup",
	};

	if (!answer->rule || rules->settings.mode != RS_MODE_ENFORCE)
		return "pass";
	return names[answer->decision.action];
}

/* The rules that were looked at in vain. */
static size_t refused_count(const struct rs_rules *rules, const struct rs_explain_answer *answer)
{
	if (!answer->judged)
		return 0;
	return answer->rule ? (size_t)(answer->rule - rules->rules) : rules->rule_count;
}

/* ---- for programs ---- */

static void print_considered(const struct rs_rules *rules, const struct rs_explain_answer *answer,
			     const struct rs_explain_case *asked)
{
	size_t count = refused_count(rules, answer);

	putchar('[');
	for (size_t i = 0; i < count; i++) {
		fputs(i ? ",{" : "{", stdout);
		rs_json_key("rule", true);
		rs_json_text(rules->rules[i].name);
		rs_json_key("because", false);
		rs_json_text(rs_explain_because(&rules->rules[i], asked).text);
		putchar('}');
	}
	putchar(']');
}

void rs_explain_print_json(const struct rs_rules *rules, const struct rs_explain_answer *answer,
			   const struct rs_explain_case *asked)
{
	const struct rs_rule *decides = answer->rule;

	putchar('{');
	rs_json_key("rule", true);
	rs_json_text(decides ? decides->name : NULL);
	rs_json_key("class", false);
	rs_json_text(decides ? rs_class_name(decides->class) : NULL);
	rs_json_key("action", false);
	rs_json_text(action_name(rules, answer));
	rs_json_key("policy", false);
	rs_json_text(decides ? decides->policy.name : NULL);
	rs_json_key("considered", false);
	print_considered(rules, answer, asked);
	puts("}");
}

/* ---- for people ---- */

static void print_refused(const struct rs_rules *rules, const struct rs_explain_answer *answer,
			  const struct rs_explain_case *asked)
{
	size_t count = refused_count(rules, answer);
	int width = 0;

	for (size_t i = 0; i < count; i++) {
		int len = (int)strlen(rules->rules[i].name);

		width = len > width ? len : width;
	}
	if (count > 0)
		puts(answer->rule ? "\nNot decided by the rules before it:"
				  : "\nNot decided by any rule:");
	for (size_t i = 0; i < count; i++)
		printf("  %-*s  %s\n", width, rules->rules[i].name,
		       rs_explain_because(&rules->rules[i], asked).text);
}

static void print_server_wish(const struct rs_policy *policy, int64_t asked_ns)
{
	if (asked_ns == RS_NO_RETRY_AFTER)
		return;
	if (policy->retry_after == RS_RETRY_AFTER_IGNORE)
		puts("The server's Retry-After is ignored.");
	else if (asked_ns > policy->retry_after_cap_ns)
		printf("The server asks for a wait of %s, which is more than retry_after_cap: no "
		       "retry.\n",
		       rs_duration_human(asked_ns).text);
	else
		printf("The server asks for a wait of %s: the next one %s.\n",
		       rs_duration_human(asked_ns).text,
		       policy->retry_after == RS_RETRY_AFTER_SERVER ? "is that long"
								    : "is no shorter");
}

static void print_quota(const struct rs_rules *rules, const struct rs_policy *policy,
			size_t retries)
{
	const struct rs_quota *quota =
		policy->quota == RS_NO_QUOTA ? NULL : &rules->quotas[policy->quota];

	if (quota && policy->cost > 0 && (size_t)(quota->capacity / policy->cost) < retries)
		printf("A full quota %s pays for %d of them.\n", quota->name,
		       (int)(quota->capacity / policy->cost));
}

static void print_waits(const struct rs_rules *rules, const struct rs_explain_answer *answer,
			const struct rs_explain_case *asked)
{
	const struct rs_policy *policy = &answer->rule->policy;
	struct rs_plan_wait waits[WAITS_SHOWN];
	const struct rs_plan_server server = { asked->outcome.headers, answer->wall_now_ns };
	struct rs_plan plan = rs_plan_make(policy, &server, waits, WAITS_SHOWN);

	putchar('\n');
	rs_plan_print_table(policy, answer->rule, &plan);
	print_quota(rules, policy, plan.count);
}

static const char *why_exhausted(const struct rs_explain_answer *answer)
{
	switch (answer->decision.reason) {
	case RS_REASON_ATTEMPTS:
		return "max_attempts is 1: it is reported, and not tried again";
	case RS_REASON_ELAPSED:
		return "the first wait would end after max_elapsed: it is reported, and not tried "
		       "again";
	case RS_REASON_QUOTA:
		return "a retry costs more than its quota can hold: it is reported, and not tried "
		       "again";
	default:
		return "it is reported, and not tried again";
	}
}

static const char *consequence(const struct rs_explain_answer *answer)
{
	switch (answer->decision.action) {
	case RS_ACTION_RETRY:
		return "it is tried again after a wait";
	case RS_ACTION_RECOVER:
		return "the rule's recover command runs; when it succeeds it is tried again";
	case RS_ACTION_FOLLOWUP:
		return "the rule's followup command runs; it is reported, and not tried again";
	case RS_ACTION_EXHAUSTED:
		return why_exhausted(answer);
	case RS_ACTION_PERMANENT:
		break;
	}
	return "it is reported, and not tried again";
}

/* What else there is to say of the rule that decides. */
static void print_details(const struct rs_rules *rules, const struct rs_explain_answer *answer,
			  const struct rs_explain_case *asked)
{
	const struct rs_policy *policy = &answer->rule->policy;
	int64_t asked_ns;

	if (rules->settings.mode == RS_MODE_OBSERVE)
		puts("mode = observe: that is logged, and none of it is done.");
	else if (rules->settings.mode == RS_MODE_OFF)
		puts("mode = off: none of it is done.");
	if (asked->outcome.never_sent && asked->target.call == RS_CALL_CURL)
		puts("Nothing of the request was sent: the rule holds whatever the method.");
	if (!rs_plan_retries(answer->rule->class) || policy->max_attempts == 1)
		return;
	rs_wait_with_server_ns(policy, asked->outcome.headers, 0, answer->wall_now_ns, &asked_ns);
	print_server_wish(policy, asked_ns);
	if (rs_explain_goes_on(answer))
		print_waits(rules, answer, asked);
}

void rs_explain_print(const struct rs_rules *rules, const struct rs_explain_answer *answer,
		      const struct rs_explain_case *asked)
{
	const struct rs_because ending = rs_explain_ending(asked);
	const struct rs_rule *rule = answer->rule;

	if (rule) {
		printf("%s: rule %s (%s:%d), class %s: %s.\n", ending.text, rule->name, rule->file,
		       rule->line, rs_class_name(rule->class), consequence(answer));
		print_details(rules, answer, asked);
	} else if (answer->judged) {
		printf("%s: no rule matches: the program gets it as it is.\n", ending.text);
	} else {
		printf("%s: %s: no rule is asked, the program gets it as it is.\n", ending.text,
		       asked->target.call == RS_CALL_CURL ? "the program itself has ended it"
							  : "that is no failed attempt");
	}
	print_refused(rules, answer, asked);
}
