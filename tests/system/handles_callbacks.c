/*
 * Callbacks that a program changes from transfer to transfer: each transfer's bytes go where the
 * program last said, whatever of the library's has stayed in libcurl from the one before.
 */
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "handles.h"

#define SOME 7 /* more handles than have a place of their own in the library */

static struct fetch elsewhere;

/* Takes no notice of the user pointer. */
static size_t take_elsewhere(char *bytes, size_t size, size_t count, void *user)
{
	(void)user;
	return handles_take(bytes, size, count, &elsewhere);
}

static size_t refuse(char *bytes, size_t size, size_t count, void *user)
{
	(void)bytes, (void)size, (void)count, (void)user;
	complain("a callback of another handle");
	return 0;
}

static void perform_elsewhere(CURL *easy, int fail, int id, const char *who)
{
	(void)curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_elsewhere);
	handles_set_url(easy, fail, id);
	elsewhere.len = 0;
	handles_check(&elsewhere, curl_easy_perform(easy), id, who);
}

static void between_transfers(void)
{
	CURL *easy = curl_easy_init();

	for (int id = 1000; id < 1006; id += 2) {
		handles_fetch(easy, id % 3, id, "the first function");
		perform_elsewhere(easy, id % 3, id + 1, "another function");
	}
	curl_easy_cleanup(easy);
}

static void headers_wanted_and_not(void)
{
	CURL *easy = curl_easy_init();

	for (int id = 1010; id < 1018; id++) {
		bool wanted = id / 2 % 2;

		(void)curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION,
				       wanted ? take_elsewhere : NULL);
		elsewhere.len = 0;
		handles_fetch(easy, id & 1, id, "beside headers");
		if ((elsewhere.len > 0) != wanted)
			complain("%d: %zu bytes of headers", id, elsewhere.len);
		if (wanted && strncmp(elsewhere.body, "HTTP/1.1 200", 12) != 0)
			complain("%d: headers of another attempt: %s", id, elsewhere.body);
	}
	curl_easy_cleanup(easy);
}

static void many_at_once(void)
{
	CURL *easy[SOME];

	for (int i = 0; i < SOME; i++)
		easy[i] = curl_easy_init();
	for (int i = 0; i < SOME; i++) {
		handles_fetch(easy[i], i % 3, 1020 + 2 * i, "one of some");
		perform_elsewhere(easy[i], i % 3, 1021 + 2 * i, "and another function");
	}
	for (int i = 0; i < SOME; i++)
		curl_easy_cleanup(easy[i]);
}

/* The copy's callbacks are its own, when the place of what it was copied from is another's: also
 * where nobody looks at the transfer. */
static void copies_outlive(void)
{
	CURLcode (*perform)(CURL *) =
		(CURLcode(*)(CURL *))(uintptr_t)handles_past("curl_easy_perform");
	CURL *easy = curl_easy_init(), *copy, *other;
	struct fetch got = { .len = 0 };

	(void)curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, take_elsewhere);
	handles_fetch(easy, 1, 1040, "the original");
	copy = curl_easy_duphandle(easy);
	curl_easy_cleanup(easy);
	other = curl_easy_init();
	(void)curl_easy_setopt(other, CURLOPT_WRITEFUNCTION, refuse);
	(void)curl_easy_setopt(other, CURLOPT_HEADERFUNCTION, refuse);
	handles_set_url(copy, 0, 1041);
	(void)curl_easy_setopt(copy, CURLOPT_WRITEDATA, &got);
	elsewhere.len = 0;
	handles_check(&got, perform(copy), 1041, "the copy");
	if (elsewhere.len == 0)
		complain("the copy has no header callback");
	curl_easy_cleanup(copy);
	curl_easy_cleanup(other);
}

static int asked[2];

static int ask_first(void *user, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
	(void)user, (void)a, (void)b, (void)c, (void)d;
	asked[0]++;
	return 0;
}

static int ask_second(void *user, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
	(void)a, (void)b, (void)c, (void)d;
	asked[1]++;
	if (user != asked)
		complain("another progress pointer");
	return 0;
}

static void expect_asked(bool first, bool second, const char *when)
{
	if ((asked[0] > 0) != first || (asked[1] > 0) != second)
		complain("%s: asked %d and %d times", when, asked[0], asked[1]);
	asked[0] = asked[1] = 0;
}

