/*
 * random-client URL SEED COUNT THREADS: COUNT transfers of all kinds, from several threads, each
 * with a handle that it uses again and again (random_transfer.h). Tells how many went well, failed,
 * and were wrong; fails for the last.
 */
#include <curl/curl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "harness.h"
#include "random_plan.h"
#include "random_transfer.h"

static struct random_source source = { .timeout_ms = 30000 };
static unsigned long count;
static atomic_ulong next, ends[3];
static atomic_ullong bytes;

static void transfer(CURL *easy, unsigned long number)
{
	struct random_transfer t;
	enum random_end end;

	random_transfer_prepare(&t, &source, easy, number);
	end = random_transfer_judge(&t, curl_easy_perform(easy));
	(void)atomic_fetch_add(&ends[end], 1);
	(void)atomic_fetch_add(&bytes, t.got);
}

static void *work(void *unused)
{
	CURL *easy = curl_easy_init();
	unsigned long number;

	(void)unused;
	while ((number = atomic_fetch_add(&next, 1)) < count) {
		transfer(easy, number);
		if (number % 64 == 0) {
			CURL *copy = curl_easy_duphandle(easy);

			curl_easy_cleanup(easy);
			easy = copy;
		}
	}
	curl_easy_cleanup(easy);
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t threads[64];
	size_t thread_count;
	char *memory = noise(PLAN_NOISE, PLAN_SEED);

	if (argc != 5)
		return 2;
	source.url = argv[1];
	source.seed = strtoull(argv[2], NULL, 10);
	count = strtoul(argv[3], NULL, 10);
	thread_count = strtoul(argv[4], NULL, 10) % 64;
	source.noise = memory;
	(void)curl_global_init(CURL_GLOBAL_ALL);
	for (size_t i = 0; i < thread_count; i++)
		if (pthread_create(&threads[i], NULL, work, NULL) != 0)
			return 2;
	for (size_t i = 0; i < thread_count; i++)
		(void)pthread_join(threads[i], NULL);
	(void)printf("good %lu failed %lu wrong %lu bytes %llu\n", ends[RANDOM_GOOD],
		     ends[RANDOM_FAILED], ends[RANDOM_WRONG], bytes);
	curl_global_cleanup();
	free(memory);
	return ends[RANDOM_WRONG] > 0;
}
