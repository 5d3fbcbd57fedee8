/* Loaded with RTLD_DEEPBIND by transfer-trace: its calls go to libcurl, past what is preloaded. */
#include <curl/curl.h>

CURLcode perform_past(CURL *easy, const char *url);

__attribute__((visibility("default"))) CURLcode perform_past(CURL *easy, const char *url)
{
	(void)curl_easy_setopt(easy, CURLOPT_URL, url);
	return curl_easy_perform(easy);
}
