/*
 * A thing that can be had whole or in part.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server_parts.h"

/* "bytes=A-B", "bytes=A-" or "bytes=-N" within `len` bytes; false for anything else. */
static bool parse_range(const char *text, size_t len, size_t *first, size_t *end)
{
	char *stop;

	if (strncmp(text, "bytes=", 6) != 0 || strchr(text, ','))
		return false;
	text += 6;
	*end = len;
	if (*text == '-') {
		size_t last = strtoul(text + 1, NULL, 10);

		*first = last < len ? len - last : 0;
		return true;
	}
	*first = strtoul(text, &stop, 10);
	if (*stop++ != '-')
		return false;
	if (*stop) {
		size_t last = strtoul(stop, NULL, 10);

		*end = last < len ? last + 1 : len;
	}
	return *first < *end;
}

void server_object(const struct request *request, const char *bytes, size_t len, const char *etag,
		   struct reply *reply, char *room)
{
	char range[128], condition[128];
	size_t first = 0, end = len;
	bool part = etag && request_header(request, "Range", range, sizeof(range)) > 0;

	if (request_header(request, "If-Range", condition, sizeof(condition)) > 0)
		part = part && strcmp(condition, etag) == 0;
	if (part && !parse_range(range, len, &first, &end)) {
		(void)snprintf(room, DECIDE_ROOM, "Content-Range: bytes */%zu\r\n", len);
		*reply = (struct reply){ .status = 416, .headers = room };
		return;
	}
	if (part)
		(void)snprintf(room, DECIDE_ROOM,
			       "ETag: %s\r\nContent-Range: bytes %zu-%zu/%zu\r\n", etag, first,
			       end - 1, len);
	else if (etag)
		(void)snprintf(room, DECIDE_ROOM, "ETag: %s\r\n", etag);
	else
		room[0] = '\0';
	*reply = (struct reply){ .status = part ? 206 : 200, .headers = room };
	if (end > first) {
		reply->body = bytes + first;
		reply->body_len = end - first;
	}
}
