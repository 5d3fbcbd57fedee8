/*
 * What libcurl has for notifications since 8.17.
 */
#ifndef TESTS_NOTIFIED_H
#define TESTS_NOTIFIED_H

#include <curl/curl.h>

#define NOTIFY_INFO_READ 0u
#define NOTIFY_EASY_DONE 1u
#define NOTIFY_FUNCTION  ((CURLMoption)(CURLOPTTYPE_FUNCTIONPOINT + 18))
#define NOTIFY_DATA      ((CURLMoption)(CURLOPTTYPE_OBJECTPOINT + 19))

typedef void notify_fn(CURLM *multi, unsigned what, CURL *easy, void *data);

CURLMcode curl_multi_notify_enable(CURLM *multi, unsigned what);

#endif
