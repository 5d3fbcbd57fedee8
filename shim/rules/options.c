#include "rules/options.h"

#include <string.h>

static const char options_name[] = "RETRYSHIM_OPTIONS";

static char *trim(char *text)
{
	size_t len;

	text += strspn(text, " \t\n");
	len = strlen(text);
	while (len > 0 && strchr(" \t\n", text[len - 1]))
		text[--len] = '\0';
	return text;
}

static void unknown(struct rs_document *document, struct rs_place place, const char *name)
{
	const struct rs_key *near = rs_key_nearest(RS_SECTION_POLICY, name);

	if (!near)
		near = rs_key_nearest(RS_SECTION_RETRYSHIM, name);
	if (near)
		rs_error(document->faults, place, "unknown key '%s' (did you mean '%s'?)",
			 rs_show(name).text, near->name);
	else
		rs_error(document->faults, place,
			 "unknown key '%s': the keys of [retryshim] and of [policy] may stand here",
			 rs_show(name).text);
}

static void read_one(struct rs_document *document, char *text, struct rs_options *options)
{
	struct rs_section *section = &options->settings;
	char *equals = strchr(text, '=');
	char *name;

	if (!equals) {
		rs_error(document->faults, section->place, "'%s' is not key=value",
			 rs_show(text).text);
		return;
	}
	*equals = '\0';
	name = trim(text);
	if (rs_key_find(RS_SECTION_POLICY, name))
		section = &options->policy;
	if (!rs_key_find(section->type, name)) {
		unknown(document, section->place, name);
		return;
	}
	section->seen = 0; /* the last one counts */
	rs_section_add(document, section, name, trim(equals + 1), 0);
}

void rs_options_read(struct rs_document *document, const char *text, struct rs_options *options)
{
	struct rs_place place = { options_name, 0 };
	char *at = text ? rs_arena_text(document->arena, text, strlen(text)) : NULL;

	*options = (struct rs_options){
		.settings = { .type = RS_SECTION_RETRYSHIM, .name = "", .place = place },
		.policy = { .type = RS_SECTION_POLICY, .name = "default", .place = place },
	};
	while (at) {
		char *semicolon = strchr(at, ';');

		if (semicolon)
			*semicolon = '\0';
		at = trim(at);
		if (*at)
			read_one(document, at, options);
		at = semicolon ? semicolon + 1 : NULL;
	}
}
