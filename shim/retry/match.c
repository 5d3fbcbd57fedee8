#include "retry/match.h"

#include <string.h>

#include "gnu.h"
#include "retry/ascii.h"
#include "retry/brief.h"
#include "retry/error_set.h"

/* Where many rules are judged their briefs pass over most of them. Of the others most fall at the
 * first bit test: the outcome comes before the scope, and what has to search text comes last. */

enum verdict {
	NO,
	UNKNOWN, /* until more of the response is known */
	YES,
};

/* What is kept in one judgement for all its rules. */
struct seen {
	struct rs_held host, url, program;
	struct rs_match_room *response; /* or NULL */
};

static bool error_matches(const struct rs_rule *rule, const struct rs_target *target,
			  const struct rs_outcome *outcome)
{
	/* No set holds 0, so what has not failed does not match. */
	return rule->has_error && rs_error_set_matches(&rule->error, target->call, outcome);
}

/* Nothing but the status is looked at: what is left may still say no. */
static bool response_may_match(const struct rs_rule *rule, const struct rs_outcome *outcome)
{
	return outcome->status != 0 && rs_rule_has_response_matcher(rule) &&
	       (!rule->status || rs_status_in(rule->status, outcome->status));
}

static enum verdict header_verdict(const struct rs_rule *rule, const struct rs_outcome *outcome,
				   enum rs_known known, struct rs_held_headers *held)
{
	if (!rule->header)
		return YES;
	if (known < RS_KNOWN_HEADERS)
		return UNKNOWN;
	return rs_held_header(rule->header, outcome->headers, held) ? YES : NO;
}

static bool has_text(const struct rs_rule *rule, size_t i, struct rs_span body,
		     struct rs_match_room *held)
{
	if (!held || rule->text_numbers[i] == RS_TEXT_NO_INDEX)
		return rs_text_occurs(rule->body.at[i], body);
	return rs_text_found(held->index, rule->text_numbers[i], body, &held->texts);
}

static bool has_any_text(const struct rs_rule *rule, struct rs_span body,
			 struct rs_match_room *held)
{
	for (size_t i = 0; i < rule->body.count; i++) {
		if (has_text(rule, i, body, held))
			return true;
	}
	return false;
}

static bool whole_body_known(const struct rs_outcome *outcome, enum rs_known known)
{
	return known == RS_KNOWN_ALL || (known == RS_KNOWN_HEADERS && outcome->body_complete);
}

/* A text that has been found stays found. */
static enum verdict texts_verdict(const struct rs_rule *rule, const struct rs_outcome *outcome,
				  enum rs_known known, struct rs_match_room *held)
{
	if (rule->body.count == 0 || has_any_text(rule, outcome->body, held))
		return YES;
	return whole_body_known(outcome, known) ? NO : UNKNOWN;
}

/* A regular expression may be anchored to the end, so only the whole body tells. */
static enum verdict regex_verdict(const struct rs_rule *rule, const struct rs_outcome *outcome,
				  enum rs_known known)
{
	if (!rule->body_regex)
		return YES;
	if (!whole_body_known(outcome, known))
		return UNKNOWN;
	return rs_pattern_finds(rule->body_regex, outcome->body.at, outcome->body.len) ? YES : NO;
}

/* The response matchers after the status, together: NO beats UNKNOWN beats YES. *key names the
 * first that says no. */
static enum verdict response_verdict(const struct rs_rule *rule, const struct rs_outcome *outcome,
				     enum rs_known known, struct rs_match_room *held,
				     const char **key)
{
	enum verdict header = header_verdict(rule, outcome, known, held ? &held->headers : NULL);
	enum verdict texts, regex;

	*key = "header";
	if (header == NO)
		return NO;
	*key = "body";
	texts = texts_verdict(rule, outcome, known, held);
	if (texts == NO)
		return NO;
	*key = "body_regex";
	regex = regex_verdict(rule, outcome, known);
	if (regex == NO)
		return NO;
	return header == YES && texts == YES && regex == YES ? YES : UNKNOWN;
}

/* `a` is not empty. */
static bool same_span(struct rs_span a, struct rs_span b)
{
	return a.len == b.len && memcmp(a.at, b.at, a.len) == 0;
}

/* Only curl calls have a method, and what never left the machine may be sent by any. */
static bool method_fits(const struct rs_rule *rule, const struct rs_target *target, bool never_sent)
{
	const struct rs_texts *names = &rule->method.names;

	if (target->call != RS_CALL_CURL || rule->method.any || never_sent || names->count == 0)
		return true;
	for (size_t i = 0; i < names->count; i++) {
		if (same_span(names->at[i], target->method))
			return true;
	}
	return false;
}

