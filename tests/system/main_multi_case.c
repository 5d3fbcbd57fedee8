/*
 * multi-case CASE URL [STYLE]: a program that uses the multi interface in one particular way, and
 * writes to stdout what it sees.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness.h"
#include "multi_case.h"
#include "multi_loop.h"

static const char *base;
struct multi_loop case_loop;

static size_t on_write(char *bytes, size_t size, size_t count, void *data)
{
	struct transfer *t = data;
	size_t len = size * count;

	if (t->pause) {
		t->pause = false;
		t->paused = true;
		return CURL_WRITEFUNC_PAUSE;
	}
	if (t->len + len < sizeof(t->body)) {
		memcpy(t->body + t->len, bytes, len);
		t->len += len;
	}
	return len;
}

void multi_set(struct transfer *t, const char *path)
{
	char url[256];

	if (!t->easy)
		t->easy = curl_easy_init();
	memset(t->body, 0, sizeof(t->body));
	t->len = 0;
	t->pause = t->paused = false;
	(void)snprintf(url, sizeof(url), "%s%s", base, path);
	(void)curl_easy_setopt(t->easy, CURLOPT_URL, url);
	(void)curl_easy_setopt(t->easy, CURLOPT_WRITEFUNCTION, on_write);
	(void)curl_easy_setopt(t->easy, CURLOPT_WRITEDATA, t);
	(void)curl_easy_setopt(t->easy, CURLOPT_ERRORBUFFER, t->error);
	/* libcurl 7.88 would use connections whose handle was freed in the middle of an exchange.
	 */
	(void)curl_easy_setopt(t->easy, CURLOPT_FRESH_CONNECT, 1L);
}

static void start(struct transfer *t, const char *path)
{
	multi_set(t, path);
	printf("add %d\n", (int)curl_multi_add_handle(case_loop.multi, t->easy));
}

static void drive_for(int ms)
{
	int64_t ends_ns = now_ns() + ms * MS;

	while (now_ns() < ends_ns)
		multi_loop_round(&case_loop, 20);
}

CURLMsg *multi_drive_to_message(void)
{
	int64_t ends_ns = now_ns() + 10000 * MS;
	CURLMsg *msg = NULL;
	int left;

	while (!msg && now_ns() < ends_ns) {
		multi_loop_round(&case_loop, 2000);
		msg = curl_multi_info_read(case_loop.multi, &left);
	}
	return msg;
}

void multi_tell_message(const CURLMsg *msg, const struct transfer *t)
{
	if (!msg)
		printf("no message\n");
	else
		printf("message %d, result %d, of this transfer: %d, body: %s\n", (int)msg->msg,
		       (int)msg->data.result, msg->easy_handle == t->easy, t->body);
}

/* ---- the cases ---- */

/* All messages are read before any is looked at: they live as long as their easy handles. */
static void messages(void)
{
	struct transfer t[TRANSFERS] = { 0 };
	CURLMsg *msgs[TRANSFERS] = { 0 };
	int left, seen = 0;

	for (int i = 0; i < TRANSFERS; i++)
		start(&t[i], "/busy");
	do {
		multi_loop_round(&case_loop, 2000);
	} while (case_loop.running > 0);
	for (int i = 0; i < TRANSFERS; i++)
		msgs[i] = curl_multi_info_read(case_loop.multi, &left);
	printf("left %d\n", left);
	for (int i = 0; i < TRANSFERS; i++) {
		for (int k = 0; k < TRANSFERS; k++)
			seen |= (msgs[i]->easy_handle == t[k].easy) << k;
		printf("%d %d\n", (int)msgs[i]->msg, (int)msgs[i]->data.result);
	}
	printf("seen %d\n", seen);
	for (int i = 0; i < TRANSFERS; i++) {
		(void)curl_multi_remove_handle(case_loop.multi, t[i].easy);
		curl_easy_cleanup(t[i].easy);
	}
}

/* A handle is freed before its message was read, and so is the message. */
static void unread(void)
{
	struct transfer t[TRANSFERS] = { 0 };
	const CURLMsg *msg;
	int left;

	for (int i = 0; i < TRANSFERS; i++) {
		multi_set(&t[i], "/ok");
		if (i != 1)
			(void)curl_easy_setopt(t[i].easy, CURLOPT_CONNECT_ONLY, 1L);
		(void)curl_multi_add_handle(case_loop.multi, t[i].easy);
	}
	do {
		multi_loop_round(&case_loop, 2000);
	} while (case_loop.running > 0);
	curl_easy_cleanup(t[0].easy);
	(void)curl_multi_remove_handle(case_loop.multi, t[1].easy);
	while ((msg = curl_multi_info_read(case_loop.multi, &left)) != NULL)
		printf("of %s, left %d\n", msg->easy_handle == t[2].easy ? "the last" : "another",
		       left);
	curl_easy_cleanup(t[1].easy);
	curl_easy_cleanup(t[2].easy);
}

