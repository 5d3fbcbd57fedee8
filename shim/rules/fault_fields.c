#include <curl/curl.h>
#include <errno.h>
#include <netdb.h>
#include <string.h>

#include "retry/curl_error.h"
#include "rules/fields.h"
#include "rules/names.h"
#include "rules/values.h"

/* What fits into a socket's buffer, and is sent from there without anybody's help. */
#define RESPONSE_LIMIT ((size_t)64 * 1024)

#define ONLY_CURL (1u << RS_CALL_CURL)

/* ---- errors ---- */

/* What stands for a group when one of its members has to happen. */
struct representative {
	char group[12];
	int16_t curl, sys, eai;
};

static const struct representative representatives[] = {
	{ "timeout", CURLE_OPERATION_TIMEDOUT, ETIMEDOUT, EAI_AGAIN },
	{ "refused", CURLE_COULDNT_CONNECT, ECONNREFUSED, 0 },
	{ "unreachable", CURLE_COULDNT_CONNECT, ENETUNREACH, 0 },
	{ "reset", CURLE_RECV_ERROR, ECONNRESET, 0 },
	{ "dns", CURLE_COULDNT_RESOLVE_HOST, 0, EAI_AGAIN },
	{ "tls", CURLE_SSL_CONNECT_ERROR, 0, 0 },
	{ "partial", CURLE_PARTIAL_FILE, 0, 0 },
};

static bool is_group(const char *name, struct rs_fault_error *error)
{
	for (size_t i = 0; i < sizeof(representatives) / sizeof(representatives[0]); i++) {
		const struct representative *r = &representatives[i];

		if (strcmp(name, r->group) != 0)
			continue;
		*error = (struct rs_fault_error){ r->curl, r->sys, r->eai };
		return true;
	}
	return false;
}

static struct rs_fault_error error_of(enum rs_error_domain domain, int code)
{
	switch (domain) {
	case RS_DOMAIN_CURL:
		return (struct rs_fault_error){ .curl = code };
	case RS_DOMAIN_ERRNO:
		return (struct rs_fault_error){ rs_curl_error_of_errno(code), code, EAI_SYSTEM };
	case RS_DOMAIN_EAI:
		break;
	}
	return (struct rs_fault_error){ .curl = rs_curl_error_of_look_up(), .eai = code };
}

static bool set_error(const char *text, struct rs_fault *fault, struct rs_why *why)
{
	enum rs_error_domain domain;
	const char *near;
	int code;

	if (is_group(text, &fault->error))
		return true;
	if (strcmp(text, "any") == 0)
		return rs_why_not(why, "'any' is too many: name the error that is to happen");
	if (rs_error_by_name(text, &domain, &code)) {
		fault->error = error_of(domain, code);
		return true;
	}
	near = rs_error_nearest(text);
	if (near)
		return rs_why_not(why, "unknown error name '%s' (did you mean '%s'?)",
				  rs_show(text).text, near);
	return rs_why_not(why, "unknown error name '%s'", rs_show(text).text);
}

/* ---- answers ---- */

static bool set_status(const char *text, int *status, struct rs_why *why)
{
	int32_t code;

	if (!rs_value_count(text, &code, why))
		return false;
	if (code < 200 || code > 599)
		return rs_why_not(why, "'%s' is no status of a final response (200 to 599)",
				  rs_show(text).text);
	*status = code;
	return true;
}

/* The lines of an entry, each with `end` behind it (the last one, too, where `all`). */
static struct rs_span join(struct rs_build *build, const struct rs_entry *entry, const char *end,
			   bool all)
{
	size_t end_len = strlen(end), size = 0, len = 0;
	char *text;

	for (const struct rs_entry *line = entry; line; line = rs_entry_more(line))
		size += strlen(line->text) + end_len;
	text = rs_arena_alloc(build->arena, size + 1, 1);
	for (const struct rs_entry *line = entry; text && line; line = rs_entry_more(line)) {
		size_t line_len = strlen(line->text);

		memcpy(text + len, line->text, line_len);
		memcpy(text + len + line_len, end, end_len);
		len += line_len + end_len;
	}
	return (struct rs_span){ text, text ? len - (all ? 0 : end_len) : 0 };
}

static void set_headers(struct rs_build *build, const struct rs_section *section,
			const struct rs_entry *entry, struct rs_fault *fault)
{
	for (const struct rs_entry *line = entry; line; line = rs_entry_more(line)) {
		if (!strchr(line->text, ':') || line->text[0] == ':')
			rs_entry_error(build, section, entry, line->line,
				       "'Name: value' is meant, one a line");
	}
	fault->headers = join(build, entry, "\r\n", true);
}

