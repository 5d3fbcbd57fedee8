/*
 * The ways to say where a transfer goes.
 */
#include <stdbool.h>
#include <string.h>

#include "handles.h"

/* libcurl copies a URL, and so does a handle's copy; without one there is no transfer. */
void handles_urls(void)
{
	CURL *easy = curl_easy_init(), *copy;
	struct fetch got = { .len = 0 };

	handles_set_url(easy, 0, 41);
	handles_fetch(easy, 1, 40, "the last one counts");
	(void)curl_easy_setopt(easy, CURLOPT_URL, NULL);
	if (curl_easy_perform(easy) != CURLE_URL_MALFORMAT)
		complain("no URL, and a transfer");
	(void)curl_easy_setopt(easy, CURLOPT_URL, "");
	if (curl_easy_perform(easy) != CURLE_URL_MALFORMAT)
		complain("an empty URL, and a transfer");
	(void)curl_easy_setopt(easy, CURLOPT_WRITEDATA, &got);
	handles_set_url(easy, 2, 42);
	copy = curl_easy_duphandle(easy);
	handles_set_url(easy, 0, 43);
	handles_check(&got, curl_easy_perform(copy), 42, "the copy's own");
	got.len = 0;
	handles_check(&got, curl_easy_perform(copy), 42, "and once more");
	curl_easy_cleanup(copy);
	curl_easy_cleanup(easy);
}

static void set_curlu(CURLU *curlu, int id)
{
	char url[256];

	(void)snprintf(url, sizeof(url), "%s/fail/2/%d", handles_base, id);
	(void)curl_url_set(curlu, CURLUPART_URL, url, 0);
}

/* A CURLU handle goes before a URL that was set, too. What is in it when a transfer begins counts.
 */
static void by_curlu(bool url_too, bool follow, int id)
{
	CURL *easy = curl_easy_init();
	CURLU *curlu = curl_url();
	struct fetch got = { .len = 0 };

	if (url_too)
		(void)curl_easy_setopt(easy, CURLOPT_URL, "http://elsewhere.invalid/");
	(void)curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, follow ? 1L : 0L);
	(void)curl_easy_setopt(easy, CURLOPT_CURLU, curlu);
	(void)curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, handles_take);
	(void)curl_easy_setopt(easy, CURLOPT_WRITEDATA, &got);
	for (int i = 0; i < 3; i++) {
		set_curlu(curlu, id + i);
		got.len = 0;
		handles_check(&got, curl_easy_perform(easy), id + i, url_too ? "both" : "CURLU");
	}
	curl_easy_cleanup(easy);
	curl_url_cleanup(curlu);
}

void handles_curlu(void)
{
	for (int i = 0; i < 4; i++)
		by_curlu(i & 1, i & 2, 980 + 3 * i);
}

static int began, ended; /* the user pointer of those below is the first */

static long begin_file(const void *about, void *user, int left)
{
	const struct curl_fileinfo *file = about;

	if (user != &began || strcmp(file->filename, "o") != 0 || left != 1)
		complain("file %s, %d left, for %p", file->filename, left, user);
	began++;
	return CURL_CHUNK_BGN_FUNC_OK;
}

static long end_file(void *user)
{
	if (user != &began)
		complain("the end of a file for %p", user);
	ended++;
	return CURL_CHUNK_END_FUNC_OK;
}

/* All files of a name's kind, one after the other: each is told of. */
void handles_wildcard(void)
{
	CURL *easy = curl_easy_init();
	struct fetch got = { .len = 0 };
	CURLcode result;

	(void)curl_easy_setopt(easy, CURLOPT_URL, handles_base);
	(void)curl_easy_setopt(easy, CURLOPT_WILDCARDMATCH, 1L);
	(void)curl_easy_setopt(easy, CURLOPT_CHUNK_BGN_FUNCTION, begin_file);
	(void)curl_easy_setopt(easy, CURLOPT_CHUNK_END_FUNCTION, end_file);
	(void)curl_easy_setopt(easy, CURLOPT_CHUNK_DATA, &began);
	(void)curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, handles_take);
	(void)curl_easy_setopt(easy, CURLOPT_WRITEDATA, &got);
	result = curl_easy_perform(easy);
	if (result != CURLE_OK || began != 1 || ended != 1 || got.len == 0)
		complain("wildcard: %d, %d begun, %d ended", result, began, ended);
	curl_easy_cleanup(easy);
}
