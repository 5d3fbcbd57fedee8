/*
 * A transfer, by the interface that is named: "easy", or any other for a multi handle.
 */
#ifndef TESTS_DRIVEN_H
#define TESTS_DRIVEN_H

#include <curl/curl.h>
#include <string.h>

static inline CURLcode driven_by_multi(CURL *easy)
{
	CURLM *multi = curl_multi_init();
	int running = 1, left;
	CURLMsg *msg;
	CURLcode result;

	(void)curl_multi_add_handle(multi, easy);
	while (running && curl_multi_perform(multi, &running) == CURLM_OK && running)
		(void)curl_multi_poll(multi, NULL, 0, 1000, NULL);
	msg = curl_multi_info_read(multi, &left);
	result = msg ? msg->data.result : CURLE_FAILED_INIT;
	(void)curl_multi_remove_handle(multi, easy);
	(void)curl_multi_cleanup(multi);
	return result;
}

static inline CURLcode driven_by(const char *interface, CURL *easy)
{
	return strcmp(interface, "easy") == 0 ? curl_easy_perform(easy) : driven_by_multi(easy);
}

#endif
