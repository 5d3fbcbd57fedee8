/*
 * A transfer that its callback leaves for good by longjmp(), as interpreters do, and its handle
 * freed; what follows in the same thread has nothing to do with it.
 */
#include <setjmp.h>
#include <string.h>

#include "handles.h"

#define KEPT 4 /* the first handles of a process have memory that stays */

static jmp_buf outside;

static size_t leave(char *bytes, size_t size, size_t count, void *user)
{
	(void)bytes, (void)size, (void)count, (void)user;
	longjmp(outside, 1);
}

static void leave_transfer(int id)
{
	CURL *volatile easy = curl_easy_init();

	handles_set_url(easy, 0, id);
	(void)curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, leave);
	if (setjmp(outside) == 0) {
		(void)curl_easy_perform(easy);
		complain("came back");
	}
	curl_easy_cleanup(easy);
}

static size_t give(char *bytes, size_t size, size_t count, void *user)
{
	bool *given = user;

	if (*given || size * count < 3)
		return 0;
	*given = true;
	memcpy(bytes, "abc", 3);
	return 3;
}

static void drive(CURL *easy)
{
	CURLM *multi = curl_multi_init();
	int running = 1;

	curl_multi_add_handle(multi, easy);
	while (running > 0 && curl_multi_perform(multi, &running) == CURLM_OK)
		(void)curl_multi_wait(multi, NULL, 0, 100, NULL);
	curl_multi_remove_handle(multi, easy);
	curl_multi_cleanup(multi);
}

/* Its part is read while no curl_easy_perform() runs. */
static void send_form(int id)
{
	CURL *easy = curl_easy_init();
	curl_mime *form = curl_mime_init(easy);
	curl_mimepart *part = curl_mime_addpart(form);
	struct fetch got = { .len = 0 };
	bool given = false;

	handles_set_url(easy, 0, id);
	(void)curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, handles_take);
	(void)curl_easy_setopt(easy, CURLOPT_WRITEDATA, &got);
	(void)curl_mime_name(part, "part");
	(void)curl_mime_data_cb(part, 3, give, NULL, NULL, &given);
	(void)curl_easy_setopt(easy, CURLOPT_MIMEPOST, form);
	drive(easy);
	handles_check(&got, CURLE_OK, id, "a form after it");
	if (!given)
		complain("the part was not read");
	curl_easy_cleanup(easy);
	curl_mime_free(form);
}

/* At its first line. */
static size_t leave_another(char *bytes, size_t size, size_t count, void *user)
{
	bool *left = user;

	(void)bytes;
	if (!*left)
		leave_transfer(1153);
	*left = true;
	return size * count;
}

/* It is the callback of another transfer that goes on. */
static void leave_inside(int id)
{
	CURL *easy = curl_easy_init();
	bool left = false;

	(void)curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, leave_another);
	(void)curl_easy_setopt(easy, CURLOPT_HEADERDATA, &left);
	handles_fetch(easy, 0, id, "a transfer around it");
	curl_easy_cleanup(easy);
}

void handles_left(void)
{
	CURL *kept[KEPT];

	for (int i = 0; i < KEPT; i++)
		kept[i] = curl_easy_init();
	leave_transfer(1150);
	send_form(1151);
	handles_fetch(kept[0], 1, 1152, "a transfer after it");
	leave_inside(1154);
	for (int i = 0; i < KEPT; i++)
		curl_easy_cleanup(kept[i]);
}
