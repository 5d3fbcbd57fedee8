/*
 * notified URL PATH...: fetch one after the other, as libcurl's notifications say: it is only then
 * that messages are read, what has ended is taken out, and the next one is added.
 */
#include <curl/curl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "harness.h"
#include "notified.h"

#define MS INT64_C(1000000)

static struct {
	CURLM *multi;
	const char *url, **paths; /* those that are left */
	CURL *easy;
	int64_t began_ns;
	char body[256];
	size_t len;
} here;

static size_t take(char *bytes, size_t size, size_t count, void *user)
{
	size_t len = size * count;

	(void)user;
	if (here.len + len < sizeof(here.body))
		memcpy(here.body + here.len, bytes, len);
	here.len += len;
	return len;
}

/* It has no more patience than that. */
static int look(void *user, curl_off_t total, curl_off_t got, curl_off_t size, curl_off_t sent)
{
	(void)user, (void)total, (void)got, (void)size, (void)sent;
	return now_ns() - here.began_ns > 600 * MS;
}

static void add_next(void)
{
	char url[512];

	if (!*here.paths)
		return;
	here.easy = curl_easy_init();
	here.len = 0;
	here.began_ns = now_ns();
	memset(here.body, 0, sizeof(here.body));
	(void)snprintf(url, sizeof(url), "%s%s", here.url, *here.paths++);
	(void)curl_easy_setopt(here.easy, CURLOPT_URL, url);
	(void)curl_easy_setopt(here.easy, CURLOPT_WRITEFUNCTION, take);
	(void)curl_easy_setopt(here.easy, CURLOPT_XFERINFOFUNCTION, look);
	(void)curl_easy_setopt(here.easy, CURLOPT_NOPROGRESS, 0L);
	printf("add %d\n", (int)curl_multi_add_handle(here.multi, here.easy));
}

static void read_messages(void)
{
	CURLMsg *msg;
	int left;

	while ((msg = curl_multi_info_read(here.multi, &left))) {
		printf("result %d, %d left, ours: %d, %s\n", (int)msg->data.result, left,
		       msg->easy_handle == here.easy, here.body);
		printf("remove %d\n", (int)curl_multi_remove_handle(here.multi, here.easy));
		curl_easy_cleanup(here.easy);
		add_next();
	}
}

static void on_notify(CURLM *multi, unsigned what, CURL *easy, void *data)
{
	int running;

	if (multi != here.multi || data != &here)
		printf("not ours\n");
	if (what == NOTIFY_EASY_DONE)
		printf("done, ours: %d\n", easy == here.easy);
	if (what != NOTIFY_INFO_READ)
		return;
	printf("driven: %d\n", (int)curl_multi_perform(here.multi, &running));
	read_messages();
}

int main(int argc, char **argv)
{
	int64_t ends_ns = now_ns() + 10000 * MS;
	int running = 1;

	if (argc < 3)
		return 2;
	here.multi = curl_multi_init();
	here.url = argv[1];
	here.paths = (const char **)argv + 2;
	(void)curl_multi_setopt(here.multi, NOTIFY_FUNCTION, on_notify);
	(void)curl_multi_setopt(here.multi, NOTIFY_DATA, &here);
	(void)curl_multi_notify_enable(here.multi, NOTIFY_INFO_READ);
	(void)curl_multi_notify_enable(here.multi, NOTIFY_EASY_DONE);
	add_next();
	while (running > 0 && now_ns() < ends_ns) {
		if (curl_multi_perform(here.multi, &running) != CURLM_OK)
			return 3;
		if (running > 0)
			(void)curl_multi_poll(here.multi, NULL, 0, 50, NULL);
	}
	printf("running %d\n", running);
	(void)curl_multi_cleanup(here.multi);
	return 0;
}
