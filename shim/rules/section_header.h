/*
 * The line that begins a section: "[rule NAME]".
 */
#ifndef RS_RULES_SECTION_HEADER_H
#define RS_RULES_SECTION_HEADER_H

#include "rules/document.h"

/*
 * Begin the section that `text` (trimmed, from its '[') names: NULL, and a fault, where there is
 * no such section, or it is there already.
 */
struct rs_section *rs_header_read(struct rs_document *document, struct rs_place place,
				  struct rs_span text);

/* White space as inih sees it in the C locale. */
static inline bool rs_is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static inline struct rs_span rs_trim(const char *at, size_t len)
{
	while (len > 0 && rs_is_space(at[len - 1]))
		len--;
	while (len > 0 && rs_is_space(*at)) {
		at++;
		len--;
	}
	return (struct rs_span){ at, len };
}

#endif
