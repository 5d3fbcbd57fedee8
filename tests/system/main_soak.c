/*
 * soak URL SEED SECONDS OUTPUT RULES: a busy program's long life. Threads that transfer
 * (random_transfer.h) with the easy and the multi interface, connect, and look names up, while
 * everything fails at random and the rules file is written anew now and then.
 *
 * A line an interval goes to OUTPUT; the summary goes to stdout. Fails for wrong bytes, memory that
 * grows, and descriptors, threads and processes that are left.
 */
#include <curl/curl.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness.h"
#include "multi_loop.h"
#include "random_plan.h"
#include "random_transfer.h"
#include "soak_connect.h"
#include "soak_memory.h"

#define INTERVALS  60
#define RELOADS    30
#define EASY       3
#define CONNECTING 2
#define TOGETHER   8   /* transfers of a multi handle */
#define MULTI_LIFE 200 /* transfers until a new one is made */

/* What may be more late than early: what allocators keep, caches that fill, and the rules of each
 * reload, which stay. */
#define HEAP_KIB_MORE   1024
#define RSS_KIB_MORE    4096
#define RELOAD_KIB_MORE 48

static struct random_source source = { .recovers = true };
static atomic_bool over;
static atomic_ulong next_number, ends[3], connects[3], lookups[3];
static atomic_ullong bytes;

static bool goes_on(void)
{
	return !atomic_load_explicit(&over, memory_order_relaxed);
}

/* ---- transfers ---- */

static void count(const struct random_transfer *t, enum random_end end)
{
	(void)atomic_fetch_add(&ends[end], 1);
	(void)atomic_fetch_add(&bytes, t->got);
}

static void *use_easy(void *unused)
{
	CURL *easy = curl_easy_init();

	(void)unused;
	while (goes_on()) {
		uint64_t number = atomic_fetch_add(&next_number, 1);
		struct random_transfer t;

		random_transfer_prepare(&t, &source, easy, number);
		count(&t, random_transfer_judge(&t, curl_easy_perform(easy)));
		if (number % 64 == 0) {
			CURL *copy = curl_easy_duphandle(easy);

			curl_easy_cleanup(easy);
			easy = copy;
		}
	}
	curl_easy_cleanup(easy);
	return NULL;
}

static void add_next(CURLM *multi, struct random_transfer *t, CURL *easy)
{
	random_transfer_prepare(t, &source, easy, atomic_fetch_add(&next_number, 1));
	if (curl_multi_add_handle(multi, easy) != CURLM_OK)
		(void)atomic_fetch_add(&ends[RANDOM_WRONG], 1);
}

/* Count what has ended, and begin others in its place as long as it `goes on`; how many are at
 * work. */
static int follow(CURLM *multi, int at_work, bool goes)
{
	CURLMsg *msg;
	int left;

	while ((msg = curl_multi_info_read(multi, &left)) != NULL) {
		CURL *easy = msg->easy_handle;
		CURLcode result = msg->data.result;
		struct random_transfer *t = NULL;

		(void)curl_easy_getinfo(easy, CURLINFO_PRIVATE, &t);
		(void)curl_multi_remove_handle(multi, easy);
		count(t, random_transfer_judge(t, result));
		if (goes)
			add_next(multi, t, easy);
		else
			at_work--;
	}
	return at_work;
}

static void live_of_a_multi(enum multi_style style)
{
	struct random_transfer all[TOGETHER];
	CURL *easies[TOGETHER];
	struct multi_loop loop;
	unsigned long last = atomic_load(&ends[RANDOM_GOOD]) + MULTI_LIFE;
	int at_work = TOGETHER;

	multi_loop_init(&loop, style);
	for (int i = 0; i < TOGETHER; i++) {
		easies[i] = curl_easy_init();
		add_next(loop.multi, &all[i], easies[i]);
	}
	while (at_work > 0) {
		multi_loop_round(&loop, 200);
		at_work = follow(loop.multi, at_work,
				 goes_on() && atomic_load(&ends[RANDOM_GOOD]) < last);
	}
	for (int i = 0; i < TOGETHER; i++)
		curl_easy_cleanup(easies[i]);
	multi_loop_free(&loop);
	if (loop.wrong) {
		(void)fprintf(stderr, "multi: %s\n", loop.wrong);
		(void)atomic_fetch_add(&ends[RANDOM_WRONG], 1);
	}
}

static void *use_multi(void *unused)
{
	(void)unused;
	for (unsigned turn = 0; goes_on(); turn++)
		live_of_a_multi((enum multi_style)(turn % 3));
	return NULL;
}

/* ---- connections and names ---- */

static void *use_connect(void *number)
{
	uint64_t state = plan_state(source.seed, UINT64_MAX - (uintptr_t)number);

	while (goes_on())
		(void)atomic_fetch_add(&connects[soak_connect(&state)], 1);
	return NULL;
}

static void *use_lookup(void *unused)
{
	(void)unused;
	while (goes_on()) {
		(void)atomic_fetch_add(&lookups[soak_lookup()], 1);
		(void)poll(NULL, 0, 5);
	}
	return NULL;
}

/* ---- the rules ---- */

