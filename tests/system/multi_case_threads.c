/*
 * Threads, each with a multi handle of its own; they share what libcurl lets threads share.
 */
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "multi_case.h"

#define THREADS 4
static pthread_mutex_t share_lock = PTHREAD_MUTEX_INITIALIZER;
static CURLSH *share;

static void lock(CURL *easy, curl_lock_data data, curl_lock_access access, void *user)
{
	(void)easy;
	(void)data;
	(void)access;
	(void)user;
	(void)pthread_mutex_lock(&share_lock);
}

static void unlock(CURL *easy, curl_lock_data data, void *user)
{
	(void)easy;
	(void)data;
	(void)user;
	(void)pthread_mutex_unlock(&share_lock);
}

static void *work(void *good)
{
	struct multi_loop own;
	int left, messages = 0;

	multi_loop_init(&own, case_loop.style);
	for (int round = 0; round < 3; round++) {
		struct transfer t[TRANSFERS] = { 0 };
		CURLMsg *msg;

		for (int i = 0; i < TRANSFERS; i++) {
			multi_set(&t[i], "/busy");
			(void)curl_easy_setopt(t[i].easy, CURLOPT_SHARE, share);
			(void)curl_multi_add_handle(own.multi, t[i].easy);
		}
		do {
			multi_loop_round(&own, 2000);
		} while (own.running > 0);
		while ((msg = curl_multi_info_read(own.multi, &left)) != NULL)
			messages += msg->data.result == CURLE_OK;
		for (int i = 0; i < TRANSFERS; i++) {
			*(int *)good += strcmp(t[i].body, "busy no more") == 0;
			(void)curl_multi_remove_handle(own.multi, t[i].easy);
			curl_easy_cleanup(t[i].easy);
		}
	}
	multi_loop_free(&own);
	*(int *)good += 100 * messages;
	return NULL;
}

void multi_threads(void)
{
	pthread_t thread[THREADS];
	int good[THREADS] = { 0 };

	share = curl_share_init();
	(void)curl_share_setopt(share, CURLSHOPT_LOCKFUNC, lock);
	(void)curl_share_setopt(share, CURLSHOPT_UNLOCKFUNC, unlock);
	(void)curl_share_setopt(share, CURLSHOPT_SHARE, CURL_LOCK_DATA_DNS);
	(void)curl_share_setopt(share, CURLSHOPT_SHARE, CURL_LOCK_DATA_COOKIE);
	for (int i = 0; i < THREADS; i++)
		(void)pthread_create(&thread[i], NULL, work, &good[i]);
	for (int i = 0; i < THREADS; i++) {
		(void)pthread_join(thread[i], NULL);
		printf("good %d\n", good[i]);
	}
	(void)curl_share_cleanup(share);
}
