#include "rules/document.h"

#include <string.h>

/* About what a section takes: more buckets would stay empty. */
#define BYTES_PER_SECTION 128

bool rs_document_begin(struct rs_document *document, size_t bytes)
{
	size_t count = 16;

	while (count < bytes / BYTES_PER_SECTION)
		count *= 2;
	document->bucket_count = count;
	document->buckets = RS_NEW_ARRAY(document->arena, count, struct rs_section *);
	return document->buckets != NULL;
}

/* FNV-1a. */
static struct rs_section **bucket_of(const struct rs_document *document, enum rs_section_type type,
				     const char *name)
{
	uint32_t hash = 2166136261U ^ (uint32_t)type;

	for (; *name; name++)
		hash = (hash ^ (uint8_t)*name) * 16777619U;
	return &document->buckets[hash & (document->bucket_count - 1)];
}

struct rs_section *rs_document_find(const struct rs_document *document, enum rs_section_type type,
				    const char *name)
{
	struct rs_section *section = *bucket_of(document, type, name);

	while (section && (section->type != type || strcmp(section->name, name) != 0))
		section = section->same_bucket;
	return section;
}

/* Policy "default" and quota "standard" exist whether written or not, and come first. */
static size_t index_for(struct rs_document *document, enum rs_section_type type, const char *name)
{
	size_t *count = &document->counts[type];

	if (type != RS_SECTION_POLICY && type != RS_SECTION_QUOTA)
		return (*count)++;
	if (strcmp(name, type == RS_SECTION_POLICY ? "default" : "standard") == 0)
		return 0;
	return ++*count;
}

struct rs_section *rs_document_add(struct rs_document *document, enum rs_section_type type,
				   const char *name, struct rs_place place)
{
	struct rs_section *section = RS_NEW(document->arena, struct rs_section);
	struct rs_section **bucket = bucket_of(document, type, name);

	if (!section)
		return NULL;
	section->type = type;
	section->place = place;
	section->name = rs_arena_text(document->arena, name, strlen(name));
	if (!section->name)
		return NULL;
	section->index = index_for(document, type, name);
	section->same_bucket = *bucket;
	*bucket = section;
	*(document->last ? &document->last->next : &document->first) = section;
	document->last = section;
	return section;
}

static void unknown_key(struct rs_document *document, struct rs_section *section, const char *name,
			int line)
{
	struct rs_place place = { section->place.file, line };
	const struct rs_key *near = NULL;

	if (rs_faults_heard(document->faults))
		near = rs_key_nearest(section->type, name);
	if (near && (near->flags & RS_KEY_OUTCOME))
		section->has_outcome = true;
	if (near)
		rs_error(document->faults, place, "unknown key '%s' (did you mean '%s'?)",
			 rs_show(name).text, near->name);
	else
		rs_error(document->faults, place, "unknown key '%s' in [%s%s%s]",
			 rs_show(name).text, rs_section_type_name(section->type),
			 *section->name ? " " : "", section->name);
}

static int first_line_of(const struct rs_section *section, const struct rs_key *key)
{
	const struct rs_entry *entry = section->first;

	while (entry && rs_entry_key(entry) != key)
		entry = entry->next;
	return entry ? entry->line : section->place.line;
}

/* Where there are no lines it need not be looked for. */
static void repeated_key(struct rs_document *document, const struct rs_section *section,
			 const struct rs_key *key, int line)
{
	struct rs_place place = { section->place.file, line };

	if (line == 0)
		rs_error(document->faults, place, "key '%s' is given twice", key->name);
	else
		rs_error(document->faults, place,
			 "key '%s' is repeated: it stands in line %d already", key->name,
			 first_line_of(section, key));
}

static struct rs_entry *append(struct rs_document *document, struct rs_section *section,
			       const struct rs_entry *entry)
{
	struct rs_entry *new = RS_NEW(document->arena, struct rs_entry);

	if (!new)
		return NULL;
	*new = *entry;
	*(section->last ? &section->last->next : &section->first) = new;
	section->last = new;
	return new;
}

struct rs_entry *rs_section_add(struct rs_document *document, struct rs_section *section,
				const char *name, char *value, int line)
{
	const struct rs_key *key = rs_key_find_again(&document->found_keys, section->type, name);
	struct rs_entry entry = { .text = value, .line = line };
	uint64_t bit;

	if (!key) {
		unknown_key(document, section, name, line);
		return NULL;
	}
	entry.key = (uint8_t)(key - rs_keys);
	bit = UINT64_C(1) << entry.key;
	if (section->seen & bit) {
		repeated_key(document, section, key, line);
		return NULL;
	}
	section->seen |= bit;
	section->has_outcome = section->has_outcome || (key->flags & RS_KEY_OUTCOME);
	return append(document, section, &entry);
}

void rs_section_continue(struct rs_document *document, struct rs_section *section, char *value,
			 int line)
{
	struct rs_entry entry = {
		.text = value,
		.line = line,
		.key = section->last->key,
		.continues = true,
	};

	append(document, section, &entry);
}
