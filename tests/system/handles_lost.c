#include <stdint.h>

#include "handles.h"

/* A handle that was freed behind the back of whoever looks at curl_easy_cleanup(), in a callback,
 * while it was part of a multi handle and waited there; and a new one in its place. */
static struct {
	CURL *old, *new;
} lost;

static size_t replace_inside(char *bytes, size_t size, size_t count, void *user)
{
	void (*cleanup)(CURL *) = (void (*)(CURL *))(uintptr_t)handles_past("curl_easy_cleanup");

	if (!lost.new) {
		cleanup(lost.old);
		lost.new = curl_easy_init();
	}
	return handles_take(bytes, size, count, user);
}

static void set(CURL *easy, struct fetch *got, int fail, int id)
{
	got->len = 0;
	handles_set_url(easy, fail, id);
	(void)curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, handles_take);
	(void)curl_easy_setopt(easy, CURLOPT_WRITEDATA, got);
}

static void drive(CURLM *multi)
{
	int running, ready;

	(void)curl_multi_perform(multi, &running);
	(void)curl_multi_poll(multi, NULL, 0, 50, &ready);
}

/* libcurl itself has no time of that length to keep. */
static void drive_to_wait(CURLM *multi)
{
	long timeout_ms = -1;

	while (timeout_ms < 300) {
		drive(multi);
		(void)curl_multi_timeout(multi, &timeout_ms);
	}
}

static CURLcode drive_to_end(CURLM *multi, const CURL *easy)
{
	const CURLMsg *msg = NULL;
	int left;

	while (!msg) {
		drive(multi);
		msg = curl_multi_info_read(multi, &left);
	}
	if (msg->easy_handle != easy)
		complain("another one's message");
	return msg->data.result;
}

/* False: the new one is elsewhere, and what is then left in the multi handle is not to be used. */
static bool lose_one(CURLM *multi, CURL *other, int id)
{
	struct fetch first = { .len = 0 }, got;

	lost.old = curl_easy_init();
	lost.new = NULL;
	set(lost.old, &first, 1, id);
	(void)curl_multi_add_handle(multi, lost.old);
	drive_to_wait(multi);
	set(other, &got, 0, id + 10);
	(void)curl_easy_setopt(other, CURLOPT_WRITEFUNCTION, replace_inside);
	handles_check(&got, curl_easy_perform(other), id + 10, "around");
	if (lost.new != lost.old)
		return false;
	set(lost.new, &got, 0, id + 20);
	(void)curl_multi_add_handle(multi, lost.new);
	handles_check(&got, drive_to_end(multi, lost.new), id + 20, "in its place");
	(void)curl_multi_remove_handle(multi, lost.new);
	curl_easy_cleanup(lost.new);
	if (first.len > 0)
		complain("the one that is gone went on");
	return true;
}

void handles_lost(void)
{
	CURL *other;
	CURLM *multi;
	int count = 0;

	if (handles_keep_freed_memory()) /* there is none in its place, then */
		return;
	other = curl_easy_init();
	multi = curl_multi_init();
	while (count < 3 && lose_one(multi, other, 700 + count))
		count++;
	if (count == 0)
		complain("none in the place of the one before");
	if (count == 3)
		(void)curl_multi_cleanup(multi);
	curl_easy_cleanup(other);
}
