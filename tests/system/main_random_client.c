/*
 * random-client URL SEED COUNT THREADS: COUNT transfers of all kinds, from several threads, each
 * with a handle that it uses again and again. Every byte that arrives is compared with what it
 * must be (random_plan.h). Tells how many went well, failed, and were wrong; fails for the last.
 */
#include <curl/curl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness.h"
#include "random_plan.h"

static struct {
	const char *url;
	uint64_t seed;
	unsigned long count;
	const char *noise;
	atomic_ulong next, good, failed, wrong;
	atomic_ullong bytes;
} my;

enum kind { GET, RANGE, HEAD, POST, PUT, DELETE, KINDS };

struct transfer {
	CURL *easy;
	uint64_t id;
	enum kind kind;
	size_t len, first, end; /* of the object, and what of it is asked for */
	size_t up_len, up_sent;
	size_t got;
	bool is_wrong, refused;
	char refusal[64];
	char error[CURL_ERROR_SIZE];
};

static long status_of(CURL *easy)
{
	long status = 0;

	(void)curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
	return status;
}

static void note_wrong(struct transfer *t, const char *what)
{
	if (!t->is_wrong)
		(void)fprintf(stderr, "transfer %llu kind %d length %zu at %zu: %s\n",
			      (unsigned long long)t->id, (int)t->kind, t->len, t->got, what);
	t->is_wrong = true;
}

/* An answer of 200 or 206 is the object; any other one is the words of a failure. */
static size_t receive(char *bytes, size_t size, size_t count, void *user)
{
	struct transfer *t = user;
	size_t len = size * count;
	const char *wanted = my.noise + plan_offset(t->id) + t->first;
	size_t most = t->end - t->first;

	if (t->got == 0)
		t->refused = status_of(t->easy) >= 300;
	if (t->refused) {
		wanted = t->refusal;
		most = strlen(t->refusal);
	}
	if (t->got + len > most)
		note_wrong(t, "too many bytes");
	else if (memcmp(bytes, wanted + t->got, len) != 0)
		note_wrong(t, "other bytes");
	t->got += len;
	return len;
}

static size_t send_some(char *bytes, size_t size, size_t count, void *user)
{
	struct transfer *t = user;
	size_t left = t->up_len - t->up_sent;
	size_t len = left < size * count ? left : size * count;

	memcpy(bytes, my.noise + plan_offset(t->id) + t->up_sent, len);
	t->up_sent += len;
	return len;
}

static int seek(void *user, curl_off_t offset, int whence)
{
	struct transfer *t = user;

	(void)whence;
	t->up_sent = (size_t)offset;
	return CURL_SEEKFUNC_OK;
}

static void set_post(struct transfer *t)
{
	(void)curl_easy_setopt(t->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)t->up_len);
	(void)curl_easy_setopt(t->easy, CURLOPT_POSTFIELDS, my.noise + plan_offset(t->id));
}

static void set_put(struct transfer *t, uint64_t *state)
{
	(void)curl_easy_setopt(t->easy, CURLOPT_UPLOAD, 1L);
	(void)curl_easy_setopt(t->easy, CURLOPT_READFUNCTION, send_some);
	(void)curl_easy_setopt(t->easy, CURLOPT_READDATA, t);
	if (plan_random(state) % 2)
		(void)curl_easy_setopt(t->easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t)t->up_len);
	if (plan_random(state) % 2) {
		(void)curl_easy_setopt(t->easy, CURLOPT_SEEKFUNCTION, seek);
		(void)curl_easy_setopt(t->easy, CURLOPT_SEEKDATA, t);
	}
}

static void set_range(struct transfer *t, uint64_t *state)
{
	char range[64];

	if (t->len < 2)
		return;
	t->first = plan_random(state) % t->len;
	t->end = t->first + 1 + plan_random(state) % (t->len - t->first);
	(void)snprintf(range, sizeof(range), "%zu-%zu", t->first, t->end - 1);
	(void)curl_easy_setopt(t->easy, CURLOPT_RANGE, range);
}

