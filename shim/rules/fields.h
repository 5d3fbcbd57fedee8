/*
 * One entry of a document into the field of the rules that it is for.
 */
#ifndef RS_RULES_FIELDS_H
#define RS_RULES_FIELDS_H

#include <string.h>

#include "retry/fault.h"
#include "rules/document.h"
#include "rules/values.h"

struct rs_build {
	struct rs_arena *arena; /* of the rules: what they point to is copied here */
	struct rs_faults *faults;
	const struct rs_document *document; /* where references are looked up */
	struct rs_method_matcher idempotent;
	const struct rs_status_set *last_status; /* of a rule; NULL: there was none */
};

/*
 * Set the field that entry->key describes in the settings, policy or quota that `object` is.
 * A value that is wrong is a fault and leaves the field as it was.
 */
void rs_field_set(struct rs_build *build, const struct rs_section *section,
		  const struct rs_entry *entry, void *object);

/* The same for all entries of a section. */
void rs_set_all(struct rs_build *build, const struct rs_section *section, void *object);

/* The first section of that type at or after `section`, or NULL. */
const struct rs_section *rs_section_from(const struct rs_section *section,
					 enum rs_section_type type);

/* The line where a section sets the key `name` of sections of that type (0 for an option), or -1.
 */
int rs_line_of(const struct rs_section *section, enum rs_section_type type, const char *name);

/* A copy of the text that lives as long as the rules; NULL where there is no memory. */
const char *rs_build_text(struct rs_build *build, const char *text);

/* rs_field_set() for a rule; keys of policies set the rule's own policy. */
void rs_rule_field_set(struct rs_build *build, const struct rs_section *section,
		       const struct rs_entry *entry, struct rs_rule *rule);

/* The same for a fault. */
void rs_fault_field_set(struct rs_build *build, const struct rs_section *section,
			const struct rs_entry *entry, struct rs_fault *fault);

/* All its fields are set: complete it, and say where they make no whole. */
void rs_fault_finish(struct rs_build *build, const struct rs_section *section,
		     struct rs_fault *fault);

/* The index of the policy or quota called `name`, or -1. */
int rs_reference(const struct rs_build *build, enum rs_section_type type, const char *name);

/* The nearest name of a policy or quota that there is; NULL where none is near, or nobody asks. */
const char *rs_reference_nearest(const struct rs_build *build, enum rs_section_type type,
				 const char *name);

/* Is the entry's value there? If not that is said. */
bool rs_entry_usable(struct rs_build *build, const struct rs_section *section,
		     const struct rs_entry *entry);

/* A fault of this entry, at `line`. */
void rs_entry_error(struct rs_build *build, const struct rs_section *section,
		    const struct rs_entry *entry, int line, const char *why);

/* `header = Name: pattern` and `body_regex = …` of a rule. False, with *why said where the value
 * is wrong, and without where memory is missing. `text` is changed. */
bool rs_set_header(struct rs_build *build, char *text, struct rs_rule *rule, struct rs_why *why);
bool rs_set_regex(struct rs_build *build, const char *text, struct rs_rule *rule,
		  struct rs_why *why);

/* `recover` and `followup`: *command becomes the words of the entry and those that continue it. */
void rs_set_command(struct rs_build *build, const struct rs_section *section,
		    const struct rs_entry *entry, const char *const **command);

/* `text` without the blanks around it; cut in place. */
static inline char *rs_trim_text(char *text)
{
	char *end;

	while (*text == ' ' || *text == '\t')
		text++;
	end = text + strlen(text);
	while (end > text && (end[-1] == ' ' || end[-1] == '\t'))
		*--end = '\0';
	return text;
}

#endif
