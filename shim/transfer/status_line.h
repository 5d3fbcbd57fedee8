/*
 * The lines at the two ends of a header block, as libcurl delivers them. Pure.
 */
#ifndef RS_TRANSFER_STATUS_LINE_H
#define RS_TRANSFER_STATUS_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* Three digits after the first blank: "HTTP/1.1 200 OK", "HTTP/2 200". */
static inline int rs_status_of_line(const char *line, size_t len)
{
	size_t at = 5;
	int status = 0;

	while (at < len && line[at] != ' ')
		at++;
	for (size_t i = at + 1; i < len && i <= at + 3; i++) {
		if (line[i] < '0' || line[i] > '9')
			return 0;
		status = status * 10 + (line[i] - '0');
	}
	return status;
}

static inline bool rs_line_is_blank(const char *line, size_t len)
{
	return (len == 2 && line[0] == '\r' && line[1] == '\n') || (len == 1 && line[0] == '\n');
}

/* Is the last one of these blank? */
static inline bool rs_lines_end(const char *lines, size_t len)
{
	return rs_line_is_blank(lines, len) ||
	       (len > 2 && lines[len - 1] == '\n' &&
		(lines[len - 2] == '\n' || (lines[len - 2] == '\r' && lines[len - 3] == '\n')));
}

/* Of the first line among several, with its end. */
static inline size_t rs_line_len(const char *lines, size_t len)
{
	const char *end = memchr(lines, '\n', len);

	return end ? (size_t)(end + 1 - lines) : len;
}

/* The status of a response's first line, where that is one of two hundred and some; else 0. */
static inline int rs_success_in_line(const char *line, size_t len)
{
	size_t at = len > 8 && line[8] == ' ' ? 9 : 7; /* HTTP/1.1, HTTP/2 */

	if (len < at + 3 || memcmp(line, "HTTP/", 5) != 0 || line[at - 1] != ' ' ||
	    line[at] != '2' || line[at + 1] < '0' || line[at + 1] > '9' || line[at + 2] < '0' ||
	    line[at + 2] > '9')
		return 0;
	return 200 + (line[at + 1] - '0') * 10 + (line[at + 2] - '0');
}

#endif
