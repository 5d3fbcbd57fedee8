#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include "handles.h"

/* A transfer inside a callback of another one, which has failed before, too. */
static size_t fetch_inside(char *bytes, size_t size, size_t count, void *user)
{
	static int id = 600;
	CURL *inner = curl_easy_init();

	if (id < 603)
		handles_fetch(inner, 2, id++, "inside");
	curl_easy_cleanup(inner);
	return handles_take(bytes, size, count, user);
}

void handles_nested(void)
{
	CURL *easy = curl_easy_init();
	struct fetch got = { .len = 0 };

	handles_set_url(easy, 2, 610);
	(void)curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, fetch_inside);
	(void)curl_easy_setopt(easy, CURLOPT_HEADERDATA, &(struct fetch){ .len = 0 });
	(void)curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, handles_take);
	(void)curl_easy_setopt(easy, CURLOPT_WRITEDATA, &got);
	handles_check(&got, curl_easy_perform(easy), 610, "outside");
	curl_easy_cleanup(easy);
}

/* Waits that the program's progress callback ends. */
static struct {
	int calls, limit;
	int64_t last_ns, longest_ns;
} watch;

static int64_t clock_ns(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static int note_progress(void)
{
	int64_t now_ns = clock_ns();

	if (watch.calls++ > 0 && now_ns - watch.last_ns > watch.longest_ns)
		watch.longest_ns = now_ns - watch.last_ns;
	watch.last_ns = now_ns;
	return watch.calls > watch.limit;
}

static int new_progress(void *user, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
	(void)user;
	(void)a;
	(void)b;
	(void)c;
	(void)d;
	return note_progress();
}

static int old_progress(void *user, double a, double b, double c, double d)
{
	(void)user;
	(void)a;
	(void)b;
	(void)c;
	(void)d;
	return note_progress();
}

/* Called once the first attempt runs. */
static int unhide(void *easy, curl_socket_t fd, curlsocktype purpose)
{
	(void)fd;
	(void)purpose;
	(void)curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L);
	return CURL_SOCKOPT_OK;
}

static void cancelled(bool old, bool later)
{
	CURL *easy = curl_easy_init();
	char error[CURL_ERROR_SIZE];
	int64_t took_ns, began_ns = clock_ns();
	CURLcode result;

	memset(&watch, 0, sizeof(watch));
	watch.limit = 14;
	handles_set_url(easy, 9, 700);
	if (old)
		(void)curl_easy_setopt(easy, CURLOPT_PROGRESSFUNCTION, old_progress);
	else
		(void)curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, new_progress);
	(void)curl_easy_setopt(easy, CURLOPT_SOCKOPTFUNCTION, later ? unhide : NULL);
	(void)curl_easy_setopt(easy, CURLOPT_SOCKOPTDATA, easy);
	(void)curl_easy_setopt(easy, CURLOPT_NOPROGRESS, later ? 1L : 0L);
	(void)curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, error);
	result = curl_easy_perform(easy);
	took_ns = clock_ns() - began_ns;
	if (result != CURLE_ABORTED_BY_CALLBACK || strcmp(error, "Callback aborted") != 0)
		complain("old %d later %d: ended with %d: %s", old, later, (int)result, error);
	if (took_ns > 5000000000)
		complain("old %d later %d: took %lld ms", old, later,
			 (long long)(took_ns / 1000000));
	if (watch.longest_ns > 150000000)
		complain("old %d later %d: not called for %lld ms", old, later,
			 (long long)(watch.longest_ns / 1000000));
	(void)curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 1L);
	handles_fetch(easy, 0, 701, "after it");
	curl_easy_cleanup(easy);
}

void handles_cancelling(void)
{
	for (int i = 0; i < 4; i++)
		cancelled(i & 1, i & 2);
}

/* A transfer pauses, and goes on from inside another one's callback: what it was kept comes then,
 * and is its own. Where it goes was changed meanwhile. */
static struct {
	CURL *first, *second;
	struct fetch wrong, got, other;
	bool paused, went_on;
} pausing;

