/*
 * Threads that end inside of curl_easy_perform(), by cancellation or from a callback, and what
 * becomes of the handle, which libcurl keeps for in use. Their stacks are gone.
 */
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include "handles.h"

#define STACK  (64 * 1024 * 1024) /* too much to be kept for the next thread */
#define BODY   200000
#define ROUNDS 4

static struct {
	CURL *easy;
	int slow_calls;
	int64_t last_ns;
	size_t sent;
} cut;

static int64_t clock_ns(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* Cancelled where libcurl waits. */
static int end_in_libcurl(void *user, curl_socket_t fd, curlsocktype purpose)
{
	(void)user, (void)fd, (void)purpose;
	(void)pthread_cancel(pthread_self());
	return CURL_SOCKOPT_OK;
}

/* Cancelled in a wait between attempts, which shows in the distances of the calls. */
static int end_in_wait(void *user, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
	int64_t now_ns = clock_ns();

	(void)user, (void)a, (void)b, (void)c, (void)d;
	cut.slow_calls = now_ns - cut.last_ns > 30000000 ? cut.slow_calls + 1 : 0;
	cut.last_ns = now_ns;
	if (cut.slow_calls == 4)
		(void)pthread_cancel(pthread_self());
	return 0;
}

static size_t end_in_callback(char *bytes, size_t size, size_t count, void *user)
{
	(void)bytes, (void)size, (void)count, (void)user;
	pthread_exit(NULL);
}

static size_t send_some(char *bytes, size_t size, size_t count, void *user)
{
	size_t left = BODY - cut.sent, len = size * count < left ? size * count : left;

	(void)user;
	memset(bytes, 'u', len);
	cut.sent += len;
	return len;
}

static void *perform(void *unused)
{
	(void)curl_easy_perform(cut.easy);
	complain("came back");
	return unused;
}

static void lose_thread(void)
{
	pthread_attr_t attributes;
	pthread_t thread;

	cut.slow_calls = 0;
	cut.last_ns = clock_ns();
	cut.sent = 0;
	(void)pthread_attr_init(&attributes);
	(void)pthread_attr_setstacksize(&attributes, STACK);
	if (pthread_create(&thread, &attributes, perform, NULL) != 0)
		complain("no thread");
	else
		(void)pthread_join(thread, NULL);
	(void)pthread_attr_destroy(&attributes);
}

/* All that libcurl still can do with it, and no more. */
static void use_again(int id)
{
	char error[CURL_ERROR_SIZE] = "";
	long status;
	CURL *copy;

	(void)curl_easy_setopt(cut.easy, CURLOPT_ERRORBUFFER, error);
	(void)curl_easy_setopt(cut.easy, CURLOPT_WRITEFUNCTION, handles_take);
	(void)curl_easy_setopt(cut.easy, CURLOPT_SOCKOPTFUNCTION, NULL);
	(void)curl_easy_setopt(cut.easy, CURLOPT_NOPROGRESS, 1L);
	if (curl_easy_perform(cut.easy) != CURLE_FAILED_INIT || !error[0])
		complain("%d: another transfer: %s", id, error);
	if (curl_easy_getinfo(cut.easy, CURLINFO_RESPONSE_CODE, &status) != CURLE_OK)
		complain("%d: tells nothing", id);
	copy = curl_easy_duphandle(cut.easy);
	(void)curl_easy_setopt(copy, CURLOPT_UPLOAD, 0L);
	handles_fetch(copy, 0, id, "a copy");
	curl_easy_cleanup(copy);
	curl_easy_reset(cut.easy);
	handles_set_url(cut.easy, 0, id);
	if (curl_easy_perform(cut.easy) != CURLE_FAILED_INIT)
		complain("%d: another transfer after a reset", id);
}

static void cut_off_in(int which, int id)
{
	cut.easy = curl_easy_init();
	handles_set_url(cut.easy, 9, id);
	(void)curl_easy_setopt(cut.easy, CURLOPT_READFUNCTION, send_some);
	(void)curl_easy_setopt(cut.easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t)BODY);
	if (which == 0)
		(void)curl_easy_setopt(cut.easy, CURLOPT_SOCKOPTFUNCTION, end_in_libcurl);
	if (which == 1) {
		(void)curl_easy_setopt(cut.easy, CURLOPT_UPLOAD, 1L);
		(void)curl_easy_setopt(cut.easy, CURLOPT_XFERINFOFUNCTION, end_in_wait);
		(void)curl_easy_setopt(cut.easy, CURLOPT_NOPROGRESS, 0L);
	}
	if (which == 2) {
		handles_set_url(cut.easy, 0, id);
		(void)curl_easy_setopt(cut.easy, CURLOPT_WRITEFUNCTION, end_in_callback);
	}
	lose_thread();
	use_again(id + 1);
	curl_easy_cleanup(cut.easy);
}

void handles_cut_off(void)
{
	CURL *others[4];
	size_t before = 0, after;

	for (int i = 0; i < 4; i++) /* of two kinds, in turn: see rs_handles_kept */
		others[i] = curl_easy_init();
	for (int round = 0; round < ROUNDS; round++) {
		for (int which = 0; which < 3; which++)
			cut_off_in(which, 1100 + 10 * round + 2 * which);
		if (round == 1) {
			before = handles_in_use();
			for (int i = 0; i < 4; i++)
				curl_easy_cleanup(others[i]);
		}
	}
	after = handles_in_use();
	if (after > before + BODY)
		complain("%zu bytes more in use", after - before);
}
