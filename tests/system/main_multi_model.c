/*
 * multi-model STYLE SEED URL: a random program of the multi interface, the same for the same seed.
 *
 * It adds transfers, drives them, removes some and adds them again, frees some, and at the end
 * waits for all that it has not removed. What the transfers came to is written to stdout, and so is
 * whatever was not as libcurl promises; nothing of it depends on how long anything takes.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness.h"
#include "multi_loop.h"

#define TRANSFERS 12
#define STEPS     60
#define NOISE     150000

/* A wait of this length means that the program was not woken. */
#define STALL_NS (INT64_C(1500) * 1000 * 1000)

struct transfer {
	CURL *easy;
	bool added;
	int reports; /* since it was added */
	size_t len, sent;
	const char *wrong;
	char url[256], error[CURL_ERROR_SIZE];
};

static struct transfer all[TRANSFERS];
static struct multi_loop loop;
static const char *bytes;
static uint64_t state;

/* xorshift64* */
static unsigned dice(unsigned sides)
{
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return (unsigned)((state * UINT64_C(0x2545F4914F6CDD1D)) >> 33) % sides;
}

static size_t size_of(int index)
{
	return (size_t)index * (size_t)index * 1000;
}

static bool is_upload(int index)
{
	return index % 4 == 3;
}

static size_t on_write(char *got, size_t size, size_t count, void *data)
{
	struct transfer *t = data;
	size_t len = size * count;

	if (t->len + len > NOISE || memcmp(bytes + t->len, got, len) != 0)
		t->wrong = "other bytes";
	t->len += len;
	return len;
}

static size_t on_read(char *into, size_t size, size_t count, void *data)
{
	struct transfer *t = data;
	size_t left = size_of((int)(t - all)) - t->sent;
	size_t len = left < size * count ? left : size * count;

	memcpy(into, bytes + t->sent, len);
	t->sent += len;
	return len;
}

static void prepare(struct transfer *t)
{
	if (!t->easy)
		t->easy = curl_easy_init();
	t->len = t->sent = 0;
	t->reports = 0;
	(void)curl_easy_setopt(t->easy, CURLOPT_URL, t->url);
	(void)curl_easy_setopt(t->easy, CURLOPT_WRITEFUNCTION, on_write);
	(void)curl_easy_setopt(t->easy, CURLOPT_WRITEDATA, t);
	(void)curl_easy_setopt(t->easy, CURLOPT_PRIVATE, t);
	(void)curl_easy_setopt(t->easy, CURLOPT_ERRORBUFFER, t->error);
	if (!is_upload((int)(t - all)))
		return;
	(void)curl_easy_setopt(t->easy, CURLOPT_UPLOAD, 1L);
	(void)curl_easy_setopt(t->easy, CURLOPT_READFUNCTION, on_read);
	(void)curl_easy_setopt(t->easy, CURLOPT_READDATA, t);
}

static void add(struct transfer *t)
{
	CURLMcode code = CURLM_OK;

	if (!t->added) {
		prepare(t);
		t->added = true;
		code = curl_multi_add_handle(loop.multi, t->easy);
	} else if (curl_multi_add_handle(loop.multi, t->easy) != CURLM_ADDED_ALREADY) {
		t->wrong = "added twice";
	}
	if (code != CURLM_OK)
		t->wrong = curl_multi_strerror(code);
}

/* Whether it had ended by then depends on the clock, so nothing is said of how. */
static void take_out(struct transfer *t)
{
	if (t->added && curl_multi_remove_handle(loop.multi, t->easy) != CURLM_OK)
		t->wrong = "cannot be removed";
	t->added = false;
}

/* Not while it is at work: libcurl 7.88 would keep its connection in the middle of an exchange, and
 * use it for the next one. */
static void destroy(struct transfer *t)
{
	if (dice(2) || t->reports == 0)
		take_out(t);
	curl_easy_cleanup(t->easy);
	t->easy = NULL;
	t->added = false;
}

