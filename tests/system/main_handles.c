/*
 * handles CASE URL: ways to use handles. Under URL, /fail/N/ID fails N times and then answers
 * "object ID"; every case fetches some, and tells on stdout what went otherwise than it should.
 */
#include <curl/curl.h>
#include <dlfcn.h>
#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MANY 4000

static const char *base;
static atomic_int complaints;

#define complain(...)                                                                              \
	(atomic_fetch_add(&complaints, 1), (void)printf(__VA_ARGS__), (void)putchar('\n'))

struct fetch {
	char body[256];
	size_t len;
};

static size_t take(char *bytes, size_t size, size_t count, void *user)
{
	struct fetch *fetch = user;
	size_t len = size * count;

	if (fetch->len + len < sizeof(fetch->body))
		memcpy(fetch->body + fetch->len, bytes, len);
	fetch->len += len;
	return len;
}

static void set_url(CURL *easy, int fail, int id)
{
	char url[256];

	(void)snprintf(url, sizeof(url), "%s/fail/%d/%d", base, fail, id);
	(void)curl_easy_setopt(easy, CURLOPT_URL, url);
	(void)curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
}

static void check_fetched(const struct fetch *fetch, CURLcode result, int id, const char *who)
{
	char wanted[64];
	size_t len = (size_t)snprintf(wanted, sizeof(wanted), "object %d", id);

	if (result != CURLE_OK)
		complain("%s: %d: %s", who, id, curl_easy_strerror(result));
	else if (fetch->len != len || memcmp(fetch->body, wanted, len) != 0)
		complain("%s: %d: %zu other bytes", who, id, fetch->len);
}

/* One transfer that fails `fail` times before it succeeds. */
static void fetch(CURL *easy, int fail, int id, const char *who)
{
	struct fetch got = { .len = 0 };

	set_url(easy, fail, id);
	(void)curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take);
	(void)curl_easy_setopt(easy, CURLOPT_WRITEDATA, &got);
	check_fetched(&got, curl_easy_perform(easy), id, who);
}

static void copies(void)
{
	CURL *easy = curl_easy_init(), *copy, *second;
	struct fetch got = { .len = 0 };

	fetch(easy, 1, 1, "first");
	(void)curl_easy_setopt(easy, CURLOPT_WRITEDATA, &got);
	set_url(easy, 2, 2);
	copy = curl_easy_duphandle(easy);
	second = curl_easy_duphandle(copy);
	curl_easy_cleanup(easy);
	check_fetched(&got, curl_easy_perform(copy), 2, "copy");
	curl_easy_cleanup(copy);
	fetch(second, 2, 3, "copy of a copy");
	curl_easy_cleanup(second);
}

static size_t refuse(char *bytes, size_t size, size_t count, void *user)
{
	(void)bytes;
	(void)size;
	(void)count;
	(void)user;
	complain("a callback that was reset");
	return 0;
}

static void reset(void)
{
	CURL *easy = curl_easy_init();

	(void)curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, refuse);
	(void)curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, refuse);
	(void)curl_easy_setopt(easy, CURLOPT_POSTFIELDS, "a=b");
	(void)curl_easy_setopt(easy, CURLOPT_RANGE, "1-2");
	curl_easy_reset(easy);
	fetch(easy, 2, 10, "after a reset");
	curl_easy_reset(easy);
	fetch(easy, 0, 11, "after another");
	curl_easy_cleanup(easy);
}

/* A handle that was made behind the back of whoever looks at curl_easy_init(). It is used like any
 * other, and is not guarded. */
