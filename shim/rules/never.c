/*
 * Rules, and single patterns of rules, that nothing can match.
 *
 * As with those that are never reached, a warning is never wrong: what cannot be told is not
 * warned of.
 */
#include <string.h>

#include "retry/error_set.h"
#include "rules/calls_of.h"

static struct rs_place place_of(const struct rs_rule *rule)
{
	return (struct rs_place){ rule->file, rule->line };
}

static bool matches_something(const struct rs_rule *rule)
{
	const unsigned calls = rs_calls_of(rule, NULL);
	const struct rs_error_set errors = rs_errors_of(rule, calls);

	if ((calls & 1U << RS_CALL_CURL) && rs_rule_has_response_matcher(rule))
		return true;
	return calls != 0 && rs_error_set_folded(&errors) != 0;
}

static bool warn_of_rule(struct rs_faults *faults, const struct rs_rule *rule)
{
	const char *key = NULL;

	if (matches_something(rule))
		return true;
	if (rs_calls_of(rule, &key) == 0)
		rs_warning(faults, place_of(rule),
			   "rule '%s' can never match: the calls that it is for have no %s",
			   rule->name, key);
	else
		rs_warning(faults, place_of(rule),
			   "rule '%s' can never match: the calls that it is for do not end so",
			   rule->name);
	return false;
}

static void warn_of_pattern(struct rs_faults *faults, const struct rs_rule *rule, const char *key,
			    const char *pattern, const char *why)
{
	rs_warning(faults, place_of(rule), "rule '%s': %s '%s' can never match: %s", rule->name,
		   key, rs_show(pattern).text, why);
}

/* Of a glob with brackets that is not told: a slash in them is one of several characters. */
static bool has_slash(const char *pattern)
{
	return strchr(pattern, '/') && !strchr(pattern, '[');
}

/* "name:80"; an IPv6 address has more colons than one. */
static bool has_port(const char *host)
{
	const char *colon = strchr(host, ':');

	return colon && colon[1] && colon[1 + strspn(colon + 1, "0123456789")] == '\0' &&
	       !strchr(host, '[');
}

static void warn_of_programs(struct rs_faults *faults, const struct rs_rule *rule)
{
	for (size_t i = 0; i < rule->program.count; i++) {
		if (has_slash(rule->program.at[i].pattern))
			warn_of_pattern(faults, rule, "program", rule->program.at[i].pattern,
					"it is the base name of a program that counts");
	}
}

static void warn_of_hosts(struct rs_faults *faults, const struct rs_rule *rule)
{
	for (size_t i = 0; i < rule->host.count; i++) {
		const char *pattern = rule->host.at[i].pattern;

		if (has_slash(pattern))
			warn_of_pattern(faults, rule, "host", pattern,
					"a host has no slash; there is url =");
		else if (has_port(pattern))
			warn_of_pattern(faults, rule, "host", pattern,
					"a host has no port; there is port =");
	}
}

bool rs_warn_never(struct rs_faults *faults, const struct rs_rule *rule)
{
	warn_of_programs(faults, rule);
	warn_of_hosts(faults, rule);
	return warn_of_rule(faults, rule);
}
