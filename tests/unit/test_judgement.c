/*
 * Rules as they are loaded, against a judge that knows no short cut: each rule in turn, each of its
 * matchers by itself. Whatever the loader prepares, and the judgement keeps, must change no answer.
 */
#include "rules_helper.h"

#include <curl/curl.h>
#include <errno.h>
#include <fnmatch.h>
#include <strings.h>

#include "chance.h"
#include "gnu.h"
#include "retry/error_set.h"
#include "retry/match.h"
#include "text.h"

#define PICK(array) ((array)[below(COUNT(array))])

/* ---- the naive judge ---- */

enum answer { NO, UNKNOWN, YES };

static enum answer both(enum answer a, enum answer b)
{
	return a < b ? a : b;
}

static bool value_matches(const char *pattern, const char *at, size_t len)
{
	char value[200];

	while (len > 0 && strchr(" \t\r", at[0])) {
		at++;
		len--;
	}
	while (len > 0 && strchr(" \t\r", at[len - 1]))
		len--;
	snprintf(value, sizeof(value), "%.*s", (int)len, at);
	return fnmatch(pattern, value, 0) == 0;
}

static bool has_header(const char *name, const char *pattern, struct rs_span headers)
{
	const char *at = headers.at, *end = at + headers.len;

	while (at < end) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		const char *line_end = newline ? newline : end;
		const char *value = at + strlen(name) + 1;

		if (value <= line_end && strncasecmp(at, name, strlen(name)) == 0 &&
		    value[-1] == ':' && value_matches(pattern, value, (size_t)(line_end - value)))
			return true;
		at = newline ? newline + 1 : end;
	}
	return false;
}

static bool has_text(struct rs_span text, struct rs_span body)
{
	for (size_t i = 0; i + text.len <= body.len; i++) {
		if (memcmp(body.at + i, text.at, text.len) == 0)
			return true;
	}
	return false;
}

static enum answer header_answer(const struct rs_rule *rule, const struct rs_outcome *outcome,
				 enum rs_known known)
{
	if (!rule->header)
		return YES;
	if (known == RS_KNOWN_STATUS)
		return UNKNOWN;
	return has_header(rule->header->name.at, rule->header->value.pattern, outcome->headers)
		       ? YES
		       : NO;
}

static bool is_whole(const struct rs_outcome *outcome, enum rs_known known)
{
	return known == RS_KNOWN_ALL || (known == RS_KNOWN_HEADERS && outcome->body_complete);
}

static enum answer texts_answer(const struct rs_rule *rule, const struct rs_outcome *outcome,
				enum rs_known known)
{
	for (size_t i = 0; i < rule->body.count; i++) {
		if (has_text(rule->body.at[i], outcome->body))
			return YES;
	}
	return rule->body.count == 0 ? YES : is_whole(outcome, known) ? NO : UNKNOWN;
}

static enum answer regex_answer(const struct rs_rule *rule, const struct rs_outcome *outcome,
				enum rs_known known)
{
	if (!rule->body_regex)
		return YES;
	if (!is_whole(outcome, known))
		return UNKNOWN;
	return rs_pattern_finds(rule->body_regex, outcome->body.at, outcome->body.len) ? YES : NO;
}

static bool any_fits(const struct rs_globs *globs, struct rs_span span, int flags)
{
	char text[100];

	snprintf(text, sizeof(text), "%.*s", (int)span.len, span.at);
	for (size_t i = 0; i < globs->count; i++) {
		if (fnmatch(globs->at[i].pattern, text, flags) == 0)
			return true;
	}
	return globs->count == 0;
}

static bool has_error(const struct rs_rule *rule, const struct rs_outcome *outcome)
{
	return rs_error_set_has(&rule->error, RS_DOMAIN_CURL, outcome->error) ||
	       rs_error_set_has(&rule->error, RS_DOMAIN_ERRNO, outcome->sys_errno);
}