static void unseen(void)
{
	void *library = dlopen("libcurl.so.4", RTLD_NOW | RTLD_NOLOAD);
	void *found = library ? dlvsym(library, "curl_easy_init", "CURL_OPENSSL_4") : NULL;
	CURL *(*init)(void) = (CURL * (*)(void))(uintptr_t)found;
	struct fetch got = { .len = 0 };
	CURL *easy, *copy;

	if (!init) {
		complain("no libcurl");
		return;
	}
	easy = init();
	fetch(easy, 0, 20, "unseen");
	curl_easy_reset(easy);
	set_url(easy, 0, 21);
	(void)curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take);
	(void)curl_easy_setopt(easy, CURLOPT_WRITEDATA, &got);
	copy = curl_easy_duphandle(easy);
	(void)curl_easy_pause(easy, CURLPAUSE_CONT);
	curl_easy_cleanup(easy);
	check_fetched(&got, curl_easy_perform(copy), 21, "copy of an unseen one");
	curl_easy_cleanup(copy);
	curl_easy_cleanup(NULL);
	(void)dlclose(library);
}

/* One handle, in one thread after the other. */
static void *take_turn(void *easy)
{
	static int turn;

	turn++;
	fetch(easy, turn % 3, 100 + turn, "turn");
	return NULL;
}

static void turns(void)
{
	CURL *easy = curl_easy_init();

	for (int i = 0; i < 40; i++) {
		pthread_t thread;

		if (pthread_create(&thread, NULL, take_turn, easy) == 0)
			(void)pthread_join(thread, NULL);
	}
	curl_easy_cleanup(easy);
}

static pthread_mutex_t share_locks[CURL_LOCK_DATA_LAST];

static void lock(CURL *easy, curl_lock_data data, curl_lock_access access, void *user)
{
	(void)easy;
	(void)access;
	(void)user;
	(void)pthread_mutex_lock(&share_locks[data]);
}

static void unlock(CURL *easy, curl_lock_data data, void *user)
{
	(void)easy;
	(void)user;
	(void)pthread_mutex_unlock(&share_locks[data]);
}

static void *share_some(void *shared)
{
	static atomic_int next = 200;

	for (int i = 0; i < 20; i++) {
		CURL *easy = curl_easy_init();
		int id = atomic_fetch_add(&next, 1);

		(void)curl_easy_setopt(easy, CURLOPT_SHARE, shared);
		(void)curl_easy_setopt(easy, CURLOPT_COOKIEFILE, "");
		fetch(easy, id % 3, id, "sharing");
		curl_easy_cleanup(easy);
	}
	return NULL;
}

static void share(void)
{
	CURLSH *shared = curl_share_init();
	pthread_t threads[4];

	for (int i = 0; i < CURL_LOCK_DATA_LAST; i++)
		(void)pthread_mutex_init(&share_locks[i], NULL);
	(void)curl_share_setopt(shared, CURLSHOPT_LOCKFUNC, lock);
	(void)curl_share_setopt(shared, CURLSHOPT_UNLOCKFUNC, unlock);
	(void)curl_share_setopt(shared, CURLSHOPT_SHARE, CURL_LOCK_DATA_COOKIE);
	(void)curl_share_setopt(shared, CURLSHOPT_SHARE, CURL_LOCK_DATA_DNS);
	for (int i = 0; i < 4; i++)
		if (pthread_create(&threads[i], NULL, share_some, shared) != 0)
			complain("no thread");
	for (int i = 0; i < 4; i++)
		(void)pthread_join(threads[i], NULL);
	(void)curl_share_cleanup(shared);
}

/* Bytes in use, to a page or two. */
static size_t in_use(void)
{
	(void)malloc_trim(0);
	return mallinfo2().uordblks;
}

/* Thousands at once, several times over: what they took comes back. */
static void many(void)
{
	static CURL *handles[MANY];
	size_t before = 0, after;

	for (int round = 0; round < 4; round++) {
		for (int i = 0; i < MANY; i++) {
			handles[i] = curl_easy_init();
			(void)curl_easy_setopt(handles[i], CURLOPT_URL, base);
		}
		fetch(handles[round], 1, 300 + 2 * round, "one of many");
		fetch(handles[MANY - 1], 1, 301 + 2 * round, "last of many");
		for (int i = 0; i < MANY; i++)
			curl_easy_cleanup(handles[i]);
		if (round == 0)
			before = in_use();
	}
	after = in_use();
	if (after > before + 65536)
		complain("%zu bytes more in use", after - before);
}

