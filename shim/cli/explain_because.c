#include <arpa/inet.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cli/explain.h"
#include "retry/decide.h"
#include "retry/error_set.h"
#include "retry/match.h"
#include "rules/names.h"

/* How many members of a list are named. */
#define MEMBERS_SHOWN 6

__attribute__((format(printf, 2, 3))) static void add(struct rs_because *to, const char *format,
						      ...)
{
	size_t used = strlen(to->text);
	va_list args;

	va_start(args, format);
	vsnprintf(to->text + used, sizeof(to->text) - used, format, args);
	va_end(args);
}

static void add_span(struct rs_because *to, struct rs_span span)
{
	add(to, "%.*s", (int)(span.len < 120 ? span.len : 120), span.len ? span.at : "");
}

/* ---- lists ---- */

/* Members one by one, with commas between them, and how many were left out. */
struct listing {
	struct rs_because *to;
	size_t count;
};

static bool next_shown(struct listing *list)
{
	if (list->count++ >= MEMBERS_SHOWN)
		return false;
	add(list->to, list->count > 1 ? ", " : "");
	return true;
}

static void end_listing(const struct listing *list)
{
	if (list->count > MEMBERS_SHOWN)
		add(list->to, " and %zu more", list->count - MEMBERS_SHOWN);
}

static void add_globs(struct rs_because *to, const struct rs_globs *globs)
{
	struct listing list = { to, 0 };

	for (size_t i = 0; i < globs->count; i++) {
		if (next_shown(&list))
			add(to, "%s", globs->at[i].pattern);
	}
	end_listing(&list);
}

static void add_texts(struct rs_because *to, const struct rs_texts *texts)
{
	struct listing list = { to, 0 };

	for (size_t i = 0; i < texts->count; i++) {
		if (next_shown(&list))
			add_span(to, texts->at[i]);
	}
	end_listing(&list);
}

/* Ranges of neighbours: "429, 500-504". */
static void add_statuses(struct rs_because *to, const struct rs_status_set *set)
{
	struct listing list = { to, 0 };

	for (int first = 1; first < RS_STATUS_LIMIT; first++) {
		int last = first;

		if (!rs_status_in(set, first))
			continue;
		while (rs_status_in(set, last + 1))
			last++;
		if (next_shown(&list))
			add(to, last > first ? "%d-%d" : "%d", first, last);
		first = last;
	}
	end_listing(&list);
}

static void add_errors_of(struct listing *list, const struct rs_error_set *set,
			  enum rs_error_domain domain, int from, int to)
{
	for (int code = from; code <= to; code++) {
		const char *name = rs_error_name(domain, code);

		if (name && rs_error_set_has(set, domain, code) && next_shown(list))
			add(list->to, "%s", name);
	}
}

/* Those that such a call can end with. */
static void add_errors(struct rs_because *to, const struct rs_error_set *set, enum rs_call call)
{
	struct listing list = { to, 0 };

	add_errors_of(&list, set, RS_DOMAIN_ERRNO, 1, 191);
	if (call == RS_CALL_CURL)
		add_errors_of(&list, set, RS_DOMAIN_CURL, 1, 127);
	if (call == RS_CALL_RESOLVE)
		add_errors_of(&list, set, RS_DOMAIN_EAI, -131, -1);
	end_listing(&list);
	if (list.count == 0)
		add(to, "errors of a %s call: it has none", rs_call_name(call));
}

static void add_ports(struct rs_because *to, const struct rs_rule *rule)
{
	struct listing list = { to, 0 };

	for (size_t i = 0; i < rule->port_count; i++) {
		if (next_shown(&list))
			add(to, "%d", rule->ports[i]);
	}
	end_listing(&list);
}

static void add_calls(struct rs_because *to, unsigned calls)
{
	struct listing list = { to, 0 };

	for (int call = 0; call < RS_CALL_COUNT; call++) {
		if ((calls >> call & 1) && next_shown(&list))
			add(to, "%s", rs_call_name((enum rs_call)call));
	}
}

static void add_ip(struct rs_because *to, enum rs_address_family family, const uint8_t ip[16])
{
	char text[INET6_ADDRSTRLEN] = "";

	inet_ntop(family == RS_ADDRESS_IPV6 ? AF_INET6 : AF_INET, ip, text, sizeof(text));
	add(to, "%s", text);
}

static void add_address(struct rs_because *to, const struct rs_address *address)
{
	if (address->family == RS_ADDRESS_UNIX)
		add_span(to, address->path);
	else
		add_ip(to, address->family, address->ip);
}

static void add_addresses(struct rs_because *to, const struct rs_rule *rule)
{
	struct listing list = { to, 0 };

	for (size_t i = 0; i < rule->address_count; i++) {
		const struct rs_address_matcher *matcher = &rule->addresses[i];

		if (!next_shown(&list))
			continue;
		if (matcher->family == RS_ADDRESS_UNIX) {
			add(to, "%s", matcher->path.pattern);
			continue;
		}
		add_ip(to, matcher->family, matcher->ip);
		add(to, "/%u", matcher->prefix_bits);
	}
	end_listing(&list);
}