/* What a call does not have, no list fits. */
static bool globs_fit(const struct rs_globs *globs, struct rs_span text, struct rs_held *held)
{
	if (globs->count == 0)
		return true;
	for (size_t i = 0; text.at && i < globs->count; i++) {
		if (rs_held_glob(&globs->at[i], text, held))
			return true;
	}
	return false;
}

/* Rules write schemes in lower case, programs as they please. */
static bool scheme_fits(const struct rs_rule *rule, struct rs_span scheme)
{
	for (size_t i = 0; i < rule->scheme.count; i++) {
		const struct rs_span *name = &rule->scheme.at[i].text;

		if (scheme.at && scheme.len == name->len &&
		    rs_ascii_same(scheme.at, name->at, name->len))
			return true;
	}
	return rule->scheme.count == 0;
}

static bool port_fits(const struct rs_rule *rule, uint16_t port)
{
	for (size_t i = 0; i < rule->port_count; i++) {
		if (rule->ports[i] == port)
			return true;
	}
	return rule->port_count == 0;
}

static bool in_network(const uint8_t *ip, const uint8_t *network, unsigned prefix_bits)
{
	const unsigned whole = prefix_bits / 8, rest = prefix_bits % 8;

	if (memcmp(ip, network, whole) != 0)
		return false;
	return rest == 0 || (ip[whole] ^ network[whole]) >> (8 - rest) == 0;
}

static bool address_matches(const struct rs_address_matcher *matcher,
			    const struct rs_address *address)
{
	if (address->family != matcher->family)
		return false;
	if (address->family == RS_ADDRESS_UNIX)
		return rs_glob_matches(&matcher->path, address->path);
	return in_network(address->ip, matcher->ip, matcher->prefix_bits);
}

static bool address_fits(const struct rs_rule *rule, const struct rs_address *address)
{
	if (rule->address_count == 0)
		return true;
	if (address->family == RS_ADDRESS_NONE)
		return false;
	for (size_t i = 0; i < rule->address_count; i++) {
		if (address_matches(&rule->addresses[i], address))
			return true;
	}
	return false;
}

static bool program_fits(const struct rs_rule *rule, const char *program, struct rs_held *held)
{
	if (rule->program.count == 0)
		return true;
	return globs_fit(&rule->program, (struct rs_span){ program, strlen(program) }, held);
}

/* The first scope matcher that says no, in the order of the manual, or NULL. */
static const char *scope_refuses(const struct rs_rule *rule, const struct rs_target *target,
				 bool never_sent, struct seen *seen)
{
	if ((rule->calls >> target->call & 1) == 0)
		return "call";
	if (!method_fits(rule, target, never_sent))
		return "method";
	if (!scheme_fits(rule, target->scheme))
		return "scheme";
	if (!globs_fit(&rule->host, target->host, &seen->host))
		return "host";
	if (!port_fits(rule, target->port))
		return "port";
	if (!globs_fit(&rule->url, target->url, &seen->url))
		return "url";
	if (!address_fits(rule, &target->address))
		return "address";
	return program_fits(rule, target->program, &seen->program) ? NULL : "program";
}

/* Is it known at little cost that the response is none of the rule's? Of a thousand rules with
 * headers nearly all are told so. */
static bool response_refuses(const struct rs_rule *rule, const struct rs_outcome *outcome,
			     struct rs_match_room *held)
{
	return held && rule->header &&
	       !rs_held_may_have_header(rule->header, outcome->headers, &held->headers);
}

static enum verdict judge(const struct rs_rule *rule, const struct rs_target *target,
			  const struct rs_outcome *outcome, enum rs_known known, struct seen *seen)
{
	bool by_error = error_matches(rule, target, outcome);
	const char *key;

	if (!by_error &&
	    (!response_may_match(rule, outcome) || response_refuses(rule, outcome, seen->response)))
		return NO;
	if (scope_refuses(rule, target, outcome->never_sent, seen))
		return NO;
	return by_error ? YES : response_verdict(rule, outcome, known, seen->response, &key);
}

/* None of the rule's texts is in the body, and the outcome is none of its errors. */
static bool texts_are_missing(const struct rs_brief *brief, const struct rs_brief *offer,
			      const struct rs_found_texts *found)
{
	return rs_texts_known_missing(&brief->texts, found) && (brief->errors & offer->errors) == 0;
}

/* The number of the first rule, from `from` on, that its brief does not pass over. Of texts that
 * tells where a rule before it has had the body searched. */
static size_t next_worth_judging(const struct rs_rules *rules, const struct rs_brief *offer,
				 const struct rs_match_room *held, size_t from)
{
	const bool searched = held && held->whole_body && held->texts.passed;

	while (rules->briefs && from < rules->rule_count) {
		const struct rs_brief *brief = &rules->briefs[from];

		if (!(searched && texts_are_missing(brief, offer, &held->texts)) &&
		    rs_brief_allows(brief, offer))
			break;
		from++;
	}
	return from;
}

