#include "rules/section_header.h"

#include <string.h>

/* inih's own: char section[50]. */
#define SECTION_LIMIT 49

static bool is_of_names(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '.' || c == '_' || c == '-';
}

static bool valid_name(const char *name)
{
	while (is_of_names(*name))
		name++;
	return *name == '\0';
}

static void unknown_section(struct rs_document *document, struct rs_place place, const char *type)
{
	const char *near = rs_faults_heard(document->faults) ? rs_section_type_nearest(type) : NULL;

	if (near)
		rs_error(document->faults, place, "unknown section '%s' (did you mean '%s'?)",
			 rs_show(type).text, near);
	else
		rs_error(document->faults, place,
			 "unknown section '%s' (there are [retryshim], [policy NAME], "
			 "[quota NAME], [rule NAME] and [fault NAME])",
			 rs_show(type).text);
}

static bool name_is_right(struct rs_document *document, struct rs_place place,
			  enum rs_section_type type, const char *name)
{
	struct rs_faults *faults = document->faults;
	const char *type_name = rs_section_type_name(type);

	if (type == RS_SECTION_RETRYSHIM) {
		if (*name)
			rs_error(faults, place, "[retryshim] takes no name: remove '%s'",
				 rs_show(name).text);
		return !*name;
	}
	if (!*name) {
		rs_error(faults, place, "[%s] needs a name: [%s NAME]", type_name, type_name);
		return false;
	}
	if (!valid_name(name)) {
		rs_error(faults, place,
			 "'%s' is no name: a name is made of letters, digits, '.', '_' and '-'",
			 rs_show(name).text);
		return false;
	}
	if (type == RS_SECTION_QUOTA && strcmp(name, "none") == 0) {
		rs_error(faults, place,
			 "a quota cannot be called 'none': 'quota = none' means no quota");
		return false;
	}
	return true;
}

static void repeated(struct rs_document *document, struct rs_place place,
		     const struct rs_section *first)
{
	const char *type = rs_section_type_name(first->type);
	const char *gap = *first->name ? " " : "";

	if (first->place.file == place.file)
		rs_error(document->faults, place,
			 "section [%s%s%s] is repeated: it stands in line %d already", type, gap,
			 first->name, first->place.line);
	else
		rs_error(document->faults, place,
			 "section [%s%s%s] is repeated: it stands in %s:%d already", type, gap,
			 first->name, first->place.file, first->place.line);
}

/* `header` is what stands between the brackets; it is changed. */
static struct rs_section *section_for(struct rs_document *document, struct rs_place place,
				      char *header)
{
	size_t type_len = strcspn(header, " \t");
	char *name = header + type_len + strspn(header + type_len, " \t");
	enum rs_section_type type = rs_section_type_by_name(header, type_len);
	struct rs_section *first;

	header[type_len] = '\0';
	if (type == RS_SECTION_NONE) {
		unknown_section(document, place, header);
		return NULL;
	}
	if (!name_is_right(document, place, type, name))
		return NULL;
	first = rs_document_find(document, type, name);
	if (first) {
		repeated(document, place, first);
		return NULL;
	}
	return rs_document_add(document, type, name, place);
}

struct rs_section *rs_header_read(struct rs_document *document, struct rs_place place,
				  struct rs_span text)
{
	struct rs_faults *faults = document->faults;
	const char *close = memchr(text.at, ']', text.len);
	struct rs_span inside;
	char header[SECTION_LIMIT + 1];

	if (!close) {
		rs_error(faults, place, "']' is missing");
		return NULL;
	}
	if (close + 1 != text.at + text.len) {
		rs_error(faults, place, "unexpected text after ']': '%s'",
			 rs_show_span(close + 1, (size_t)(text.at + text.len - close - 1)).text);
		return NULL;
	}
	inside = rs_trim(text.at + 1, (size_t)(close - text.at - 1));
	if (inside.len > SECTION_LIMIT) {
		rs_error(faults, place,
			 "the section's name is %zu bytes long and the parser takes %d", inside.len,
			 SECTION_LIMIT);
		return NULL;
	}
	memcpy(header, inside.at, inside.len);
	header[inside.len] = '\0';
	return section_for(document, place, header);
}