static size_t take_later(char *bytes, size_t size, size_t count, void *user)
{
	if (!pausing.paused) {
		pausing.paused = true;
		(void)curl_easy_setopt(pausing.first, CURLOPT_WRITEDATA, &pausing.got);
		return CURL_WRITEFUNC_PAUSE;
	}
	return handles_take(bytes, size, count, user);
}

static size_t take_and_go_on(char *bytes, size_t size, size_t count, void *user)
{
	if (user != &pausing.other)
		complain("a piece for somebody else");
	if (!pausing.went_on) {
		pausing.went_on = true;
		(void)curl_easy_pause(pausing.first, CURLPAUSE_CONT);
	}
	return handles_take(bytes, size, count, user);
}

static int while_paused(void *user, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
	(void)user, (void)a, (void)b, (void)c, (void)d;
	if (!pausing.paused || pausing.went_on)
		return 0;
	handles_set_url(pausing.second, 0, 901);
	(void)curl_easy_setopt(pausing.second, CURLOPT_WRITEFUNCTION, take_and_go_on);
	(void)curl_easy_setopt(pausing.second, CURLOPT_WRITEDATA, &pausing.other);
	handles_check(&pausing.other, curl_easy_perform(pausing.second), 901, "the one inside");
	return 0;
}

void handles_pauses(void)
{
	pausing.first = curl_easy_init();
	pausing.second = curl_easy_init();
	handles_set_url(pausing.first, 0, 900);
	(void)curl_easy_setopt(pausing.first, CURLOPT_WRITEFUNCTION, take_later);
	(void)curl_easy_setopt(pausing.first, CURLOPT_WRITEDATA, &pausing.wrong);
	(void)curl_easy_setopt(pausing.first, CURLOPT_XFERINFOFUNCTION, while_paused);
	(void)curl_easy_setopt(pausing.first, CURLOPT_NOPROGRESS, 0L);
	handles_check(&pausing.got, curl_easy_perform(pausing.first), 900, "the paused one");
	if (!pausing.went_on || pausing.wrong.len > 0)
		complain("pausing: %d, %zu bytes elsewhere", pausing.went_on, pausing.wrong.len);
	pausing.got.len = 0;
	(void)curl_easy_setopt(pausing.first, CURLOPT_NOPROGRESS, 1L);
	handles_set_url(pausing.first, 1, 902);
	handles_check(&pausing.got, curl_easy_perform(pausing.first), 902, "the same again");
	curl_easy_cleanup(pausing.first);
	curl_easy_cleanup(pausing.second);
}

/* A program that pauses in the middle of a wait, for longer than the wait takes. That it is one
 * shows in calls that come at the distances of a wait. */
static struct {
	CURL *easy;
	struct fetch got;
	int64_t last_ns, paused_ns;
	int slow_calls, result;
	bool early, went_on;
	int what;
} halting;

static size_t take_if_not_halted(char *bytes, size_t size, size_t count, void *user)
{
	halting.early |= halting.paused_ns != 0 && !halting.went_on;
	return handles_take(bytes, size, count, user);
}

static int halt(void *user, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
	int64_t now_ns = clock_ns();

	(void)user, (void)a, (void)b, (void)c, (void)d;
	halting.slow_calls = now_ns - halting.last_ns > 30000000 ? halting.slow_calls + 1 : 0;
	halting.last_ns = now_ns;
	if (halting.paused_ns == 0 && halting.slow_calls == 4) {
		halting.result = (int)curl_easy_pause(halting.easy, halting.what);
		halting.paused_ns = now_ns;
	}
	if (halting.paused_ns != 0 && now_ns - halting.paused_ns > 1500000000 && !halting.went_on) {
		halting.went_on = true;
		halting.result |= (int)curl_easy_pause(halting.easy, CURLPAUSE_CONT);
	}
	return 0;
}