/* A wait of the program is ended by another thread while the transfer waits. */
static void *wake(void *multi)
{
	(void)usleep(50000);
	(void)curl_multi_wakeup(multi);
	return NULL;
}

static void wakeup(void)
{
	struct transfer t = { 0 };
	pthread_t thread;
	int64_t began_ns;
	int ready;

	start(&t, "/later");
	drive_for(200);
	began_ns = now_ns();
	(void)pthread_create(&thread, NULL, wake, case_loop.multi);
	(void)curl_multi_poll(case_loop.multi, NULL, 0, 5000, &ready);
	printf("%s\n", now_ns() - began_ns < 500 * MS ? "woken" : "slept");
	(void)pthread_join(thread, NULL);
	printf("running %d\n", case_loop.running);
	multi_tell_message(multi_drive_to_message(), &t);
	(void)curl_multi_remove_handle(case_loop.multi, t.easy);
	curl_easy_cleanup(t.easy);
}

/* The progress callback is called all the while, and ends it. */
static struct {
	int64_t last_ns, longest_ns, until_ns;
} progress;

static int on_progress(void *data, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
	int64_t at_ns = now_ns();

	(void)data;
	(void)a;
	(void)b;
	(void)c;
	(void)d;
	if (progress.last_ns && at_ns - progress.last_ns > progress.longest_ns)
		progress.longest_ns = at_ns - progress.last_ns;
	progress.last_ns = at_ns;
	return at_ns > progress.until_ns;
}

static void aborted(void)
{
	struct transfer t = { 0 };

	multi_set(&t, "/later");
	progress.until_ns = now_ns() + 600 * MS;
	(void)curl_easy_setopt(t.easy, CURLOPT_NOPROGRESS, 0L);
	(void)curl_easy_setopt(t.easy, CURLOPT_XFERINFOFUNCTION, on_progress);
	(void)curl_multi_add_handle(case_loop.multi, t.easy);
	multi_tell_message(multi_drive_to_message(), &t);
	printf("%s\n", progress.longest_ns < 250 * MS ? "asked often" : "asked too rarely");
	printf("%s\n", now_ns() - progress.until_ns < 300 * MS ? "ended soon" : "ended late");
	printf("running %d\n", case_loop.running);
	multi_set(&t, "/ok"); /* and the callback is still the program's own */
	progress.until_ns = INT64_MAX;
	(void)curl_multi_remove_handle(case_loop.multi, t.easy);
	(void)curl_multi_add_handle(case_loop.multi, t.easy);
	multi_tell_message(multi_drive_to_message(), &t);
	(void)curl_multi_remove_handle(case_loop.multi, t.easy);
	curl_easy_cleanup(t.easy);
}

/* The program pauses a response that it is handed after the end, and goes on later. */
static void paused(void)
{
	struct transfer t = { 0 };
	int64_t began_ns;

	start(&t, "/held");
	t.pause = true;
	while (!t.paused)
		multi_loop_round(&case_loop, 2000);
	drive_for(150);
	printf("running %d, body: %s\n", case_loop.running, t.body);
	began_ns = now_ns();
	printf("go on %d\n", (int)curl_easy_pause(t.easy, CURLPAUSE_CONT));
	multi_tell_message(multi_drive_to_message(), &t);
	printf("%s\n", now_ns() - began_ns < 80 * MS ? "at once" : "after a while");
	(void)curl_multi_remove_handle(case_loop.multi, t.easy);
	curl_easy_cleanup(t.easy);
}

/* The program pauses a transfer of which nothing has come yet, and goes on long after it would have
 * come. */
static void paused_early(void)
{
	struct transfer t = { 0 };

	start(&t, "/later");
	drive_for(300);
	printf("pause %d\n", (int)curl_easy_pause(t.easy, CURLPAUSE_RECV));
	drive_for(1500);
	printf("running %d, body: %s\n", case_loop.running, t.body);
	printf("go on %d\n", (int)curl_easy_pause(t.easy, CURLPAUSE_CONT));
	multi_tell_message(multi_drive_to_message(), &t);
	(void)curl_multi_remove_handle(case_loop.multi, t.easy);
	curl_easy_cleanup(t.easy);
}

/* A program that takes streams which servers push. */
static int on_push(CURL *parent, CURL *easy, size_t count, struct curl_pushheaders *headers,
		   void *data)
{
	(void)parent, (void)easy, (void)count, (void)headers, (void)data;
	return CURL_PUSH_DENY;
}