static enum rs_match judge_in_order(const struct rs_rules *rules, const struct rs_target *target,
				    const struct rs_outcome *outcome, enum rs_known known,
				    struct rs_match_room *response, const struct rs_rule **rule)
{
	struct rs_brief offer = { .errors = 0 };
	struct seen seen;

	seen.host.known = seen.url.known = seen.program.known = false;
	seen.response = response;
	if (rules->briefs)
		offer = rs_brief_offer(target, outcome);
	for (size_t i = next_worth_judging(rules, &offer, response, 0); i < rules->rule_count;
	     i = next_worth_judging(rules, &offer, response, i + 1)) {
		enum verdict verdict = judge(&rules->rules[i], target, outcome, known, &seen);

		if (verdict == UNKNOWN)
			return RS_MATCH_NEED_MORE;
		if (verdict == YES) {
			*rule = &rules->rules[i];
			return RS_MATCH_RULE;
		}
	}
	return RS_MATCH_NONE;
}

/* For a few rules it saves little to keep what is found out about a response. */
static bool takes_room(const struct rs_rules *rules, const struct rs_outcome *outcome,
		       enum rs_known known)
{
	return outcome->status != 0 && known != RS_KNOWN_STATUS &&
	       (rules->briefs || (rules->texts && rules->texts->count >= RS_BRIEF_LEAST));
}

enum rs_match rs_match_in(struct rs_match_room *room, const struct rs_rules *rules,
			  const struct rs_target *target, const struct rs_outcome *outcome,
			  enum rs_known known, const struct rs_rule **rule)
{
	/* The unions: what no rule mentions needs no look at any of them. */
	if (!rs_status_in(&rules->status, outcome->status) &&
	    !rs_error_set_matches(&rules->error, target->call, outcome))
		return RS_MATCH_NONE;
	if (!takes_room(rules, outcome, known))
		return judge_in_order(rules, target, outcome, known, NULL, rule);
	room->headers.known = room->texts.begun = room->texts.passed = false;
	room->whole_body = whole_body_known(outcome, known);
	room->index = rules->texts;
	return judge_in_order(rules, target, outcome, known, room, rule);
}

/* By itself, so that what is judged without needs none of its room: a thread's stack may be small,
 * and so may be a signal handler's. */
__attribute__((noinline)) static enum rs_match
match_with_room(const struct rs_rules *rules, const struct rs_target *target,
		const struct rs_outcome *outcome, enum rs_known known, const struct rs_rule **rule)
{
	struct rs_match_room room;

	return rs_match_in(&room, rules, target, outcome, known, rule);
}

enum rs_match rs_match(const struct rs_rules *rules, const struct rs_target *target,
		       const struct rs_outcome *outcome, enum rs_known known,
		       const struct rs_rule **rule)
{
	if (takes_room(rules, outcome, known))
		return match_with_room(rules, target, outcome, known, rule);
	return rs_match_in(NULL, rules, target, outcome, known, rule);
}

/* The outcome matcher to name where there is a failure, or a response, that is not of the rule. */
static const char *outcome_refuses(const struct rs_rule *rule, const struct rs_target *target,
				   const struct rs_outcome *outcome)
{
	const char *key;

	if (error_matches(rule, target, outcome))
		return NULL;
	if (!rs_rule_has_response_matcher(rule) || (outcome->status == 0 && rule->has_error))
		return "error";
	if (outcome->status == 0 && !rule->status)
		return rule->header ? "header" : rule->body.count > 0 ? "body" : "body_regex";
	if (!response_may_match(rule, outcome))
		return "status";
	return response_verdict(rule, outcome, RS_KNOWN_ALL, NULL, &key) == NO ? key : NULL;
}

const char *rs_rule_refuses(const struct rs_rule *rule, const struct rs_target *target,
			    const struct rs_outcome *outcome)
{
	struct seen seen = { .host = { .known = false } };
	const char *scope = scope_refuses(rule, target, outcome->never_sent, &seen);

	return scope ? scope : outcome_refuses(rule, target, outcome);
}

bool rs_scope_fits(const struct rs_rule *rule, const struct rs_target *target)
{
	struct seen seen = { .host = { .known = false } };

	return scope_refuses(rule, target, false, &seen) == NULL;
}

const struct rs_rule *rs_first_covering(const struct rs_rules *rules,
					const struct rs_target *target)
{
	struct seen seen = { .host = { .known = false } };

	for (size_t i = 0; i < rules->rule_count; i++) {
		const struct rs_rule *rule = &rules->rules[i];

		/* Only a failure can have left the request unsent, whatever its method. */
		if (!scope_refuses(rule, target, rule->has_error, &seen))
			return rule;
	}
	return NULL;
}
