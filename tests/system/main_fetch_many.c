/*
 * fetch-many URL COUNT: fetch it that often through one easy handle, and print '.' for each that
 * brought a 200 and 'x' for each that did not.
 */
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>

static size_t drop(char *bytes, size_t one, size_t len, void *arg)
{
	(void)bytes;
	(void)arg;
	return one * len;
}

static char fetch(CURL *easy)
{
	long status = 0;

	if (curl_easy_perform(easy) == CURLE_OK)
		curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
	return status == 200 ? '.' : 'x';
}

int main(int argc, char **argv)
{
	CURL *easy = curl_easy_init();

	if (argc != 3 || !easy)
		return 2;
	curl_easy_setopt(easy, CURLOPT_URL, argv[1]);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, drop);
	for (long left = strtol(argv[2], NULL, 10); left > 0; left--)
		putchar(fetch(easy));
	putchar('\n');
	curl_easy_cleanup(easy);
	return fflush(stdout) == 0 ? 0 : 1;
}
