/*
 * Rules that can never be reached: one before them matches all that they would.
 *
 * "Covers" below means: whatever the second matches the first matches too, for certain. Where
 * that cannot be told (two regular expressions, two intricate globs) the answer is no, so that
 * a warning is never wrong.
 */
#include <string.h>
#include <strings.h>

#include "rules/build.h"
#include "rules/calls_of.h"

/* Comparing all pairs of a huge file would take minutes; a rule is held against so many. */
#define COMPARED_MOST 1024

static bool ends_with(struct rs_span text, struct rs_span end)
{
	return text.len >= end.len && memcmp(text.at + text.len - end.len, end.at, end.len) == 0;
}

static bool begins_with(struct rs_span text, struct rs_span begin)
{
	return text.len >= begin.len && memcmp(text.at, begin.at, begin.len) == 0;
}

static bool glob_covers(const struct rs_glob *wide, const struct rs_glob *narrow)
{
	if (wide->kind == RS_GLOB_ANY || strcmp(wide->pattern, narrow->pattern) == 0)
		return true;
	if (narrow->kind == RS_GLOB_LITERAL)
		return rs_glob_matches(wide, narrow->text);
	if (wide->kind == RS_GLOB_PREFIX && narrow->kind == RS_GLOB_PREFIX)
		return begins_with(narrow->text, wide->text);
	return wide->kind == RS_GLOB_SUFFIX && narrow->kind == RS_GLOB_SUFFIX &&
	       ends_with(narrow->text, wide->text);
}

static bool any_glob_covers(const struct rs_globs *wide, const struct rs_glob *narrow)
{
	for (size_t i = 0; i < wide->count; i++) {
		if (glob_covers(&wide->at[i], narrow))
			return true;
	}
	return false;
}

/* An empty list matches anything, a missing host or URL included. */
static bool globs_cover(const struct rs_globs *wide, const struct rs_globs *narrow)
{
	if (wide->count == 0)
		return true;
	for (size_t i = 0; i < narrow->count; i++) {
		if (!any_glob_covers(wide, &narrow->at[i]))
			return false;
	}
	return narrow->count > 0;
}

static bool names_method(const struct rs_method_matcher *methods, struct rs_span name)
{
	for (size_t i = 0; i < methods->names.count; i++) {
		const struct rs_span *one = &methods->names.at[i];

		if (one->len == name.len && memcmp(one->at, name.at, name.len) == 0)
			return true;
	}
	return false;
}

static bool methods_cover(const struct rs_method_matcher *wide,
			  const struct rs_method_matcher *narrow)
{
	if (wide->any || narrow->any)
		return wide->any;
	for (size_t i = 0; i < narrow->names.count; i++) {
		if (!names_method(wide, narrow->names.at[i]))
			return false;
	}
	return true;
}

static bool has_port(const struct rs_rule *rule, uint16_t port)
{
	for (size_t i = 0; i < rule->port_count; i++) {
		if (rule->ports[i] == port)
			return true;
	}
	return false;
}

static bool ports_cover(const struct rs_rule *wide, const struct rs_rule *narrow)
{
	if (wide->port_count == 0)
		return true;
	for (size_t i = 0; i < narrow->port_count; i++) {
		if (!has_port(wide, narrow->ports[i]))
			return false;
	}
	return narrow->port_count > 0;
}

static bool same_prefix(const uint8_t *a, const uint8_t *b, unsigned bits)
{
	unsigned rest = bits % 8;

	if (memcmp(a, b, bits / 8) != 0)
		return false;
	return rest == 0 || ((a[bits / 8] ^ b[bits / 8]) >> (8 - rest)) == 0;
}

static bool address_covers(const struct rs_address_matcher *wide,
			   const struct rs_address_matcher *narrow)
{
	if (wide->family != narrow->family)
		return false;
	if (wide->family == RS_ADDRESS_UNIX)
		return glob_covers(&wide->path, &narrow->path);
	return wide->prefix_bits <= narrow->prefix_bits &&
	       same_prefix(wide->ip, narrow->ip, wide->prefix_bits);
}

static bool any_address_covers(const struct rs_rule *wide, const struct rs_address_matcher *narrow)
{
	for (size_t i = 0; i < wide->address_count; i++) {
		if (address_covers(&wide->addresses[i], narrow))
			return true;
	}
	return false;
}

static bool addresses_cover(const struct rs_rule *wide, const struct rs_rule *narrow)
{
	if (wide->address_count == 0)
		return true;
	for (size_t i = 0; i < narrow->address_count; i++) {
		if (!any_address_covers(wide, &narrow->addresses[i]))
			return false;
	}
	return narrow->address_count > 0;
}