/* As an editor does it: a new file in the place of the old one. */
static void rewrite(const char *path, const char *text, size_t len, int turn)
{
	char beside[512];
	FILE *file;

	(void)snprintf(beside, sizeof(beside), "%s.new", path);
	file = fopen(beside, "we");
	if (!file)
		exit(3);
	(void)fwrite(text, 1, len, file);
	(void)fprintf(file, "\n; turn %d\n", turn);
	if (fclose(file) != 0 || rename(beside, path) != 0)
		exit(3);
}

/* ---- the course of it ---- */

static struct {
	struct holdings first, at[INTERVALS + 1], last;
	int count;
} seen;

static FILE *output;

static void tell(double at_s, const struct holdings *now)
{
	(void)fprintf(output,
		      "%7.1f s  transfers %lu good, %lu failed, %lu wrong; connects %lu, %lu, %lu; "
		      "look-ups %lu, %lu, %lu; RSS %ld, heap %ld KiB; %ld descriptors, "
		      "%ld threads, %ld children\n",
		      at_s, ends[0], ends[1], ends[2], connects[0], connects[1], connects[2],
		      lookups[0], lookups[1], lookups[2], now->rss_kib, now->heap_kib,
		      now->descriptors, now->threads, now->children);
	(void)fflush(output);
}

static void watch(double seconds, const char *rules)
{
	size_t len;
	char *text = read_file(rules, &len);
	int64_t began_ns = now_ns(), took_ns;
	int turn = 0;

	for (int i = 1; i <= INTERVALS; i++) {
		while ((took_ns = now_ns() - began_ns) < (int64_t)(seconds * 1e9 * i / INTERVALS))
			(void)poll(NULL, 0, 20);
		seen.at[seen.count] = holdings_now();
		tell((double)took_ns / 1e9, &seen.at[seen.count++]);
		if (i % (INTERVALS / RELOADS) == 0)
			rewrite(rules, text, len, ++turn);
	}
	free(text);
}

static void live(double seconds, const char *rules)
{
	pthread_t threads[EASY + 1 + CONNECTING + 1];
	void *(*const work[])(void *) = { use_easy,    use_easy,    use_easy,  use_multi,
					  use_connect, use_connect, use_lookup };
	size_t all = sizeof(threads) / sizeof(threads[0]);

	for (size_t i = 0; i < all; i++) {
		if (pthread_create(&threads[i], NULL, work[i], (void *)i) != 0)
			exit(3);
	}
	watch(seconds, rules);
	atomic_store(&over, true);
	for (size_t i = 0; i < all; i++)
		(void)pthread_join(threads[i], NULL);
}

/* ---- what is left of it ---- */

/* The mean of a stretch of the samples: single ones say when somebody held something large. */
static struct holdings mean(int from, int to)
{
	struct holdings sum = { 0 };

	for (int i = from; i < to; i++) {
		sum.rss_kib += seen.at[i].rss_kib;
		sum.heap_kib += seen.at[i].heap_kib;
	}
	sum.rss_kib /= to - from;
	sum.heap_kib /= to - from;
	return sum;
}

static bool grew(const char *what, long early, long late, long more)
{
	(void)printf("%s early %ld late %ld KiB\n", what, early, late);
	return late > early + more;
}

static bool differs(const char *what, long before, long after)
{
	(void)printf("%s before %ld after %ld\n", what, before, after);
	return before != after;
}

static int conclude(void)
{
	struct holdings early = mean(INTERVALS / 10, INTERVALS / 4);
	struct holdings late = mean(INTERVALS - INTERVALS / 6, INTERVALS);
	unsigned long wrong = ends[2] + connects[2] + lookups[2];
	long reloads = RELOADS * RELOAD_KIB_MORE;
	bool bad = wrong > 0;

	(void)printf("transfers good %lu failed %lu wrong %lu bytes %llu\n", ends[0], ends[1],
		     ends[2], bytes);
	(void)printf("connects good %lu failed %lu wrong %lu\n", connects[0], connects[1],
		     connects[2]);
	(void)printf("look-ups good %lu failed %lu wrong %lu\n", lookups[0], lookups[1],
		     lookups[2]);
	/* An allocator that does not tell is a sanitizer's, which keeps what is freed. */
	if (late.heap_kib > 0) {
		bad |= grew("RSS", early.rss_kib, late.rss_kib, RSS_KIB_MORE + reloads);
		bad |= grew("heap", early.heap_kib, late.heap_kib, HEAP_KIB_MORE);
	}
	bad |= differs("descriptors", seen.first.descriptors, seen.last.descriptors);
	bad |= differs("threads", seen.first.threads, seen.last.threads);
	bad |= differs("children", seen.first.children, seen.last.children);
	(void)printf("%s\n", bad ? "BAD" : "all is well");
	return bad;
}

int main(int argc, char **argv)
{
	char *memory = noise(PLAN_NOISE, PLAN_SEED);

	if (argc != 6)
		return 2;
	source.url = argv[1];
	source.seed = strtoull(argv[2], NULL, 10);
	source.noise = memory;
	output = fopen(argv[4], "ae");
	if (!output)
		return 2;
	(void)curl_global_init(CURL_GLOBAL_ALL);
	seen.first = holdings_now();
	live(strtod(argv[3], NULL), argv[5]);
	curl_global_cleanup();
	seen.last = holdings_now();
	free(memory);
	return conclude();
}