static enum answer rule_answer(const struct rs_rule *rule, const struct rs_target *target,
			       const struct rs_outcome *outcome, enum rs_known known)
{
	const bool by_response =
		rule->status || rule->body.count > 0 || rule->body_regex || rule->header;

	if (!any_fits(&rule->host, target->host, FNM_CASEFOLD) ||
	    !any_fits(&rule->url, target->url, 0) ||
	    !any_fits(&rule->program, span(target->program), 0))
		return NO;
	if (has_error(rule, outcome))
		return YES;
	if (!by_response || outcome->status == 0)
		return NO;
	if (rule->status && !rs_status_in(rule->status, outcome->status))
		return NO;
	return both(header_answer(rule, outcome, known),
		    both(texts_answer(rule, outcome, known), regex_answer(rule, outcome, known)));
}

static enum rs_match first_that_matches(const struct rs_rules *rules,
					const struct rs_target *target,
					const struct rs_outcome *outcome, enum rs_known known,
					const struct rs_rule **rule)
{
	for (size_t i = 0; i < rules->rule_count; i++) {
		enum answer answer = rule_answer(&rules->rules[i], target, outcome, known);

		if (answer == UNKNOWN)
			return RS_MATCH_NEED_MORE;
		if (answer == YES) {
			*rule = &rules->rules[i];
			return RS_MATCH_RULE;
		}
	}
	return RS_MATCH_NONE;
}

/* ---- rules ---- */

/* Short, middling and long ones; one holds another. */
static const char *const texts[][8] = {
	{ "<Code>SlowDown</Code>", "<Code>ServiceBusy</Code>", "\"code\":\"Throttling\"",
	  "try again in a minute", "<Code>InternalErr", "the lease has been lost", "Busy", "o" },
	{ "SlowDown", "Throttling", "Busy", "InternalError", "RequestTimeout", "<Code>Slow",
	  "lease lost", "503" },
	{ "Slow", "Busy", "Down", "lost", "E503", "ode>", "Code>", "minute" },
};
/* The second and the third have one hash. */
static const char *const names[] = { "X-Error", "declinate", "macallums", "Retry-Hint", "x-error" };
static const char *const patterns[] = { "*",    "busy",      "busy*",       "*y",
					"b?s*", "*[a-m]*sy", "[[:alpha:]]*" };
static const char *const values[] = { "busy", "busybody", "", "lazy", "daisy", "9", "b" };
static const char *const hosts[] = { "*.example.com", "a.example.com", "b*", "[ab].example.*",
				     "[[:alpha:]].example.com" };
static const char *const urls[] = { "https://*", "*/Things/*", "https://*/v[0-9]*, *login*",
				    "*.org/", "https://a.example.com/" };
static const char *const programs[] = { "cu*", "wget, curl", "php*", "*", "*l" };
/* CURLE_SEND_ERROR and the status 503 have one bit in briefs. */
static const char *const errors[] = { "partial", "CURLE_SEND_ERROR", "ECONNRESET", "reset" };

static void add_texts(struct text *to, size_t kind)
{
	text_add(to, "body = %s", PICK(texts[kind]));

	for (size_t more = below(3); more > 0; more--)
		text_add(to, ", %s", PICK(texts[kind]));
	text_add(to, "\n");
}

static void add_rule(struct text *to, size_t number, size_t kind)
{
	const unsigned what = (unsigned)below(64);

	text_add(to, "[rule r%zu]\nmethod = any\n", number);

	if (what & 1)
		text_add(to, "header = %s: %s\n", PICK(names), PICK(patterns));
	if (what & 2 || !(what & 1))
		add_texts(to, kind);
	if (what & 4)
		text_add(to, "status = %s\n", below(2) ? "5xx" : "429, 500-502");
	if ((what & 24) == 8)
		text_add(to, "host = %s\n", PICK(hosts));
	if ((what & 48) == 48)
		text_add(to, "body_regex = ^<E.*(Busy|Slow)\n");
	if (what % 7 == 6)
		text_add(to, "error = %s\n", PICK(errors));
	if (below(4) == 0)
		text_add(to, "url = %s\n", PICK(urls));
	if (below(4) == 0)
		text_add(to, "program = %s\n", PICK(programs));
}

static struct rs_rules *some_rules(size_t kind)
{
	static char room[40000];
	struct text text = TEXT_IN(room);

	for (size_t count = 1 + below(40), i = 0; i < count; i++)
		add_rule(&text, i, kind);
	return load_good(room);
}

/* ---- responses ---- */

