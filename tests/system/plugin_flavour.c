/* Linked with one flavour of libcurl, or the other, and loaded by reloading. */
#include <curl/curl.h>
#include <stdbool.h>
#include <string.h>

bool plugin_is_right(void);

/* Is a handle of the flavour that this is linked with? */
__attribute__((visibility("default"))) bool plugin_is_right(void)
{
	curl_sslbackend linked =
		strstr(curl_version(), "GnuTLS") ? CURLSSLBACKEND_GNUTLS : CURLSSLBACKEND_OPENSSL;
	const struct curl_tlssessioninfo *info = NULL;
	CURL *easy = curl_easy_init();
	bool right = easy && curl_easy_getinfo(easy, CURLINFO_TLS_SSL_PTR, &info) == CURLE_OK &&
		     info && info->backend == linked;

	curl_easy_cleanup(easy);
	return right;
}