static void push_after_a_refusal(struct transfer *t)
{
	long status = 0;

	multi_set(t, "/none");
	(void)curl_easy_setopt(t->easy, CURLOPT_FAILONERROR, 1L);
	printf("easy %d\n", (int)curl_easy_perform(t->easy));
	start(t, "/ok");
	multi_tell_message(multi_drive_to_message(), t);
	(void)curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
	printf("status %ld\n", status);
	(void)curl_multi_remove_handle(case_loop.multi, t->easy);
}

static void pushes(void)
{
	struct transfer t = { 0 };

	(void)curl_multi_setopt(case_loop.multi, CURLMOPT_PUSHFUNCTION, on_push);
	start(&t, "/busy");
	multi_tell_message(multi_drive_to_message(), &t);
	(void)curl_multi_remove_handle(case_loop.multi, t.easy);
	(void)curl_multi_setopt(case_loop.multi, CURLMOPT_PUSHFUNCTION, NULL);
	start(&t, "/busy");
	multi_tell_message(multi_drive_to_message(), &t);
	(void)curl_multi_remove_handle(case_loop.multi, t.easy);
	start(&t, "/held");
	(void)curl_multi_setopt(case_loop.multi, CURLMOPT_PUSHFUNCTION, on_push);
	multi_tell_message(multi_drive_to_message(), &t);
	(void)curl_multi_remove_handle(case_loop.multi, t.easy);
	push_after_a_refusal(&t);
	curl_easy_cleanup(t.easy);
}

/* Transfers in every state are taken out, or freed, or lose their multi handle. */
static void bring_to(struct transfer *t, const char *state)
{
	bool pauses = strcmp(state, "/held") == 0;
	int64_t ends_ns = now_ns() + 5000 * MS;

	start(t, state);
	t->pause = pauses;
	if (strcmp(state, "/ok") == 0) {
		do {
			multi_loop_round(&case_loop, 100);
		} while (case_loop.running > 0);
	} else if (pauses) {
		while (!t->paused && now_ns() < ends_ns)
			multi_loop_round(&case_loop, 100);
	} else {
		drive_for(100);
	}
}

static void use_again(struct transfer *t)
{
	multi_set(t, "/ok");
	printf("easy %d, body: %s\n", (int)curl_easy_perform(t->easy), t->body);
	start(t, "/busy");
	multi_tell_message(multi_drive_to_message(), t);
	(void)curl_multi_remove_handle(case_loop.multi, t->easy);
}

static void states(void)
{
	static const char *const each[] = { "/later", "/slow", "/ok", "/held" };
	struct transfer t[12] = { 0 };
	int left;

	for (int i = 0; i < 4; i++) {
		bring_to(&t[i], each[i]);
		printf("in use %d", (int)curl_easy_perform(t[i].easy));
		printf(", %s\n", t[i].error);
		printf("remove %d\n", (int)curl_multi_remove_handle(case_loop.multi, t[i].easy));
		printf("message %d\n", curl_multi_info_read(case_loop.multi, &left) != NULL);
		use_again(&t[i]);
		curl_easy_cleanup(t[i].easy);
		bring_to(&t[4 + i], each[i]);
		curl_easy_cleanup(t[4 + i].easy);
		printf("message %d\n", curl_multi_info_read(case_loop.multi, &left) != NULL);
	}
	for (int i = 0; i < 4; i++)
		bring_to(&t[8 + i], each[i]);
	printf("running %d\n", case_loop.running);
	multi_loop_free(&case_loop);
	multi_loop_init(&case_loop, case_loop.style);
	for (int i = 8; i < 12; i++) {
		use_again(&t[i]);
		curl_easy_cleanup(t[i].easy);
	}
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*run)(void);
	} cases[] = {
		{ "messages", messages },
		{ "recursive", multi_recursive },
		{ "wakeup", wakeup },
		{ "aborted", aborted },
		{ "paused", paused },
		{ "states", states },
		{ "threads", multi_threads },
		{ "early", paused_early },
		{ "pushes", pushes },
		{ "unread", unread },
		{ "refused", multi_refused },
		{ "refused-later", multi_refused_later },
		{ "timer-left", multi_timer_left },
		{ "busy", multi_busy },
		{ "told", multi_told },
	};

	if (argc != 4)
		return 2;
	base = argv[2];
	multi_loop_init(&case_loop, (enum multi_style)strtol(argv[3], NULL, 10));
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (strcmp(cases[i].name, argv[1]) == 0)
			cases[i].run();
	}
	multi_loop_free(&case_loop);
	printf("%s\n", case_loop.wrong ? case_loop.wrong : "as promised");
	return 0;
}
