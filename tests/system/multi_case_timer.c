/*
 * A timer callback that fails: what libcurl makes of it, and the shim.
 */
#include <stdio.h>

#include "harness.h"
#include "multi_case.h"

/* It fails at a time of this length, from the second call on. */
static struct {
	int calls;
	long from_ms, to_ms;
} failing;

static int fail_in_timer(CURLM *multi, long timeout_ms, void *data)
{
	(void)multi;
	(void)data;
	if (failing.calls++ == 0)
		return 0;
	return timeout_ms >= failing.from_ms && timeout_ms <= failing.to_ms ? -1 : 0;
}

static void add(struct transfer *t, const char *path)
{
	multi_set(t, path);
	printf("add %d\n", (int)curl_multi_add_handle(case_loop.multi, t->easy));
}

/* Until it comes to something, or ten seconds. */
static void drive_to_error(void)
{
	int64_t ends_ns = now_ns() + 10000 * MS;
	CURLMcode code = CURLM_OK;
	int running = 1, ready;

	while (code == CURLM_OK && running > 0 && now_ns() < ends_ns) {
		(void)curl_multi_poll(case_loop.multi, NULL, 0, 20, &ready);
		code = curl_multi_perform(case_loop.multi, &running);
	}
	printf("perform %d, running %d\n", (int)code, running);
}

static void finish(struct transfer *t)
{
	multi_tell_message(multi_drive_to_message(), t);
	(void)curl_multi_remove_handle(case_loop.multi, t->easy);
}

/* It is freed while the program waits for it. */
static void free_one_that_waits(void)
{
	struct transfer t = { 0 };

	add(&t, "/later");
	for (int64_t ends_ns = now_ns() + 100 * MS; now_ns() < ends_ns;)
		multi_loop_round(&case_loop, 20);
	printf("running: %d\n", case_loop.running);
	curl_easy_cleanup(t.easy);
	printf("timer set: %d\n", case_loop.timer_set);
}

/* Each attempt ends in the very call that begins it. */
void multi_timer_left(void)
{
	struct transfer t = { 0 };

	free_one_that_waits();
	multi_set(&t, "/ok");
	(void)curl_easy_setopt(t.easy, CURLOPT_URL, "http://127.0.0.1:1/");
	printf("add %d\n", (int)curl_multi_add_handle(case_loop.multi, t.easy));
	finish(&t);
	printf("timer set: %d\n", case_loop.timer_set);
	curl_easy_cleanup(t.easy);
}

/* Where libcurl itself has something to tell. */
void multi_refused(void)
{
	struct transfer t = { 0 };

	failing.from_ms = 1;
	failing.to_ms = 1000000;
	(void)curl_multi_setopt(case_loop.multi, CURLMOPT_TIMERFUNCTION, fail_in_timer);
	add(&t, "/busy");
	drive_to_error();
	finish(&t);
	curl_easy_cleanup(t.easy);
}

/* Where a transfer waits for a second, of which libcurl knows nothing; and one after it. */
void multi_refused_later(void)
{
	struct transfer t = { 0 };

	failing.from_ms = 800;
	failing.to_ms = 1100;
	(void)curl_multi_setopt(case_loop.multi, CURLMOPT_TIMERFUNCTION, fail_in_timer);
	add(&t, "/later");
	drive_to_error();
	finish(&t);
	add(&t, "/ok");
	finish(&t);
	curl_easy_cleanup(t.easy);
}