static void set_kind(struct transfer *t, uint64_t *state)
{
	switch (t->kind) {
	case GET:
	case KINDS:
		break;
	case RANGE:
		set_range(t, state);
		break;
	case HEAD:
		(void)curl_easy_setopt(t->easy, CURLOPT_NOBODY, 1L);
		break;
	case POST:
		set_post(t);
		break;
	case PUT:
		set_put(t, state);
		break;
	case DELETE:
		(void)curl_easy_setopt(t->easy, CURLOPT_CUSTOMREQUEST, "DELETE");
		break;
	}
}

/* The way that the answer is to come: c in chunks, x to the end, z coded; e with an ETag; h held
 * by a rule. A part can only be asked of what has an ETag and is not coded. */
static void make_flags(const struct transfer *t, uint64_t *state, char flags[5])
{
	static const char framing[] = "lcxz";
	size_t n = 0;

	flags[n++] = t->kind == RANGE ? 'l' : framing[plan_random(state) % 4];
	if (t->kind == RANGE || plan_random(state) % 3 > 0)
		flags[n++] = 'e';
	if (plan_random(state) % 4 == 0)
		flags[n++] = 'h';
	flags[n] = '\0';
}

static void judge(struct transfer *t, CURLcode result)
{
	bool whole = t->got == (t->kind == HEAD ? 0 : t->end - t->first);

	if (result == CURLE_OK && !t->refused && status_of(t->easy) < 300 && !whole)
		note_wrong(t, "not all bytes, and no failure");
	(void)atomic_fetch_add(&my.bytes, t->got);
	if (t->is_wrong)
		(void)atomic_fetch_add(&my.wrong, 1);
	else if (result == CURLE_OK && status_of(t->easy) < 300)
		(void)atomic_fetch_add(&my.good, 1);
	else
		(void)atomic_fetch_add(&my.failed, 1);
}

static void transfer(CURL *easy, unsigned long number)
{
	static const unsigned char kinds[] = { GET,  GET,  GET, GET, RANGE,
					       HEAD, POST, PUT, PUT, DELETE };
	uint64_t state = plan_state(my.seed, number);
	struct transfer t = { .easy = easy, .id = number };
	char url[512], flags[5];

	t.kind = kinds[plan_random(&state) % sizeof(kinds)];
	t.len = t.end = plan_size(&state);
	t.up_len = plan_size(&state) % 300000;
	make_flags(&t, &state, flags);
	(void)snprintf(url, sizeof(url), "%s/t/%llu/%zu/%zu/%s", my.url, (unsigned long long)t.id,
		       t.len, t.up_len, flags);
	(void)snprintf(t.refusal, sizeof(t.refusal), "busy %llu", (unsigned long long)t.id);
	curl_easy_reset(easy);
	(void)curl_easy_setopt(easy, CURLOPT_URL, url);
	(void)curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	(void)curl_easy_setopt(easy, CURLOPT_TIMEOUT, 30L);
	(void)curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "gzip");
	(void)curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, receive);
	(void)curl_easy_setopt(easy, CURLOPT_WRITEDATA, &t);
	(void)curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, t.error);
	set_kind(&t, &state);
	judge(&t, curl_easy_perform(easy));
	(void)curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, NULL);
}

static void *work(void *unused)
{
	CURL *easy = curl_easy_init();
	unsigned long number;

	(void)unused;
	while ((number = atomic_fetch_add(&my.next, 1)) < my.count) {
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
	char *bytes = noise(PLAN_NOISE, PLAN_SEED);

	if (argc != 5)
		return 2;
	my.url = argv[1];
	my.seed = strtoull(argv[2], NULL, 10);
	my.count = strtoul(argv[3], NULL, 10);
	thread_count = strtoul(argv[4], NULL, 10) % 64;
	my.noise = bytes;
	(void)curl_global_init(CURL_GLOBAL_ALL);
	for (size_t i = 0; i < thread_count; i++)
		if (pthread_create(&threads[i], NULL, work, NULL) != 0)
			return 2;
	for (size_t i = 0; i < thread_count; i++)
		(void)pthread_join(threads[i], NULL);
	(void)printf("good %lu failed %lu wrong %lu bytes %llu\n", my.good, my.failed, my.wrong,
		     my.bytes);
	curl_global_cleanup();
	free(bytes);
	return my.wrong > 0;
}