static void read_messages(void)
{
	CURLMsg *msg;
	int left;

	while ((msg = curl_multi_info_read(loop.multi, &left)) != NULL) {
		struct transfer *t = NULL;
		long status = 0;

		(void)curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, &t);
		(void)curl_easy_getinfo(msg->easy_handle, CURLINFO_RESPONSE_CODE, &status);
		if (!t->added || msg->easy_handle != t->easy)
			t->wrong = "a report of what is not there";
		if (msg->data.result != CURLE_OK || status != 200) {
			printf("%s %ld: ", t->error, status);
			t->wrong = curl_easy_strerror(msg->data.result);
		}
		t->reports++;
	}
}

static bool is_all_done(void)
{
	for (int i = 0; i < TRANSFERS; i++) {
		if (all[i].added && all[i].reports == 0)
			return false;
	}
	return true;
}

static void drive(unsigned rounds, int longest_ms)
{
	while (rounds-- > 0) {
		multi_loop_round(&loop, longest_ms);
		read_messages();
	}
}

static void step(void)
{
	struct transfer *t = &all[dice(TRANSFERS)];

	switch (dice(8)) {
	case 0:
		take_out(t);
		break;
	case 1:
		if (dice(3) == 0)
			destroy(t);
		break;
	case 2:
	case 3:
		drive(1 + dice(4), 20);
		break;
	case 4:
		drive(1 + dice(30), 5);
		break;
	default:
		add(t);
	}
}

/* Of what the program has left in the multi handle. */
static void tell(struct transfer *t)
{
	int index = (int)(t - all);

	printf("%d: ", index);
	if (!t->added)
		printf("not there");
	else
		printf("reported %d times, %zu bytes", t->reports, t->len);
	printf("%s%s\n", t->wrong ? ", " : "", t->wrong ? t->wrong : "");
}

static void finish(void)
{
	int64_t began_ns = now_ns(), limit_ns = INT64_C(15) * 1000 * 1000 * 1000;

	while (!is_all_done() && now_ns() - began_ns < limit_ns)
		drive(1, 2000);
	drive(3, 0); /* nothing may be reported again */
	for (int i = 0; i < TRANSFERS; i++)
		tell(&all[i]);
	printf("running: %d\n", loop.running);
}

/* The end comes with some of them at work, or waiting, or done and not removed. */
static void end(void)
{
	bool multi_first = dice(2);

	for (int i = 0; i < TRANSFERS; i++) {
		if (dice(3))
			take_out(&all[i]);
		if (dice(3))
			add(&all[i]);
	}
	drive(dice(4), 5);
	if (multi_first)
		multi_loop_free(&loop);
	for (int i = 0; i < TRANSFERS; i++)
		curl_easy_cleanup(all[i].easy);
	if (!multi_first)
		multi_loop_free(&loop);
}

int main(int argc, char **argv)
{
	int64_t began_ns = now_ns(), took_ms;
	char *memory = noise(NOISE, 1);

	if (argc != 4)
		return 2;
	bytes = memory;
	state = strtoull(argv[2], NULL, 10) * 2 + 1;
	multi_loop_init(&loop, (enum multi_style)strtol(argv[1], NULL, 10));
	for (int i = 0; i < TRANSFERS; i++)
		(void)snprintf(all[i].url, sizeof(all[i].url), "%s/%d", argv[3], i);
	for (int i = 0; i < STEPS; i++)
		step();
	finish();
	end();
	took_ms = (now_ns() - began_ns) / 1000000;
	printf("%s\n", loop.wrong ? loop.wrong : "as promised");
	printf("%s\n", loop.longest_ns > STALL_NS ? "stalled" : "woken in time");
	printf("%s\n", loop.wakes > 2000 + took_ms ? "spinning" : "not spinning");
	(void)fprintf(stderr, "%ld wakes, %lld ms\n", loop.wakes, (long long)took_ms);
	free(memory);
	return 0;
}
