/*
 * A rules file as sections of keys and values: read, but not yet understood. It lives in a
 * scratch arena that is released once the rules are built.
 */
#ifndef RS_RULES_DOCUMENT_H
#define RS_RULES_DOCUMENT_H

#include "rules/faults.h"
#include "rules/keys.h"

/* One line's part of a value; a list that continues on indented lines has several. */
struct rs_piece {
	char *text; /* trimmed */
	int line;
	struct rs_piece *next;
};

struct rs_entry {
	const struct rs_key *key;
	struct rs_piece value;
	struct rs_piece *last;
	struct rs_entry *next;
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
	const struct rs_distrust *distrusted;
	bool incomplete; /* a file could not be read: a missing reference may be its fault */
};

/* Make room for the sections of `bytes` of text. False where there is no memory. */
bool rs_document_begin(struct rs_document *document, size_t bytes);

struct rs_section *rs_document_find(const struct rs_document *document, enum rs_section_type type,
				    const char *name);

/* Append a section that is not there yet; NULL where there is no memory. */
struct rs_section *rs_document_add(struct rs_document *document, enum rs_section_type type,
				   const char *name, struct rs_place place);

/* Append `name = value` to a section: NULL, and a fault, where the section has no such key or
 * has it already. */
struct rs_entry *rs_section_add(struct rs_document *document, struct rs_section *section,
				const char *name, const char *value, int line);

/* Continue an entry's value on a further line. */
void rs_entry_continue(struct rs_document *document, struct rs_entry *entry, const char *value,
		       int line);

#endif
