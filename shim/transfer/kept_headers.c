#include "transfer/kept_headers.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "retry/ascii.h"

#define ANY (CURLH_HEADER | CURLH_TRAILER | CURLH_CONNECT | CURLH_1XX | CURLH_PSEUDO)

struct kept {
	char *name, *value;
	unsigned origin;
	int request;
};

struct rs_kept_headers {
	size_t count;
	int requests;                /* how many there were before the last one */
	struct curl_header shown[2]; /* what the two functions gave last */
	struct kept at[];            /* and behind them their texts */
};

/* ---- keeping ---- */

/* Only with the number of a request that was made there is a name to miss. */
bool rs_headers_know(const struct rs_curl_api *api, CURL *easy, int request)
{
	struct curl_header *found;
	CURLHcode code = api->easy_header(easy, "Date", 0, ANY, request, &found);

	return code == CURLHE_OK || code == CURLHE_MISSING;
}

static struct curl_header *next(const struct rs_curl_api *api, CURL *easy, int request,
				struct curl_header *previous)
{
	return api->easy_nextheader(easy, ANY, request, previous);
}

static char *copied(char **room, const char *text)
{
	size_t size = strlen(text) + 1;
	char *copy = memcpy(*room, text, size);

	*room += size;
	return copy;
}

/* How many there are, and the bytes of their texts. */
static size_t measure(const struct rs_curl_api *api, CURL *easy, size_t *texts)
{
	size_t count = 0;

	*texts = 0;
	for (int r = 0; rs_headers_know(api, easy, r); r++) {
		for (struct curl_header *h = next(api, easy, r, NULL); h; count++) {
			*texts += strlen(h->name) + strlen(h->value) + 2;
			h = next(api, easy, r, h);
		}
	}
	return count;
}

struct rs_kept_headers *rs_headers_keep(const struct rs_curl_api *api, CURL *easy)
{
	size_t texts, count = api->tells_headers ? measure(api, easy, &texts) : 0;
	struct rs_kept_headers *kept;
	char *room;

	if (count == 0)
		return NULL;
	kept = calloc(1, sizeof(*kept) + count * sizeof(kept->at[0]) + texts);
	if (!kept)
		return NULL;
	room = (char *)(kept->at + count);
	for (int r = 0; rs_headers_know(api, easy, r); r++) {
		for (struct curl_header *h = next(api, easy, r, NULL); h; kept->count++) {
			kept->at[kept->count] =
				(struct kept){ copied(&room, h->name), copied(&room, h->value),
					       h->origin, r };
			h = next(api, easy, r, h);
		}
		kept->requests = r;
	}
	return kept;
}

/* ---- telling ---- */

bool rs_headers_continue(const struct rs_kept_headers *kept, int request)
{
	return request == -1 || request == kept->requests;
}

static bool is_asked_for(const struct kept *header, unsigned origin, int request)
{
	return header->origin & origin && header->request == request;
}

static bool has_name(const struct kept *header, const char *name)
{
	size_t len = strlen(name);

	return strlen(header->name) == len && rs_ascii_same(header->name, name, len);
}

/* Give this one, which is number `index` of `amount` with its name. */
static struct curl_header *show(struct curl_header *shown, struct kept *header, size_t index,
				size_t amount)
{
	*shown = (struct curl_header){ .name = header->name,
				       .value = header->value,
				       .amount = amount,
				       .index = index,
				       .origin = header->origin,
				       .anchor = header };
	return shown;
}

CURLHcode rs_headers_find(struct rs_kept_headers *kept, const char *name, size_t index,
			  unsigned origin, int request, struct curl_header **found)
{
	struct kept *chosen = NULL;
	size_t amount = 0;

	if (!name || !found || origin == 0 || origin > ANY || request < -1)
		return CURLHE_BAD_ARGUMENT;
	if (request > kept->requests)
		return CURLHE_NOREQUEST;
	if (request == -1)
		request = kept->requests;
	for (size_t i = 0; i < kept->count; i++) {
		struct kept *header = &kept->at[i];

		if (is_asked_for(header, origin, request) && has_name(header, name) &&
		    amount++ == index)
			chosen = header;
	}
	if (amount == 0)
		return CURLHE_MISSING;
	if (!chosen)
		return CURLHE_BADINDEX;
	*found = show(&kept->shown[0], chosen, index, amount);
	return CURLHE_OK;
}

/* The number of the one behind it; that of none where it is not one of these. */
static size_t number_behind(const struct rs_kept_headers *kept, const struct curl_header *previous)
{
	for (size_t i = 0; i < kept->count; i++) {
		if (previous->anchor == &kept->at[i])
			return i + 1;
	}
	return kept->count;
}

struct curl_header *rs_headers_next(struct rs_kept_headers *kept, unsigned origin, int request,
				    const struct curl_header *previous)
{
	size_t chosen = previous ? number_behind(kept, previous) : 0, index = 0, amount = 0;

	if (request == -1)
		request = kept->requests;
	while (chosen < kept->count && !is_asked_for(&kept->at[chosen], origin, request))
		chosen++;
	if (chosen == kept->count)
		return NULL;
	for (size_t i = 0; i < kept->count; i++) {
		if (!is_asked_for(&kept->at[i], origin, request) ||
		    !has_name(&kept->at[i], kept->at[chosen].name))
			continue;
		index += i < chosen;
		amount++;
	}
	return show(&kept->shown[1], &kept->at[chosen], index, amount);
}