static void *make_and_drop(void *unused)
{
	for (int i = 0; i < 3000; i++) {
		CURL *easy = curl_easy_init();

		(void)curl_easy_setopt(easy, CURLOPT_URL, base);
		curl_easy_cleanup(easy);
	}
	return unused;
}

/* Handles come and go in several threads, so that addresses go from one to the other. */
static void coming_and_going(void)
{
	pthread_t threads[4];
	CURL *easy = curl_easy_init();

	for (int i = 0; i < 4; i++)
		if (pthread_create(&threads[i], NULL, make_and_drop, NULL) != 0)
			complain("no thread");
	for (int i = 0; i < 20; i++)
		fetch(easy, 1, 400 + i, "meanwhile");
	for (int i = 0; i < 4; i++)
		(void)pthread_join(threads[i], NULL);
	curl_easy_cleanup(easy);
}

static void forked(void)
{
	CURL *easy = curl_easy_init(), *other = curl_easy_init();
	int status = 0;
	pid_t child;

	fetch(easy, 1, 500, "before the fork");
	(void)fflush(stdout);
	child = fork();
	if (child == 0) {
		CURL *fresh = curl_easy_init();

		fetch(other, 2, 501, "a handle in the child");
		fetch(fresh, 2, 502, "a handle of the child");
		curl_easy_cleanup(fresh);
		curl_easy_cleanup(other);
		(void)fflush(stdout);
		_exit(complaints > 0);
	}
	fetch(other, 2, 503, "in the parent");
	if (waitpid(child, &status, 0) != child || status != 0)
		complain("the child ended with %d", status);
	fetch(easy, 1, 504, "after the child");
	curl_easy_cleanup(easy);
	curl_easy_cleanup(other);
}

/* A transfer inside a callback of another one, which has failed before, too. */
static size_t fetch_inside(char *bytes, size_t size, size_t count, void *user)
{
	static int id = 600;
	CURL *inner = curl_easy_init();

	if (id < 603)
		fetch(inner, 2, id++, "inside");
	curl_easy_cleanup(inner);
	return take(bytes, size, count, user);
}

static void nested(void)
{
	CURL *easy = curl_easy_init();
	struct fetch got = { .len = 0 };

	set_url(easy, 2, 610);
	(void)curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, fetch_inside);
	(void)curl_easy_setopt(easy, CURLOPT_HEADERDATA, &(struct fetch){ .len = 0 });
	(void)curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take);
	(void)curl_easy_setopt(easy, CURLOPT_WRITEDATA, &got);
	check_fetched(&got, curl_easy_perform(easy), 610, "outside");
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
	set_url(easy, 9, 700);
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
	fetch(easy, 0, 701, "after it");
	curl_easy_cleanup(easy);
}

static void cancelling(void)
{
	for (int i = 0; i < 4; i++)
		cancelled(i & 1, i & 2);
}

/* What was set for attempts is gone after: the real function, called behind our back, finds the
 * program's own callbacks. */
static void behind(void)
{
	void *library = dlopen("libcurl.so.4", RTLD_NOW | RTLD_NOLOAD);
	void *found = library ? dlvsym(library, "curl_easy_perform", "CURL_OPENSSL_4") : NULL;
	CURLcode (*perform)(CURL *) = (CURLcode(*)(CURL *))(uintptr_t)found;
	CURL *easy = curl_easy_init();
	struct fetch got = { .len = 0 }, lines = { .len = 0 };

	if (!perform) {
		complain("no libcurl");
		return;
	}
	for (int id = 920; id < 924; id++) {
		if (id == 922)
			(void)curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, take);
		(void)curl_easy_setopt(easy, CURLOPT_HEADERDATA, id < 922 ? NULL : &lines);
		fetch(easy, id & 1, id, "before");
		set_url(easy, 0, id);
		got.len = lines.len = 0;
		(void)curl_easy_setopt(easy, CURLOPT_WRITEDATA, &got);
		check_fetched(&got, perform(easy), id, "behind");
		if ((lines.len > 0) != (id >= 922))
			complain("behind: %d: %zu bytes of headers", id, lines.len);
	}
	curl_easy_cleanup(easy);
	(void)dlclose(library);
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
	return take(bytes, size, count, user);
}

