#include <string.h>

#include "handles.h"

const char *handles_base;
atomic_int handles_complaints;

size_t handles_take(char *bytes, size_t size, size_t count, void *user)
{
	struct fetch *fetch = user;
	size_t len = size * count;

	if (fetch->len + len < sizeof(fetch->body))
		memcpy(fetch->body + fetch->len, bytes, len);
	fetch->len += len;
	return len;
}

void handles_set_url(CURL *easy, int fail, int id)
{
	char url[256];

	(void)snprintf(url, sizeof(url), "%s/fail/%d/%d", handles_base, fail, id);
	(void)curl_easy_setopt(easy, CURLOPT_URL, url);
	(void)curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
}

void handles_check(const struct fetch *fetch, CURLcode result, int id, const char *who)
{
	char wanted[64];
	size_t len = (size_t)snprintf(wanted, sizeof(wanted), "object %d", id);

	if (result != CURLE_OK)
		complain("%s: %d: %s", who, id, curl_easy_strerror(result));
	else if (fetch->len != len || memcmp(fetch->body, wanted, len) != 0)
		complain("%s: %d: %zu other bytes", who, id, fetch->len);
}

/* One transfer that fails `fail` times before it succeeds. */
void handles_fetch(CURL *easy, int fail, int id, const char *who)
{
	struct fetch got = { .len = 0 };

	handles_set_url(easy, fail, id);
	(void)curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, handles_take);
	(void)curl_easy_setopt(easy, CURLOPT_WRITEDATA, &got);
	handles_check(&got, curl_easy_perform(easy), id, who);
}