static void progress_of_each(CURL *easy, int id)
{
	CURL *copy;

	(void)curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L);
	(void)curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, ask_first);
	handles_fetch(easy, 1, id, "with progress");
	expect_asked(true, false, "the first");
	(void)curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, ask_second);
	(void)curl_easy_setopt(easy, CURLOPT_XFERINFODATA, asked);
	handles_fetch(easy, 0, id + 1, "with another progress");
	expect_asked(false, true, "the second");
	copy = curl_easy_duphandle(easy);
	(void)curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, NULL);
	(void)curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 1L);
	handles_fetch(easy, 1, id + 2, "without progress");
	expect_asked(false, false, "none");
	curl_easy_cleanup(easy);
	handles_fetch(copy, 1, id + 3, "the copy's progress");
	expect_asked(false, true, "the copy");
	curl_easy_cleanup(copy);
}

/* For handles that have a place of their own in the library, and for others. */
static void progress(void)
{
	CURL *easy[SOME];

	for (int i = 0; i < SOME; i++)
		easy[i] = curl_easy_init();
	for (int i = SOME; i-- > 0;)
		progress_of_each(easy[i], 1060 + 4 * i);
}

static int take_itself_back(void *easy, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
	(void)a, (void)b, (void)c, (void)d;
	(void)curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, NULL);
	return 0;
}

/* In its place libcurl then shows how far it is. */
static void progress_taken_back(void)
{
	CURL *easy = curl_easy_init();
	FILE *shown = tmpfile();

	(void)curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L);
	(void)curl_easy_setopt(easy, CURLOPT_STDERR, shown);
	(void)curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, take_itself_back);
	(void)curl_easy_setopt(easy, CURLOPT_XFERINFODATA, easy);
	handles_fetch(easy, 0, 1058, "with progress that is taken back");
	if (ftell(shown) <= 0)
		complain("libcurl shows nothing");
	curl_easy_cleanup(easy);
	(void)fclose(shown);
}

static curl_off_t sent_most;

static int never_less(void *user, curl_off_t a, curl_off_t b, curl_off_t total, curl_off_t now)
{
	(void)user, (void)a, (void)b;
	if (now < sent_most)
		complain("%ld bytes sent, after %ld", (long)now, (long)sent_most);
	if (now > total)
		complain("%ld bytes sent of %ld", (long)now, (long)total);
	sent_most = now;
	return 0;
}

/* Sent again after a failure it goes on, for all that the program is told. */
static void progress_of_an_upload(void)
{
	static char body[100000];
	CURL *easy[SOME];

	memset(body, 'u', sizeof(body));
	for (int i = 0; i < SOME; i++)
		easy[i] = curl_easy_init();
	for (int i = 0; i < SOME; i++) {
		(void)curl_easy_setopt(easy[i], CURLOPT_NOPROGRESS, 0L);
		(void)curl_easy_setopt(easy[i], CURLOPT_XFERINFOFUNCTION, never_less);
		(void)curl_easy_setopt(easy[i], CURLOPT_POSTFIELDSIZE, (long)sizeof(body));
		(void)curl_easy_setopt(easy[i], CURLOPT_POSTFIELDS, body);
		(void)curl_easy_setopt(easy[i], CURLOPT_CUSTOMREQUEST, "PUT");
		for (int failing = 0; failing < 3; failing++) {
			sent_most = 0;
			handles_fetch(easy[i], failing, 1100 + 3 * i + failing, "an upload");
			if (sent_most != sizeof(body))
				complain("%ld bytes sent", (long)sent_most);
		}
		curl_easy_cleanup(easy[i]);
	}
}

static CURLcode drive(CURLM *multi)
{
	int running = 1, left;
	CURLMsg *msg;

	while (running && curl_multi_perform(multi, &running) == CURLM_OK && running)
		(void)curl_multi_poll(multi, NULL, 0, 1000, NULL);
	msg = curl_multi_info_read(multi, &left);
	return msg ? msg->data.result : CURLE_FAILED_INIT;
}

static void in_and_out_of_a_multi_handle(void)
{
	CURLM *multi = curl_multi_init();
	CURL *easy = curl_easy_init();
	struct fetch got = { .len = 0 };

	for (int id = 1050; id < 1056; id += 2) {
		handles_fetch(easy, id % 3, id, "by itself");
		handles_set_url(easy, id % 3, id + 1);
		(void)curl_easy_setopt(easy, CURLOPT_WRITEDATA, &got);
		got.len = 0;
		(void)curl_multi_add_handle(multi, easy);
		handles_check(&got, drive(multi), id + 1, "in a multi handle");
		(void)curl_multi_remove_handle(multi, easy);
	}
	curl_easy_cleanup(easy);
	(void)curl_multi_cleanup(multi);
}

void handles_callbacks(void)
{
	between_transfers();
	headers_wanted_and_not();
	many_at_once();
	copies_outlive();
	progress();
	progress_taken_back();
	progress_of_an_upload();
	in_and_out_of_a_multi_handle();
}