static void some_body(struct text *to, size_t kind)
{
	static const char *const filler[] = {
		"<Error>", "<Code>", "</Code>", "\n", "Slo", "xyz", ""
	};

	for (size_t parts = below(12); parts > 0; parts--) {
		const char *part = below(6) ? PICK(filler) : PICK(texts[kind]);

		text_add(to, "%s", part);
		if (below(30) == 0)
			to->at[to->len++] = '\0';
	}
}

static void some_headers(struct text *to)
{
	for (size_t lines = below(below(12) ? 6 : 50); lines > 0; lines--) {
		const char *name = below(4) ? PICK(names) : "Content-Type";

		text_add(to, "%s:%s%s\r\n", name, below(2) ? " " : "", PICK(values));
	}
}

static void judge_some(const struct rs_rules *rules, size_t kind)
{
	static const int statuses[] = { 0, 200, 429, 500, 503 };
	static const int failures[] = { CURLE_PARTIAL_FILE, CURLE_SEND_ERROR, CURLE_RECV_ERROR };
	static const char *const called[] = { "https://a.example.com/",
					      "https://A.Example.com/login",
					      "https://b.example.org/v1/Things/7" };
	char header_room[2000], body_room[512];
	struct text headers = TEXT_IN(header_room), body = TEXT_IN(body_room);
	const struct rs_target target = {
		.call = RS_CALL_CURL,
		.method = span("GET"),
		.scheme = span("https"),
		.host = span(below(2) ? "a.example.com" : "B.Example.org"),
		.url = span(PICK(called)),
		.program = below(2) ? "curl" : "php8.2",
	};
	struct rs_outcome outcome = {
		.status = PICK(statuses),
		.error = below(5) ? 0 : PICK(failures),
		.sys_errno = below(9) ? 0 : ECONNRESET,
		.body_complete = below(2),
	};
	const enum rs_known known = (enum rs_known)below(3);
	const struct rs_rule *rule = NULL, *expected = NULL;
	enum rs_match match;

	some_headers(&headers);
	some_body(&body, kind);
	outcome.headers = text_span(&headers);
	outcome.body = text_span(&body);
	match = rs_match(rules, &target, &outcome, known, &rule);
	if (match != first_that_matches(rules, &target, &outcome, known, &expected) ||
	    rule != expected)
		fail_msg("%d, known %d, rule %s and not %s, status %d\n%.*s\n%.*s", match, known,
			 rule ? rule->name : "-", expected ? expected->name : "-", outcome.status,
			 (int)headers.len, headers.at, (int)body.len, body.at);
}

static void the_first_that_matches_decides(void **state)
{
	(void)state;
	for (size_t i = 0; i < 300; i++) {
		const size_t kind = i % COUNT(texts);
		struct rs_rules *rules = some_rules(kind);

		for (size_t j = 0; j < 60; j++)
			judge_some(rules, kind);
		rs_rules_free(rules);
	}
}

/* More texts than the index has numbers for: those beyond are searched for by themselves. */
static void texts_beyond_the_index(void **state)
{
	enum { TEXTS = RS_TEXTS_MOST + 5 };
	static char room[TEXTS * 14 + 100];
	struct text text = TEXT_IN(room);
	const struct rs_target target = { .call = RS_CALL_CURL, .program = "curl" };
	struct rs_rules *rules;

	(void)state;
	text_add(&text, "[rule a]\nmethod = any\nbody =\n");
	for (int i = 0; i < TEXTS; i++)
		text_add(&text, " Error%05d,\n", i);
	rules = load_good(room);
	for (int i = TEXTS - 10; i < TEXTS + 10; i++) {
		char body_room[32];
		struct text body = TEXT_IN(body_room);
		const struct rs_rule *rule = NULL;
		struct rs_outcome outcome = { .status = 503, .body_complete = true };

		text_add(&body, "<Error%05d>", i);
		outcome.body = text_span(&body);
		assert_int_equal(rs_match(rules, &target, &outcome, RS_KNOWN_ALL, &rule),
				 i < TEXTS ? RS_MATCH_RULE : RS_MATCH_NONE);
	}
	rs_rules_free(rules);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_that_matches_decides),
		cmocka_unit_test(texts_beyond_the_index),
	};

	return cmocka_run_group_tests_name("judgement", tests, NULL, NULL);
}
