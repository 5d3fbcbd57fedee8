#include <string.h>

#include "rules/fields.h"
#include "rules/names.h"
#include "rules/values.h"

/* What a list is gathered into: room for as many items as there can be. */
struct gathered {
	struct rs_build *build;
	void *at;
	size_t count;
	bool fold;
	bool any;
};

typedef bool (*take_item)(struct gathered *list, const char *item, struct rs_why *why);

static size_t most_items(const struct rs_entry *entry)
{
	size_t count = 0;

	for (const struct rs_entry *piece = entry; piece; piece = rs_entry_more(piece)) {
		count++;
		for (const char *at = piece->text; (at = strchr(at, ',')); at++)
			count++;
	}
	return count;
}

/* The comma that ends the item, or NULL. One behind a backslash is part of it. */
static char *end_of_item(char *item)
{
	char *comma = strchr(item, ',');

	while (comma && comma != item && comma[-1] == '\\')
		comma = strchr(comma + 1, ',');
	return comma;
}

/* Other backslashes stay: patterns and texts have their own. */
static void unescape_commas(char *item)
{
	for (char *at = item; (at = strstr(at, "\\,")); at++)
		memmove(at, at + 1, strlen(at));
}

/* The items of one line. A comma may end a line; nothing between two commas is a fault. */
static void take_piece(struct gathered *list, const struct rs_section *section,
		       const struct rs_entry *entry, const struct rs_entry *piece, take_item take)
{
	struct rs_why why;
	char *rest = piece->text;

	while (rest) {
		char *item = rest;
		char *comma = end_of_item(rest);

		why.text[0] = '\0';
		rest = comma ? comma + 1 : NULL;
		if (comma)
			*comma = '\0';
		item = rs_trim_text(item);
		unescape_commas(item);
		if (!*item && !comma)
			return;
		if (!*item)
			rs_why_not(&why, "nothing stands before a comma");
		if (!*item || (!take(list, item, &why) && why.text[0]))
			rs_entry_error(list->build, section, entry, piece->line, why.text);
	}
}

static void take_list(struct gathered *list, const struct rs_section *section,
		      const struct rs_entry *entry, take_item take)
{
	for (const struct rs_entry *piece = entry; piece; piece = rs_entry_more(piece))
		take_piece(list, section, entry, piece, take);
}

static bool take_error(struct gathered *list, const char *item, struct rs_why *why)
{
	const char *near;

	if (rs_error_set_add_name(list->at, item))
		return true;
	near = rs_faults_heard(list->build->faults) ? rs_error_nearest(item) : NULL;
	if (near)
		return rs_why_not(why, "unknown error name '%s' (did you mean '%s'?)",
				  rs_show(item).text, near);
	return rs_why_not(why, "unknown error name '%s'", rs_show(item).text);
}

static bool take_status(struct gathered *list, const char *item, struct rs_why *why)
{
	return rs_value_status(item, list->at, why);
}

static bool take_call(struct gathered *list, const char *item, struct rs_why *why)
{
	unsigned choice;

	if (!rs_value_choice(item, rs_key_find(RS_SECTION_RULE, "call")->choices, &choice, why))
		return false;
	*(unsigned *)list->at |= 1U << choice;
	return true;
}

static bool take_port(struct gathered *list, const char *item, struct rs_why *why)
{
	uint16_t *ports = list->at;

	return rs_value_port(item, &ports[list->count++], why);
}

static bool take_text(struct gathered *list, const char *item, struct rs_why *why)
{
	struct rs_span *texts = list->at;
	size_t len = strlen(item);

	(void)why;
	texts[list->count++] =
		(struct rs_span){ rs_arena_text(list->build->arena, item, len), len };
	return true;
}

static bool take_glob(struct gathered *list, const char *item, struct rs_why *why)
{
	struct rs_glob *globs = list->at;
	const char *pattern = rs_arena_text(list->build->arena, item, strlen(item));

	if (list->fold && strstr(item, "://"))
		return rs_why_not(why,
				  "'%s' is a URL, not a host name: use url =", rs_show(item).text);
	if (pattern)
		globs[list->count++] = rs_glob_make(pattern, list->fold);
	return true;
}

