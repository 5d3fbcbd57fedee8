/*
 * The headers of a download's first response, which is the one that the program sees: libcurl
 * forgets them when the rest is fetched. curl_easy_header() and curl_easy_nextheader() are answered
 * from here then.
 */
#ifndef RS_TRANSFER_KEPT_HEADERS_H
#define RS_TRANSFER_KEPT_HEADERS_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stddef.h>

#include "real.h"

struct rs_kept_headers;

/* Has request number `request` of the handle's transfer been made? Where libcurl has headers, and
 * tells them. */
bool rs_headers_know(const struct rs_curl_api *api, CURL *easy, int request);

/* All that libcurl tells now of the headers of the handle's transfer, redirects included. To be
 * freed. NULL: nothing, or no memory. */
struct rs_kept_headers *rs_headers_keep(const struct rs_curl_api *api, CURL *easy);

/* Is that the number of the last one before the break, whose answer was continued? */
bool rs_headers_continue(const struct rs_kept_headers *kept, int request);

/* As libcurl's functions. What they give is good until the next call, or until it is freed. */
CURLHcode rs_headers_find(struct rs_kept_headers *kept, const char *name, size_t index,
			  unsigned origin, int request, struct curl_header **found);
struct curl_header *rs_headers_next(struct rs_kept_headers *kept, unsigned origin, int request,
				    const struct curl_header *previous);

#endif
