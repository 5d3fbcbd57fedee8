#include "rules/fault_options.h"

#include <stdio.h>
#include <string.h>

#include "rules/fields.h"

static const char faults_name[] = "RETRYSHIM_FAULTS";

/* The comma before the next "key=", or NULL. */
static char *next_key(char *text)
{
	for (char *comma = text; (comma = strchr(comma, ',')); comma++) {
		size_t word = strspn(comma + 1, "abcdefghijklmnopqrstuvwxyz_");

		if (word > 0 && comma[1 + word] == '=')
			return comma;
	}
	return NULL;
}

static void read_pair(struct rs_document *document, struct rs_section *section, char *pair)
{
	char *equals = strchr(pair, '=');

	if (!equals) {
		rs_error(document->faults, section->place, "'%s' is not key=value",
			 rs_show(pair).text);
		return;
	}
	*equals = '\0';
	rs_section_add(document, section, rs_trim_text(pair), rs_trim_text(equals + 1), 0);
}

/* A section under a name that no file has given, and that stays the same whatever else the files
 * have: counts go by it. */
static struct rs_section *new_section(struct rs_document *document, unsigned *number)
{
	struct rs_place place = { faults_name, 0 };
	char name[32];

	do
		snprintf(name, sizeof(name), "fault-%u", ++*number);
	while (rs_document_find(document, RS_SECTION_FAULT, name));
	return rs_document_add(document, RS_SECTION_FAULT, name, place);
}

static void read_fault(struct rs_document *document, unsigned *number, char *text)
{
	struct rs_section *section = new_section(document, number);

	while (section && text) {
		char *comma = next_key(text);

		if (comma)
			*comma = '\0';
		section->has_lines = true;
		read_pair(document, section, text);
		text = comma ? comma + 1 : NULL;
	}
}

void rs_fault_options_read(struct rs_document *document, const char *text)
{
	char *at = text ? rs_arena_text(document->arena, text, strlen(text)) : NULL;
	unsigned number = 0;

	while (at) {
		char *end = strchr(at, '\n');

		if (end)
			*end = '\0';
		if (*rs_trim_text(at))
			read_fault(document, &number, at);
		at = end ? end + 1 : NULL;
	}
}