/* ---- how it ended ---- */

static void add_error_names(struct rs_because *to, const struct rs_explain_case *asked)
{
	const struct rs_outcome *outcome = &asked->outcome;
	enum rs_error_domain domain =
		asked->target.call == RS_CALL_RESOLVE ? RS_DOMAIN_EAI : RS_DOMAIN_CURL;
	const char *name = outcome->error ? rs_error_name(domain, outcome->error) : NULL;
	const char *behind =
		outcome->sys_errno ? rs_error_name(RS_DOMAIN_ERRNO, outcome->sys_errno) : NULL;

	if (name && behind)
		add(to, "%s (%s)", name, behind);
	else if (name || behind)
		add(to, "%s", name ? name : behind);
}

struct rs_because rs_explain_ending(const struct rs_explain_case *asked)
{
	struct rs_because ending = { "" };

	if (asked->outcome.status)
		add(&ending, "status %d", asked->outcome.status);
	else
		add_error_names(&ending, asked);
	return ending;
}

/* ---- reasons ---- */

/* "VALUE is not among LIST" where there is a value, else which option would give one. */
static bool said(struct rs_because *to, bool known, const char *option)
{
	if (!known)
		add(to, "none was given (%s); the rule wants ", option);
	return known;
}

static void scope_reason(struct rs_because *to, const char *key, const struct rs_rule *rule,
			 const struct rs_target *target)
{
	const char *among = " is not among ";

	if (strcmp(key, "call") == 0) {
		add(to, "the rule is for ");
		add_calls(to, rule->calls);
	} else if (strcmp(key, "method") == 0) {
		add(to, "the rule is for ");
		add_texts(to, &rule->method.names);
	} else if (strcmp(key, "port") == 0) {
		if (said(to, target->port != 0, "--url or --address with a port"))
			add(to, "%d%s", target->port, among);
		add_ports(to, rule);
	} else if (strcmp(key, "address") == 0) {
		if (target->call != RS_CALL_CONNECT)
			add(to, "only a connect has one; the rule wants ");
		else if (said(to, target->address.family != RS_ADDRESS_NONE, "--address")) {
			add_address(to, &target->address);
			add(to, "%s", among);
		}
		add_addresses(to, rule);
	}
}

struct glob_key {
	const char *key, *option;
	const struct rs_globs *globs;
	struct rs_span value;
};

static bool glob_reason(struct rs_because *to, const char *key, const struct rs_rule *rule,
			const struct rs_target *target)
{
	const struct glob_key keys[] = {
		{ "scheme", "--url", &rule->scheme, target->scheme },
		{ "host", "--url", &rule->host, target->host },
		{ "url", "--url", &rule->url, target->url },
		{ "program",
		  "--program",
		  &rule->program,
		  { target->program, strlen(target->program) } },
	};

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		if (strcmp(key, keys[i].key) != 0)
			continue;
		if (said(to, keys[i].value.len > 0, keys[i].option)) {
			add_span(to, keys[i].value);
			add(to, " does not match ");
		}
		add_globs(to, keys[i].globs);
		return true;
	}
	return false;
}

static void error_reason(struct rs_because *to, const struct rs_rule *rule,
			 const struct rs_explain_case *asked)
{
	if (asked->outcome.status && !rule->has_error) {
		add(to, "the attempt brought status %d", asked->outcome.status);
	} else if (asked->outcome.status) {
		add(to, "the attempt did not fail: it brought status %d", asked->outcome.status);
	} else if (!rule->has_error) {
		add(to, "the rule looks at responses, and there was none but ");
		add_error_names(to, asked);
	} else {
		add_error_names(to, asked);
		add(to, " is not among ");
		add_errors(to, &rule->error, asked->target.call);
	}
}

static void response_reason(struct rs_because *to, const char *key, const struct rs_rule *rule,
			    const struct rs_explain_case *asked)
{
	if (!asked->outcome.status) {
		add(to, "there was no response");
	} else if (strcmp(key, "status") == 0) {
		add(to, "%d is not among ", asked->outcome.status);
		add_statuses(to, rule->status);
	} else if (strcmp(key, "body") == 0) {
		add(to, "the first %zu bytes hold none of ", asked->outcome.body.len);
		add_texts(to, &rule->body);
	} else if (strcmp(key, "body_regex") == 0) {
		add(to, "the first %zu bytes do not match", asked->outcome.body.len);
	} else {
		add(to, "no %s matches %s", rule->header->name.at, rule->header->value.pattern);
	}
}

struct rs_because rs_explain_because(const struct rs_rule *rule,
				     const struct rs_explain_case *asked)
{
	struct rs_because because = { "" };
	const char *key = rs_rule_refuses(rule, &asked->target, &asked->outcome);
	size_t named;

	if (!key)
		return because;
	add(&because, "%s: ", key);
	named = strlen(because.text);
	if (strcmp(key, "error") == 0)
		error_reason(&because, rule, asked);
	else if (!glob_reason(&because, key, rule, &asked->target))
		scope_reason(&because, key, rule, &asked->target);
	if (strlen(because.text) == named)
		response_reason(&because, key, rule, asked);
	return because;
}
