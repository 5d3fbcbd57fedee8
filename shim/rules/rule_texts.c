#include <string.h>

#include "retry/held.h"
#include "rules/fields.h"

bool rs_set_header(struct rs_build *build, char *text, struct rs_rule *rule, struct rs_why *why)
{
	char *colon = strchr(text, ':');
	struct rs_header_matcher *header;
	const char *name, *pattern;

	if (!colon || colon == text || strcspn(text, " \t") < (size_t)(colon - text))
		return rs_why_not(why, "'%s' is not 'Name: pattern'", rs_show(text).text);
	pattern = rs_trim_text(colon + 1);
	if (!*pattern)
		return rs_why_not(why, "'%s' has no pattern (write '*' for any value)",
				  rs_show(text).text);
	header = RS_NEW(build->arena, struct rs_header_matcher);
	name = rs_arena_text(build->arena, text, (size_t)(colon - text));
	pattern = rs_arena_text(build->arena, pattern, strlen(pattern));
	if (!header || !name || !pattern)
		return false;
	*header = rs_header_matcher_make(name, pattern);
	rule->header = header;
	return true;
}

/*
 * glibc's regcomp() unrolls a{1,255}, so that a short nest of them takes gigabytes: the product
 * of all counts is held down.
 */
#define REPEATS_MOST 10000

static bool repeats_too_much(const char *pattern)
{
	unsigned long product = 1;

	for (const char *at = pattern; (at = strchr(at, '{')); at++) {
		unsigned long most = 0;

		for (const char *digit = at + 1; *digit && *digit != '}'; digit++) {
			if (*digit == ',' && digit[1] != '}')
				most = 0;
			else if (*digit >= '0' && *digit <= '9' && most < REPEATS_MOST)
				most = most * 10 + (unsigned long)(*digit - '0');
		}
		product *= most > 0 ? most : 1;
		if (product > REPEATS_MOST)
			return true;
	}
	return false;
}

bool rs_set_regex(struct rs_build *build, const char *text, struct rs_rule *rule,
		  struct rs_why *why)
{
	struct rs_pattern *pattern;
	char cause[128];
	int rc;

	if (repeats_too_much(text))
		return rs_why_not(why, "'%s' repeats too much ({} multiply to more than %d)",
				  rs_show(text).text, REPEATS_MOST);
	pattern = RS_NEW(build->arena, struct rs_pattern);
	if (!pattern)
		return false;
	pattern->text = rs_arena_text(build->arena, text, strlen(text));
	if (!pattern->text)
		return false;
	rc = build->document->leave_patterns ? 0 : rs_pattern_compile(pattern);
	if (rc == 0) {
		rule->body_regex = pattern;
		return true;
	}
	regerror(rc, NULL, cause, sizeof(cause));
	return rs_why_not(why, "'%s' is no regular expression: %s", rs_show(text).text, cause);
}
