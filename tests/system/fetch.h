/* Fetch `url` with whichever libcurl the includer is linked with, and say which that is. */
#ifndef TESTS_FETCH_H
#define TESTS_FETCH_H

#include <curl/curl.h>
#include <stdio.h>
#include <string.h>

static inline int fetch_and_tell(const char *url)
{
	const char *backend = strstr(curl_version(), "GnuTLS") ? "GnuTLS" : "OpenSSL";
	CURL *easy = curl_easy_init();
	CURLcode result;

	curl_easy_setopt(easy, CURLOPT_URL, url);
	printf("%s: ", backend);
	fflush(stdout);
	result = curl_easy_perform(easy);
	if (result != CURLE_OK)
		printf("%s\n", curl_easy_strerror(result));
	fflush(stdout);
	curl_easy_cleanup(easy);
	return result == CURLE_OK ? 0 : 1;
}

#endif
