#include "rules/fields.h"

#include <string.h>

#include "retry/ns.h"
#include "rules/names.h"
#include "rules/values.h"

void rs_entry_error(struct rs_build *build, const struct rs_section *section,
		    const struct rs_entry *entry, int line, const char *why)
{
	struct rs_place place = { section->place.file, line };

	rs_error(build->faults, place, "'%s': %s", rs_entry_key(entry)->name, why);
}

static bool has_value(const struct rs_entry *entry)
{
	for (; entry; entry = rs_entry_more(entry)) {
		if (*entry->text)
			return true;
	}
	return false;
}

bool rs_entry_usable(struct rs_build *build, const struct rs_section *section,
		     const struct rs_entry *entry)
{
	struct rs_place place = { section->place.file, entry->line };

	if (has_value(entry))
		return true;
	rs_error(build->faults, place, "'%s' has no value", rs_entry_key(entry)->name);
	return false;
}

/* The one that is there without a section. */
static const char *first_name(enum rs_section_type type)
{
	return type == RS_SECTION_POLICY ? "default" : "standard";
}

int rs_reference(const struct rs_build *build, enum rs_section_type type, const char *name)
{
	const struct rs_section *section = rs_document_find(build->document, type, name);

	if (section)
		return (int)section->index;
	return strcmp(name, first_name(type)) == 0 ? 0 : -1;
}

const char *rs_reference_nearest(const struct rs_build *build, enum rs_section_type type,
				 const char *name)
{
	const char *names[100] = { first_name(type) };
	size_t count = 1;

	if (!rs_faults_heard(build->faults))
		return NULL;
	for (const struct rs_section *section = build->document->first; section && count < 100;
	     section = section->next) {
		if (section->type == type)
			names[count++] = section->name;
	}
	return rs_nearest(name, names, count);
}

static bool missing_quota(const struct rs_build *build, const char *name, struct rs_why *why)
{
	const char *near = rs_reference_nearest(build, RS_SECTION_QUOTA, name);

	if (near)
		return rs_why_not(why, "there is no [quota %s] (did you mean '%s'?)",
				  rs_show(name).text, near);
	return rs_why_not(why, "there is no [quota %s]", rs_show(name).text);
}

static bool set_quota(const struct rs_build *build, const char *text, int *quota,
		      struct rs_why *why)
{
	if (strcmp(text, "none") == 0) {
		*quota = RS_NO_QUOTA;
		return true;
	}
	*quota = rs_reference(build, RS_SECTION_QUOTA, text);
	if (*quota >= 0)
		return true;
	*quota = RS_STANDARD_QUOTA;
	if (build->document->incomplete)
		return true;
	return missing_quota(build, text, why);
}

static bool set_attempts(const char *text, int32_t *attempts, struct rs_why *why)
{
	if (strcmp(text, "unlimited") == 0) {
		*attempts = RS_UNLIMITED;
		return true;
	}
	if (!rs_value_count(text, attempts, why))
		return false;
	if (*attempts > 0)
		return true;
	return rs_why_not(why, "0 is ambiguous: write 1 to never retry, or unlimited together "
			       "with a max_elapsed");
}

static bool set_duration(const struct rs_key *key, const char *text, int64_t *ns,
			 struct rs_why *why)
{
	const bool is_limit = key->kind == RS_VALUE_LIMIT;
	const char *never = is_limit || key->kind == RS_VALUE_DURATION_OR_NONE ? "none"
			    : key->kind == RS_VALUE_DURATION_OR_NO             ? "no"
									       : NULL;

	if (never && strcmp(text, never) == 0) {
		*ns = RS_FOREVER;
		return true;
	}
	if (!rs_value_duration(text, ns, why))
		return false;
	if (key->kind == RS_VALUE_DURATION_ABOVE_0 && *ns == 0)
		return rs_why_not(why, "must be more than 0");
	if (is_limit && *ns == 0)
		return rs_why_not(why, "0 is ambiguous: write none for no limit, or how long an "
				       "attempt may take");
	return true;
}

static bool set_log(struct rs_build *build, const struct rs_key *key, const char *text,
		    const char **log, struct rs_why *why)
{
	if (!rs_value_place(text, key->choices, why))
		return false;
	*log = rs_arena_text(build->arena, text, strlen(text));
	return *log != NULL;
}

static bool set_choice(const struct rs_key *key, const char *text, void *field, struct rs_why *why)
{
	unsigned choice;

	if (!rs_value_choice(text, key->choices, &choice, why))
		return false;
	memcpy(field, &choice, sizeof(choice));
	return true;
}

static bool set_seed(const char *text, struct rs_settings *settings, struct rs_why *why)
{
	settings->has_seed = rs_value_seed(text, &settings->seed, why);
	return settings->has_seed;
}

static bool set(struct rs_build *build, const struct rs_key *key, const char *text, void *object,
		struct rs_why *why)
{
	void *field = (char *)object + key->offset;

	switch ((enum rs_value_kind)key->kind) {
	case RS_VALUE_CHOICE:
		return set_choice(key, text, field, why);
	case RS_VALUE_BOOL:
		return rs_value_bool(text, field, why);
	case RS_VALUE_DURATION:
	case RS_VALUE_DURATION_ABOVE_0:
	case RS_VALUE_DURATION_OR_NONE:
	case RS_VALUE_DURATION_OR_NO:
	case RS_VALUE_LIMIT:
		return set_duration(key, text, field, why);
	case RS_VALUE_COUNT:
		return rs_value_count(text, field, why);
	case RS_VALUE_ATTEMPTS:
		return set_attempts(text, field, why);
	case RS_VALUE_RATE:
		return rs_value_rate(text, field, why);
	case RS_VALUE_SIZE:
		return rs_value_size(text, field, why);
	case RS_VALUE_SEED:
		return set_seed(text, object, why);
	case RS_VALUE_LOG:
		return set_log(build, key, text, field, why);
	default: /* RS_VALUE_QUOTA: the others are of rules and faults alone */
		return set_quota(build, text, field, why);
	}
}

void rs_field_set(struct rs_build *build, const struct rs_section *section,
		  const struct rs_entry *entry, void *object)
{
	struct rs_why why;

	why.text[0] = '\0';
	if (rs_entry_usable(build, section, entry) &&
	    !set(build, rs_entry_key(entry), entry->text, object, &why) && why.text[0])
		rs_entry_error(build, section, entry, entry->line, why.text);
}

void rs_set_all(struct rs_build *build, const struct rs_section *section, void *object)
{
	for (const struct rs_entry *entry = section->first; entry;
	     entry = rs_entry_head(entry->next))
		rs_field_set(build, section, entry, object);
}

const struct rs_section *rs_section_from(const struct rs_section *section,
					 enum rs_section_type type)
{
	while (section && section->type != type)
		section = section->next;
	return section;
}

int rs_line_of(const struct rs_section *section, enum rs_section_type type, const char *name)
{
	const struct rs_key *key = rs_key_find(type, name);
	int line = -1;

	for (const struct rs_entry *entry = section->first; entry; entry = entry->next) {
		if (rs_entry_key(entry) == key)
			line = entry->line;
	}
	return line;
}

const char *rs_build_text(struct rs_build *build, const char *text)
{
	return rs_arena_text(build->arena, text, strlen(text));
}
