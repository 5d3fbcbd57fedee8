/*
 * A rules file as sections of keys and values: read, but not yet understood. It lives in a
 * scratch arena that is released once the rules are built.
 */
#ifndef RS_RULES_DOCUMENT_H
#define RS_RULES_DOCUMENT_H

#include "rules/faults.h"
#include "rules/keys.h"

/*
 * A line's worth of a section: a key's value, or a part of it. A list that goes on on indented
 * lines is a run of entries, all but the first of which continue it. Small, because a file has
 * many and memory that is touched first costs more time than anything else here.
 */
struct rs_entry {
	char *text; /* trimmed; in the source, or in the scratch arena */
	struct rs_entry *next;
	int line;
	uint8_t key; /* index into rs_keys */
	bool continues;
};

struct rs_section {
	enum rs_section_type type;
	const char *name; /* "" for [retryshim] */
	struct rs_place place;
	size_t index;     /* among the rules, policies or quotas */
	uint64_t seen;    /* a bit per key of rs_keys */
	bool has_lines;   /* something stood in it, right or wrong */
	bool has_outcome; /* so did a matcher for outcomes, or what was meant to be one */
	struct rs_entry *first, *last;
	struct rs_section *next;
	struct rs_section *same_bucket;
};

/* A file that others than its owner, or an owner other than root or us, could have written. */
struct rs_distrust {
	const char *file;
	const char *why;
	const struct rs_distrust *next;
};

struct rs_document {
	struct rs_arena *arena;
	struct rs_faults *faults;
	struct rs_section *first, *last;
	struct rs_section **buckets;
	size_t bucket_count; /* a power of two */
	size_t counts[RS_SECTION_NONE];
	struct rs_found_keys found_keys;
	const struct rs_distrust *distrusted;
	bool leave_patterns; /* regular expressions are not compiled */
	bool incomplete;     /* a file could not be read: a missing reference may be its fault */
};

/* Make room for the sections of `bytes` of text. False where there is no memory. */
bool rs_document_begin(struct rs_document *document, size_t bytes);

struct rs_section *rs_document_find(const struct rs_document *document, enum rs_section_type type,
				    const char *name);

/* Append a section that is not there yet; NULL where there is no memory. */
struct rs_section *rs_document_add(struct rs_document *document, enum rs_section_type type,
				   const char *name, struct rs_place place);

/* Append `name = value` to a section; `value` is kept by pointer. NULL, and a fault, where the
 * section has no such key or has it already. */
struct rs_entry *rs_section_add(struct rs_document *document, struct rs_section *section,
				const char *name, char *value, int line);

/* Continue the value of the section's last entry on a further line. */
void rs_section_continue(struct rs_document *document, struct rs_section *section, char *value,
			 int line);

static inline const struct rs_key *rs_entry_key(const struct rs_entry *entry)
{
	return &rs_keys[entry->key];
}

/* The entry that continues this one, or NULL. */
static inline const struct rs_entry *rs_entry_more(const struct rs_entry *entry)
{
	return entry->next && entry->next->continues ? entry->next : NULL;
}

/* The first entry at or after this one that does not continue another, or NULL. */
static inline const struct rs_entry *rs_entry_head(const struct rs_entry *entry)
{
	while (entry && entry->continues)
		entry = entry->next;
	return entry;
}

#endif