static size_t take_and_go_on(char *bytes, size_t size, size_t count, void *user)
{
	if (user != &pausing.other)
		complain("a piece for somebody else");
	if (!pausing.went_on) {
		pausing.went_on = true;
		(void)curl_easy_pause(pausing.first, CURLPAUSE_CONT);
	}
	return take(bytes, size, count, user);
}

static int while_paused(void *user, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
	(void)user, (void)a, (void)b, (void)c, (void)d;
	if (!pausing.paused || pausing.went_on)
		return 0;
	set_url(pausing.second, 0, 901);
	(void)curl_easy_setopt(pausing.second, CURLOPT_WRITEFUNCTION, take_and_go_on);
	(void)curl_easy_setopt(pausing.second, CURLOPT_WRITEDATA, &pausing.other);
	check_fetched(&pausing.other, curl_easy_perform(pausing.second), 901, "the one inside");
	return 0;
}

static void pauses(void)
{
	pausing.first = curl_easy_init();
	pausing.second = curl_easy_init();
	set_url(pausing.first, 0, 900);
	(void)curl_easy_setopt(pausing.first, CURLOPT_WRITEFUNCTION, take_later);
	(void)curl_easy_setopt(pausing.first, CURLOPT_WRITEDATA, &pausing.wrong);
	(void)curl_easy_setopt(pausing.first, CURLOPT_XFERINFOFUNCTION, while_paused);
	(void)curl_easy_setopt(pausing.first, CURLOPT_NOPROGRESS, 0L);
	check_fetched(&pausing.got, curl_easy_perform(pausing.first), 900, "the paused one");
	if (!pausing.went_on || pausing.wrong.len > 0)
		complain("pausing: %d, %zu bytes elsewhere", pausing.went_on, pausing.wrong.len);
	pausing.got.len = 0;
	(void)curl_easy_setopt(pausing.first, CURLOPT_NOPROGRESS, 1L);
	set_url(pausing.first, 1, 902);
	check_fetched(&pausing.got, curl_easy_perform(pausing.first), 902, "the same again");
	curl_easy_cleanup(pausing.first);
	curl_easy_cleanup(pausing.second);
}

/* While one thread waits, another one goes on. */
static atomic_bool waiting_is_over;

static void *wait_long(void *unused)
{
	CURL *easy = curl_easy_init();

	fetch(easy, 1, 800, "the one that waits");
	waiting_is_over = true;
	curl_easy_cleanup(easy);
	return unused;
}

static void going_on(void)
{
	CURL *easy = curl_easy_init();
	pthread_t thread;
	int done = 0;

	if (pthread_create(&thread, NULL, wait_long, NULL) != 0)
		complain("no thread");
	while (!waiting_is_over && done < 10000)
		fetch(easy, 0, 1000 + done++, "meanwhile");
	(void)pthread_join(thread, NULL);
	if (done < 20)
		complain("only %d transfers during a wait", done);
	curl_easy_cleanup(easy);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*run)(void);
	} cases[] = {
		{ "copies", copies },
		{ "reset", reset },
		{ "unseen", unseen },
		{ "turns", turns },
		{ "share", share },
		{ "many", many },
		{ "coming", coming_and_going },
		{ "fork", forked },
		{ "nested", nested },
		{ "behind", behind },
		{ "pauses", pauses },
		{ "cancel", cancelling },
		{ "going-on", going_on },
	};
	bool known = false;

	if (argc != 3)
		return 2;
	base = argv[2];
	(void)curl_global_init(CURL_GLOBAL_ALL);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (strcmp(argv[1], cases[i].name) == 0) {
			cases[i].run();
			known = true;
		}
	}
	curl_global_cleanup();
	return !known || complaints > 0;
}
