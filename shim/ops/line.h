/*
 * Text of bounded length put together piece by piece: a line of the log or the report.
 *
 * Pure; async-signal-safe; allocates nothing. What does not fit is left out whole, and nothing
 * more is taken after that.
 */
#ifndef RS_OPS_LINE_H
#define RS_OPS_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "retry/outcome.h"

struct rs_line {
	char *text; /* not NUL-terminated */
	size_t len;
	size_t size;
	bool cut; /* something did not fit */
};

/* Append all of it or nothing. */
void rs_line_put(struct rs_line *line, const char *text, size_t len);
void rs_line_text(struct rs_line *line, const char *text);
void rs_line_int(struct rs_line *line, int64_t value);

/* The inside of a JSON string: valid UTF-8 whatever the bytes are. As much as fits; never a part
 * of a character. */
void rs_line_escaped(struct rs_line *line, struct rs_span value);

#endif
