/*
 * Header lines that were not seen, as if they had been: for judging alone, the program does not
 * want them. libcurl has kept them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "transfer/exchange.h"

static void recall_line(struct rs_exchange *x, const char *name, const char *value)
{
	const size_t size = strlen(name) + strlen(value) + sizeof(": \r\n");
	char *line;
	int len;

	if (x->phase != RS_HOLDING)
		return;
	line = malloc(size); /* a thread's stack may be small */
	if (!line) {
		rs_hand_over(x); /* as where it cannot be held */
		return;
	}
	len = snprintf(line, size, "%s%s%s\r\n", name, *name && *value ? ": " : "", value);
	if (len > 0 && (size_t)len < size)
		(void)rs_response_lines(x, line, (size_t)len);
	free(line);
}

__attribute__((noinline)) void rs_response_recall_lines(struct rs_exchange *x)
{
	const struct rs_curl_api *api = x->handle->api;
	struct curl_header *header = NULL;
	char status_line[32];

	snprintf(status_line, sizeof(status_line), "HTTP/1.1 %d", x->status);
	recall_line(x, status_line, "");
	while (x->phase == RS_HOLDING &&
	       (header = api->easy_nextheader(x->handle->easy, CURLH_HEADER, -1, header)))
		recall_line(x, header->name, header->value);
	recall_line(x, "", "");
}