static bool take_scheme(struct gathered *list, const char *item, struct rs_why *why)
{
	struct rs_glob *globs = list->at;
	char *lower = rs_arena_text(list->build->arena, item, strlen(item));

	for (char *at = lower; at && *at; at++) {
		if (*at >= 'A' && *at <= 'Z')
			*at = (char)(*at - 'A' + 'a');
		if (!strchr("abcdefghijklmnopqrstuvwxyz0123456789+-.", *at))
			return rs_why_not(why, "'%s' is no scheme (write http, https, ftp …)",
					  rs_show(item).text);
	}
	if (lower)
		globs[list->count++] = rs_glob_make(lower, false);
	return true;
}

static bool take_address(struct gathered *list, const char *item, struct rs_why *why)
{
	struct rs_address_matcher *addresses = list->at;
	const char *copy = rs_arena_text(list->build->arena, item, strlen(item));

	return copy && rs_value_address(copy, &addresses[list->count++], why);
}

static bool take_idempotent(struct gathered *list)
{
	const struct rs_texts *idempotent = &list->build->idempotent.names;
	struct rs_span *names = list->at;

	memcpy(names + list->count, idempotent->at, idempotent->count * sizeof(*names));
	list->count += idempotent->count;
	return true;
}

static bool take_method(struct gathered *list, const char *item, struct rs_why *why)
{
	static const char *const words[] = { "idempotent", "any" };
	struct rs_span *names = list->at;
	char *upper = rs_arena_text(list->build->arena, item, strlen(item));
	const char *near;

	if (strcmp(item, "any") == 0) {
		list->any = true;
		return true;
	}
	if (strcmp(item, "idempotent") == 0)
		return take_idempotent(list);
	near = rs_nearest(item, words, 2);
	if (near)
		return rs_why_not(why, "unknown method '%s' (did you mean '%s'?)",
				  rs_show(item).text, near);
	for (char *at = upper; at && *at; at++) {
		if (*at >= 'a' && *at <= 'z')
			*at = (char)(*at - 'a' + 'A');
		if (!strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!#$%&'*+-.^_`|~", *at))
			return rs_why_not(why, "'%s' is no method", rs_show(item).text);
	}
	names[list->count++] = (struct rs_span){ upper, strlen(item) };
	return true;
}

static struct rs_texts gather_texts(struct gathered *list, const struct rs_section *section,
				    const struct rs_entry *entry)
{
	list->at = RS_NEW_ARRAY(list->build->arena, most_items(entry), struct rs_span);
	if (list->at)
		take_list(list, section, entry, take_text);
	return (struct rs_texts){ list->at, list->count };
}

/* One word stands for several. */
static size_t most_methods(const struct rs_build *build, const struct rs_entry *entry)
{
	size_t most = most_items(entry);

	for (const struct rs_entry *piece = entry; piece; piece = rs_entry_more(piece)) {
		for (const char *at = piece->text; (at = strstr(at, "idempotent")); at++)
			most += build->idempotent.names.count;
	}
	return most;
}

static struct rs_method_matcher gather_methods(struct gathered *list,
					       const struct rs_section *section,
					       const struct rs_entry *entry)
{
	const size_t most = most_methods(list->build, entry);

	list->at = RS_NEW_ARRAY(list->build->arena, most, struct rs_span);
	if (list->at)
		take_list(list, section, entry, take_method);
	return (struct rs_method_matcher){ list->any, { list->at, list->count } };
}

static void gather_globs(struct gathered *list, const struct rs_section *section,
			 const struct rs_entry *entry, struct rs_globs *globs)
{
	bool scheme = rs_entry_key(entry)->kind == RS_VALUE_SCHEMES;

	list->fold = rs_entry_key(entry)->kind == RS_VALUE_HOSTS;
	list->at = RS_NEW_ARRAY(list->build->arena, most_items(entry), struct rs_glob);
	if (list->at)
		take_list(list, section, entry, scheme ? take_scheme : take_glob);
	*globs = (struct rs_globs){ list->at, list->count };
}

/* The sets of a file are few. */
static const struct rs_status_set *gather_statuses(struct rs_build *build,
						   const struct rs_section *section,
						   const struct rs_entry *entry)
{
	struct rs_status_set set = { { 0 } }, *copy;
	const struct rs_status_set *last = build->last_status;
	struct gathered list = { .build = build, .at = &set };

	take_list(&list, section, entry, take_status);
	if (last && memcmp(last, &set, sizeof(set)) == 0)
		return last;
	copy = RS_NEW(build->arena, struct rs_status_set);
	if (copy)
		*copy = set;
	build->last_status = copy;
	return copy;
}

static void gather_ports(struct gathered *list, const struct rs_section *section,
			 const struct rs_entry *entry, struct rs_rule *rule)
{
	list->at = RS_NEW_ARRAY(list->build->arena, most_items(entry), uint16_t);
	if (list->at)
		take_list(list, section, entry, take_port);
	rule->ports = list->at;
	rule->port_count = list->count;
}

static void gather_addresses(struct gathered *list, const struct rs_section *section,
			     const struct rs_entry *entry, struct rs_rule *rule)
{
	list->at = RS_NEW_ARRAY(list->build->arena, most_items(entry), struct rs_address_matcher);
	if (list->at)
		take_list(list, section, entry, take_address);
	rule->addresses = list->at;
	rule->address_count = list->count;
}

static void set_text(struct rs_build *build, const struct rs_section *section,
		     const struct rs_entry *entry, struct rs_rule *rule)
{
	struct rs_why why = { "" };
	bool ok = rs_entry_key(entry)->kind == RS_VALUE_REGEX
			  ? rs_set_regex(build, entry->text, rule, &why)
			  : rs_set_header(build, entry->text, rule, &why);

	if (!ok && why.text[0])
		rs_entry_error(build, section, entry, entry->line, why.text);
}

static void set_own(struct rs_build *build, const struct rs_section *section,
		    const struct rs_entry *entry, struct rs_rule *rule)
{
	struct gathered list = { .build = build };

	switch ((enum rs_value_kind)rs_entry_key(entry)->kind) {
	case RS_VALUE_CALLS:
		rule->calls = 0;
		list.at = &rule->calls;
		take_list(&list, section, entry, take_call);
		break;
	case RS_VALUE_ERRORS:
		rule->has_error = true;
		list.at = &rule->error;
		take_list(&list, section, entry, take_error);
		break;
	case RS_VALUE_STATUSES:
		rule->status = gather_statuses(build, section, entry);
		break;
	case RS_VALUE_TEXTS:
		rule->body = gather_texts(&list, section, entry);
		break;
	case RS_VALUE_METHODS:
		rule->method = gather_methods(&list, section, entry);
		break;
	case RS_VALUE_SCHEMES:
	case RS_VALUE_GLOBS:
	case RS_VALUE_HOSTS:
		gather_globs(
			&list, section, entry,
			(struct rs_globs *)(void *)((char *)rule + rs_entry_key(entry)->offset));
		break;
	case RS_VALUE_PORTS:
		gather_ports(&list, section, entry, rule);
		break;
	case RS_VALUE_ADDRESSES:
		gather_addresses(&list, section, entry, rule);
		break;
	case RS_VALUE_COMMAND:
		rs_set_command(
			build, section, entry,
			(const char *const **)(void *)((char *)rule + rs_entry_key(entry)->offset));
		break;
	case RS_VALUE_REGEX:
	case RS_VALUE_HEADER:
		set_text(build, section, entry, rule);
		break;
	case RS_VALUE_POLICY: /* taken before all others, see build.c */
		break;
	default:
		rs_field_set(build, section, entry, rule);
	}
}

void rs_rule_field_set(struct rs_build *build, const struct rs_section *section,
		       const struct rs_entry *entry, struct rs_rule *rule)
{
	if (rs_entry_key(entry)->owner == RS_SECTION_POLICY)
		rs_field_set(build, section, entry, &rule->policy);
	else if (rs_entry_usable(build, section, entry))
		set_own(build, section, entry, rule);
}
