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

static const char *action_name(const struct rs_rule *decides)
{
	static const char *const names[] = {
		[RS_TEMPORARY] = "retry",
		[RS_RECOVERABLE] = "recover",
		[RS_FOLLOWUP] = "followup",
		[RS_PERMANENT] = "permanent",
	};

	return decides ? names[decides->class] : "pass";
}

/* The rules that were looked at in vain. */
static size_t refused_count(const struct rs_rules *rules, const struct rs_rule *decides)
{
	return decides ? (size_t)(decides - rules->rules) : rules->rule_count;
}

/* ---- for programs ---- */

static void print_considered(const struct rs_rules *rules, const struct rs_rule *decides,
			     const struct rs_explain_case *asked)
{
	size_t count = refused_count(rules, decides);

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

void rs_explain_print_json(const struct rs_rules *rules, const struct rs_rule *decides,
			   const struct rs_explain_case *asked)
{
	putchar('{');
	rs_json_key("rule", true);
	rs_json_text(decides ? decides->name : NULL);
	rs_json_key("class", false);
	rs_json_text(decides ? rs_class_name(decides->class) : NULL);
	rs_json_key("action", false);
	rs_json_text(action_name(decides));
	rs_json_key("policy", false);
	rs_json_text(decides ? decides->policy.name : NULL);
	rs_json_key("considered", false);
	print_considered(rules, decides, asked);
	puts("}");
}

/* ---- for people ---- */

static void print_refused(const struct rs_rules *rules, const struct rs_rule *decides,
			  const struct rs_explain_case *asked)
{
	size_t count = refused_count(rules, decides);
	int width = 0;

	for (size_t i = 0; i < count; i++) {
		int len = (int)strlen(rules->rules[i].name);

		width = len > width ? len : width;
	}
	if (count > 0)
		puts(decides ? "\nNot decided by the rules before it:"
			     : "\nNot decided by any rule:");
	for (size_t i = 0; i < count; i++)
		printf("  %-*s  %s\n", width, rules->rules[i].name,
		       rs_explain_because(&rules->rules[i], asked).text);
}

static void print_server_wish(const struct rs_policy *policy, struct rs_span headers)
{
	int64_t asked_ns;

	rs_wait_with_server_ns(policy, headers, 0, (int64_t)time(NULL) * RS_NS_PER_S, &asked_ns);
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

static void print_waits(const struct rs_rule *rule, const struct rs_explain_case *asked)
{
	struct rs_plan_wait waits[WAITS_SHOWN];
	struct rs_plan plan = rs_plan_make(&rule->policy, waits, WAITS_SHOWN);

	print_server_wish(&rule->policy, asked->outcome.headers);
	putchar('\n');
	rs_plan_print_table(&rule->policy, rule->name, &plan);
}

static const char *consequence(const struct rs_rule *rule)
{
	switch (rule->class) {
	case RS_TEMPORARY:
		return rule->policy.max_attempts > 1
			       ? "it is tried again after a wait"
			       : "max_attempts is 1: it is reported, and not tried again";
	case RS_RECOVERABLE:
		return "the rule's recover command runs; when it succeeds it is tried again";
	case RS_FOLLOWUP:
		return "the rule's followup command runs; it is reported, and not tried again";
	case RS_PERMANENT:
		break;
	}
	return "it is reported, and not tried again";
}

void rs_explain_print(const struct rs_rules *rules, const struct rs_rule *decides,
		      const struct rs_explain_case *asked)
{
	const struct rs_because ending = rs_explain_ending(asked);
	bool waits = decides && decides->policy.max_attempts > 1 &&
		     (decides->class == RS_TEMPORARY || decides->class == RS_RECOVERABLE);

	if (decides)
		printf("%s: rule %s (%s:%d), class %s: %s.\n", ending.text, decides->name,
		       decides->file, decides->line, rs_class_name(decides->class),
		       consequence(decides));
	else
		printf("%s: no rule matches: the program gets it as it is.\n", ending.text);
	if (decides && asked->outcome.never_sent && asked->target.call == RS_CALL_CURL)
		puts("Nothing of the request was sent: the rule holds whatever the method.");
	if (waits)
		print_waits(decides, asked);
	print_refused(rules, decides, asked);
}
