/* Linked with libcurl-gnutls, and loaded by two-flavours, which is linked with libcurl. */
#include "fetch.h"

int plugin_fetch(const char *url);

__attribute__((visibility("default"))) int plugin_fetch(const char *url)
{
	return fetch_and_tell(url);
}
