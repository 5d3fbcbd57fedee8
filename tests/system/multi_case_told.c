/*
 * What a progress callback is told when it asks about the response.
 */
#include <stdio.h>
#include <string.h>

#include "harness.h"
#include "multi_case.h"

/* All that it was told. */
static struct {
	bool failure, type, header;
} told;

static int on_progress(void *easy, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
	struct curl_header *header;
	const char *type = NULL;
	long status = 0;

	(void)a, (void)b, (void)c, (void)d;
	(void)curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
	(void)curl_easy_getinfo(easy, CURLINFO_CONTENT_TYPE, &type);
	told.failure |= status >= 400;
	told.type |= type && strcmp(type, "text/failure") == 0;
	told.header |= curl_easy_header(easy, "X-Failure", 0, CURLH_HEADER, -1, &header) == 0 ||
		       curl_easy_header(easy, "X-Failure", 0, CURLH_HEADER, 0, &header) == 0;
	return 0;
}

static void tell(const struct transfer *t)
{
	long status = 0;

	(void)curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
	printf("status %ld, told of a failure: %d, its type: %d, its header: %d\n", status,
	       told.failure, told.type, told.header);
}

void multi_told(void)
{
	struct transfer t = { 0 };

	multi_set(&t, "/failing");
	(void)curl_easy_setopt(t.easy, CURLOPT_NOPROGRESS, 0L);
	(void)curl_easy_setopt(t.easy, CURLOPT_XFERINFOFUNCTION, on_progress);
	(void)curl_easy_setopt(t.easy, CURLOPT_XFERINFODATA, t.easy);
	(void)curl_multi_add_handle(case_loop.multi, t.easy);
	multi_tell_message(multi_drive_to_message(), &t);
	(void)curl_multi_remove_handle(case_loop.multi, t.easy);
	tell(&t);
	multi_set(&t, "/failing-too");
	printf("easy %d, body: %s\n", (int)curl_easy_perform(t.easy), t.body);
	tell(&t);
	curl_easy_cleanup(t.easy);
}