static size_t give_if_not_halted(char *into, size_t size, size_t count, void *user)
{
	bool *given = user;

	(void)size, (void)count;
	halting.early |= halting.paused_ns != 0 && !halting.went_on;
	if (*given)
		return 0;
	*given = true;
	memcpy(into, "body", 4);
	return 4;
}

static void check_halting(CURL *easy, int id, const char *who)
{
	halting.easy = easy;
	halting.last_ns = clock_ns();
	handles_set_url(easy, 1, id);
	(void)curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_if_not_halted);
	(void)curl_easy_setopt(easy, CURLOPT_WRITEDATA, &halting.got);
	(void)curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, halt);
	(void)curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L);
	handles_check(&halting.got, curl_easy_perform(easy), id, who);
	if (halting.result != 0 || halting.early || !halting.went_on)
		complain("%s: result %d, early %d, went on %d", who, halting.result, halting.early,
			 halting.went_on);
	curl_easy_cleanup(easy);
}

void handles_halting(void)
{
	CURL *up = curl_easy_init();
	bool given = false;

	halting.what = CURLPAUSE_RECV;
	check_halting(curl_easy_init(), 950, "the halted one");
	memset(&halting, 0, sizeof(halting));
	halting.what = CURLPAUSE_SEND;
	(void)curl_easy_setopt(up, CURLOPT_UPLOAD, 1L);
	(void)curl_easy_setopt(up, CURLOPT_READFUNCTION, give_if_not_halted);
	(void)curl_easy_setopt(up, CURLOPT_READDATA, &given);
	check_halting(up, 951, "the halted upload");
}

/* While one thread waits, another one goes on. */
static atomic_bool waiting_is_over;

static void *wait_long(void *unused)
{
	CURL *easy = curl_easy_init();

	handles_fetch(easy, 1, 800, "the one that waits");
	waiting_is_over = true;
	curl_easy_cleanup(easy);
	return unused;
}

void handles_going_on(void)
{
	CURL *easy = curl_easy_init();
	pthread_t thread;
	int done = 0;

	if (pthread_create(&thread, NULL, wait_long, NULL) != 0)
		complain("no thread");
	while (!waiting_is_over && done < 10000)
		handles_fetch(easy, 0, 1000 + done++, "meanwhile");
	(void)pthread_join(thread, NULL);
	if (done < 20)
		complain("only %d transfers during a wait", done);
	curl_easy_cleanup(easy);
}

/* A URL that is set in the middle of a transfer, which a fault has kept from the network, is that
 * of the next one. */
static struct {
	CURL *easy;
	bool set;
} moving;

static void set_long_url(CURL *easy, int id)
{
	char url[1024];

	(void)snprintf(url, sizeof(url), "%s/fail/0/%d?%0800d", handles_base, id, 0);
	(void)curl_easy_setopt(easy, CURLOPT_URL, url);
}

static int move_on(void *user, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
	(void)user, (void)a, (void)b, (void)c, (void)d;
	if (!moving.set)
		set_long_url(moving.easy, 961);
	moving.set = true;
	return 0;
}

void handles_moving_on(void)
{
	struct fetch got = { .len = 0 };
	CURLcode result;

	moving.easy = curl_easy_init();
	set_long_url(moving.easy, 960);
	(void)curl_easy_setopt(moving.easy, CURLOPT_NOSIGNAL, 1L);
	(void)curl_easy_setopt(moving.easy, CURLOPT_XFERINFOFUNCTION, move_on);
	(void)curl_easy_setopt(moving.easy, CURLOPT_NOPROGRESS, 0L);
	(void)curl_easy_setopt(moving.easy, CURLOPT_WRITEFUNCTION, handles_take);
	(void)curl_easy_setopt(moving.easy, CURLOPT_WRITEDATA, &got);
	result = curl_easy_perform(moving.easy);
	if (result != CURLE_OK || got.len != 5 || memcmp(got.body, "fault", 5) != 0)
		complain("moved on: %d, %zu bytes", (int)result, got.len);
	got.len = 0;
	handles_check(&got, curl_easy_perform(moving.easy), 961, "the next one");
	curl_easy_cleanup(moving.easy);
}