/* Only transfers have a method. */
static bool scope_covers(const struct rs_rule *wide, const struct rs_rule *narrow, unsigned calls)
{
	return (calls & ~wide->calls) == 0 &&
	       (!(calls & 1U << RS_CALL_CURL) || methods_cover(&wide->method, &narrow->method)) &&
	       globs_cover(&wide->scheme, &narrow->scheme) &&
	       globs_cover(&wide->host, &narrow->host) && globs_cover(&wide->url, &narrow->url) &&
	       globs_cover(&wide->program, &narrow->program) && ports_cover(wide, narrow) &&
	       addresses_cover(wide, narrow);
}

static bool words_cover(const uint64_t *wide, const uint64_t *narrow, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (narrow[i] & ~wide[i])
			return false;
	}
	return true;
}

static bool errors_cover(const struct rs_rule *wide, const struct rs_rule *narrow, unsigned calls)
{
	const struct rs_error_set errors = rs_errors_of(narrow, calls);

	return words_cover(wide->error.curl, errors.curl, 2) &&
	       words_cover(wide->error.sys, errors.sys, 3) &&
	       words_cover(&wide->error.eai, &errors.eai, 1);
}

/* A body with the narrow rule's text in it has every part of that text in it. */
static bool any_text_within(const struct rs_texts *wide, struct rs_span narrow)
{
	for (size_t i = 0; i < wide->count; i++) {
		if (memmem(narrow.at, narrow.len, wide->at[i].at, wide->at[i].len))
			return true;
	}
	return false;
}

static bool texts_cover(const struct rs_texts *wide, const struct rs_texts *narrow)
{
	if (wide->count == 0)
		return true;
	for (size_t i = 0; i < narrow->count; i++) {
		if (!any_text_within(wide, narrow->at[i]))
			return false;
	}
	return narrow->count > 0;
}

static bool header_covers(const struct rs_rule *wide, const struct rs_rule *narrow)
{
	if (!wide->header)
		return true;
	return narrow->header && strcasecmp(wide->header->name.at, narrow->header->name.at) == 0 &&
	       glob_covers(&wide->header->value, &narrow->header->value);
}

/* Only transfers have a response. */
static bool response_covers(const struct rs_rule *wide, const struct rs_rule *narrow,
			    unsigned calls)
{
	size_t words = sizeof(wide->status->bits) / sizeof(wide->status->bits[0]);

	if (!(calls & 1U << RS_CALL_CURL) || !rs_rule_has_response_matcher(narrow))
		return true;
	if (!rs_rule_has_response_matcher(wide) || wide->body_regex)
		return false;
	if (wide->status &&
	    (!narrow->status || !words_cover(wide->status->bits, narrow->status->bits, words)))
		return false;
	return texts_cover(&wide->body, &narrow->body) && header_covers(wide, narrow);
}

static bool covers(const struct rs_rule *wide, const struct rs_rule *narrow)
{
	/* What it names of other calls it never sees. */
	const unsigned calls = rs_calls_of(narrow, NULL);

	return errors_cover(wide, narrow, calls) && response_covers(wide, narrow, calls) &&
	       scope_covers(wide, narrow, calls);
}

static void warn(struct rs_faults *faults, const struct rs_rule *rule, const struct rs_rule *first)
{
	struct rs_place place = { rule->file, rule->line };

	if (first->file == rule->file)
		rs_warning(faults, place,
			   "rule '%s' can never be reached: rule '%s' in line %d matches all that "
			   "it would",
			   rule->name, first->name, first->line);
	else
		rs_warning(faults, place,
			   "rule '%s' can never be reached: rule '%s' in %s:%d matches all that "
			   "it would",
			   rule->name, first->name, first->file, first->line);
}

static const struct rs_rule *first_cover(const struct rs_rules *rules, size_t index)
{
	size_t most = index < COMPARED_MOST ? index : COMPARED_MOST;

	for (size_t i = 0; i < most; i++) {
		if (covers(&rules->rules[i], &rules->rules[index]))
			return &rules->rules[i];
	}
	return NULL;
}

void rs_warn_unreachable(const struct rs_rules *rules, struct rs_faults *faults)
{
	for (size_t i = 0; i < rules->rule_count; i++) {
		const struct rs_rule *rule = &rules->rules[i];
		const struct rs_rule *first =
			rs_warn_never(faults, rule) ? first_cover(rules, i) : NULL;

		if (first)
			warn(faults, rule, first);
	}
}
