/*
 * The ways to say where a transfer goes.
 */
#include <stdbool.h>

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