/* ---- fields ---- */

static bool set_count(const char *text, int32_t *number, struct rs_why *why)
{
	if (!rs_value_count(text, number, why))
		return false;
	if (*number > 0)
		return true;
	return rs_why_not(why, "must be more than 0");
}

static bool set_number(struct rs_build *build, const struct rs_section *section,
		       const struct rs_entry *entry, struct rs_fault *fault, struct rs_why *why)
{
	int32_t *number = (int32_t *)(void *)((char *)fault + rs_entry_key(entry)->offset);

	switch ((enum rs_value_kind)rs_entry_key(entry)->kind) {
	case RS_VALUE_FAULT_ERROR:
		return set_error(entry->text, fault, why);
	case RS_VALUE_FAULT_STATUS:
		return set_status(entry->text, &fault->status, why);
	case RS_VALUE_DELAY:
		return rs_value_delay(entry->text, &fault->delay_min_ns, &fault->delay_max_ns, why);
	case RS_VALUE_PROBABILITY:
		return rs_value_probability(entry->text, number, why);
	case RS_VALUE_COUNT_ABOVE_0:
		return set_count(entry->text, number, why);
	default:
		rs_field_set(build, section, entry, fault);
		return true;
	}
}

void rs_fault_field_set(struct rs_build *build, const struct rs_section *section,
			const struct rs_entry *entry, struct rs_fault *fault)
{
	struct rs_why why = { "" };

	if (rs_entry_key(entry)->owner == RS_SECTION_RULE) {
		rs_rule_field_set(build, section, entry, &fault->scope);
		return;
	}
	if (!rs_entry_usable(build, section, entry))
		return;
	if (rs_entry_key(entry)->kind == RS_VALUE_FAULT_HEADERS)
		set_headers(build, section, entry, fault);
	else if (rs_entry_key(entry)->kind == RS_VALUE_FAULT_BODY)
		fault->body = join(build, entry, "\n", false);
	else if (!set_number(build, section, entry, fault, &why))
		rs_entry_error(build, section, entry, entry->line, why.text);
}

/* ---- the whole ---- */

static bool answers(const struct rs_fault *fault)
{
	return fault->status != 0 || fault->headers.len > 0 || fault->body.len > 0;
}

static bool fails(const struct rs_fault *fault)
{
	return fault->error.curl != 0;
}

/* The calls that what happens can happen to. */
static unsigned calls_concerned(const struct rs_fault *fault)
{
	unsigned calls = (1u << RS_CALL_COUNT) - 1;

	if (answers(fault) || fault->cut != RS_NO_CUT)
		return ONLY_CURL;
	if (fails(fault) && !fault->error.sys)
		calls &= ~(1u << RS_CALL_CONNECT);
	if (fails(fault) && !fault->error.eai)
		calls &= ~(1u << RS_CALL_RESOLVE);
	return calls;
}

static const char *why_impossible(const struct rs_fault *fault)
{
	if (answers(fault) || fault->cut != RS_NO_CUT)
		return "has a status, header, body or cut, which only happen to call = curl";
	return "has an error that its calls do not end with: connects have errno names, look-ups "
	       "EAI_ and errno names";
}

void rs_fault_finish(struct rs_build *build, const struct rs_section *section,
		     struct rs_fault *fault)
{
	const char *wrong = NULL;

	if (fails(fault) && (answers(fault) || fault->cut != RS_NO_CUT))
		wrong = "fails with its error before there is a response: take out either error, "
			"or status, header, body and cut";
	else if (!fails(fault) && !answers(fault) && fault->cut == RS_NO_CUT &&
		 fault->delay_max_ns == 0)
		wrong = "does nothing: give it error, status, delay or cut";
	else if (fault->headers.len + fault->body.len > RESPONSE_LIMIT)
		wrong = "has a response of more than 64 KiB";
	else if (!(fault->scope.calls & calls_concerned(fault)))
		wrong = why_impossible(fault);
	/* What was meant is not known where a key was wrong. */
	if (wrong && section->has_lines && build->faults->errors == 0)
		rs_error(build->faults, section->place, "fault '%s' %s", section->name, wrong);
	if (answers(fault) && fault->status == 0)
		fault->status = 200;
	fault->scope.calls &= calls_concerned(fault);
}
