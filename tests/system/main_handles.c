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
#include <unistd.h>

#include "handles.h"

#define MANY 4000

static void copies(void)
{
	CURL *easy = curl_easy_init(), *copy, *second;
	struct fetch got = { .len = 0 };

	handles_fetch(easy, 1, 1, "first");
	(void)curl_easy_setopt(easy, CURLOPT_WRITEDATA, &got);
	handles_set_url(easy, 2, 2);
	copy = curl_easy_duphandle(easy);
	second = curl_easy_duphandle(copy);
	curl_easy_cleanup(easy);
	handles_check(&got, curl_easy_perform(copy), 2, "copy");
	curl_easy_cleanup(copy);
	handles_fetch(second, 2, 3, "copy of a copy");
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
	handles_fetch(easy, 2, 10, "after a reset");
	curl_easy_reset(easy);
	handles_fetch(easy, 0, 11, "after another");
	curl_easy_cleanup(easy);
}

/* What is known of a handle ends with it, also where the next one gets its place. */
static void again(void)
{
	for (int i = 0; i < 12; i++) {
		CURL *easy = curl_easy_init(), *other = i % 3 == 0 ? curl_easy_init() : NULL;

		handles_fetch(easy, i % 3, 20 + i, "a new one");
		(void)curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, refuse);
		(void)curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, refuse);
		(void)curl_easy_setopt(easy, CURLOPT_POSTFIELDS, "a=b");
		(void)curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, "PATCH");
		(void)curl_easy_setopt(easy, CURLOPT_RANGE, "1-2");
		(void)curl_easy_setopt(easy, CURLOPT_CONNECT_ONLY, 1L);
		(void)curl_easy_setopt(easy, CURLOPT_URL, "http://localhost/elsewhere");
		curl_easy_cleanup(easy);
		curl_easy_cleanup(other);
	}
}

void *handles_past(const char *name)
{
	void *library = dlopen("libcurl.so.4", RTLD_NOW | RTLD_NOLOAD);
	void *found = library ? dlvsym(library, name, "CURL_OPENSSL_4") : NULL;

	if (!found)
		abort();
	(void)dlclose(library); /* it is the program's, too, and stays */
	return found;
}

/* A handle that was made behind the back of whoever looks at curl_easy_init(). It is used like any
 * other, and is not guarded. */
static void unseen(void)
{
	CURL *(*init)(void) = (CURL * (*)(void))(uintptr_t)handles_past("curl_easy_init");
	struct fetch got = { .len = 0 };
	CURL *easy = init(), *copy;

	handles_fetch(easy, 0, 20, "unseen");
	curl_easy_reset(easy);
	handles_set_url(easy, 0, 21);
	(void)curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, handles_take);
	(void)curl_easy_setopt(easy, CURLOPT_WRITEDATA, &got);
	copy = curl_easy_duphandle(easy);
	(void)curl_easy_pause(easy, CURLPAUSE_CONT);
	curl_easy_cleanup(easy);
	handles_check(&got, curl_easy_perform(copy), 21, "copy of an unseen one");
	curl_easy_cleanup(copy);
	curl_easy_cleanup(NULL);
}

bool handles_keep_freed_memory(void)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
	return true;
#else
	const char *preloaded = getenv("LD_PRELOAD");

	return preloaded && strstr(preloaded, "vgpreload"); /* valgrind's */
#endif
}

/* A handle that was freed behind that back, and a new one in its place, of which nothing that was
 * said of the old one is true. */
static void gone(void)
{
	void (*cleanup)(CURL *) = (void (*)(CURL *))(uintptr_t)handles_past("curl_easy_cleanup");
	CURL *before = NULL;
	int replaced = 0;

	for (int i = 0; i < 8; i++) {
		CURL *easy = curl_easy_init();

		replaced += easy == before;
		handles_fetch(easy, 2, 30 + i, "in the place of another");
		(void)curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, refuse);
		(void)curl_easy_setopt(easy, CURLOPT_POSTFIELDS, "a=b");
		(void)curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, "PATCH");
		cleanup(easy);
		before = easy;
	}
	curl_easy_cleanup(curl_easy_init());
	if (replaced == 0 && !handles_keep_freed_memory())
		complain("none in the place of the one before");
}

/* One handle, in one thread after the other. */
static void *take_turn(void *easy)
{
	static int turn;

	turn++;
	handles_fetch(easy, turn % 3, 100 + turn, "turn");
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
		handles_fetch(easy, id % 3, id, "sharing");
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
size_t handles_in_use(void)
{
	(void)malloc_trim(0);
	return mallinfo2().uordblks;
}

/* libcurl says so of each call; where thousands have been nothing of them is taken for it. */
static void no_handle(void)
{
	long status;

	if (curl_easy_perform(NULL) != CURLE_BAD_FUNCTION_ARGUMENT ||
	    curl_easy_setopt(NULL, CURLOPT_WRITEFUNCTION, refuse) != CURLE_BAD_FUNCTION_ARGUMENT ||
	    curl_easy_getinfo(NULL, CURLINFO_RESPONSE_CODE, &status) != CURLE_BAD_FUNCTION_ARGUMENT)
		complain("no handle, and a call that worked");
	curl_easy_cleanup(NULL);
}

/* Thousands at once, several times over: what they took comes back. */
static void many(void)
{
	static CURL *handles[MANY];
	size_t before = 0, after;

	for (int round = 0; round < 4; round++) {
		for (int i = 0; i < MANY; i++) {
			handles[i] = curl_easy_init();
			(void)curl_easy_setopt(handles[i], CURLOPT_URL, handles_base);
		}
		handles_fetch(handles[round], 1, 300 + 2 * round, "one of many");
		handles_fetch(handles[MANY - 1], 1, 301 + 2 * round, "last of many");
		for (int i = 0; i < MANY; i++)
			curl_easy_cleanup(handles[i]);
		no_handle();
		if (round == 0)
			before = handles_in_use();
	}
	after = handles_in_use();
	if (after > before + 65536)
		complain("%zu bytes more in use", after - before);
}

static void *make_and_drop(void *unused)
{
	for (int i = 0; i < 3000; i++) {
		CURL *easy = curl_easy_init();

		(void)curl_easy_setopt(easy, CURLOPT_URL, handles_base);
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
		handles_fetch(easy, 1, 400 + i, "meanwhile");
	for (int i = 0; i < 4; i++)
		(void)pthread_join(threads[i], NULL);
	curl_easy_cleanup(easy);
}

static void forked(void)
{
	CURL *easy = curl_easy_init(), *other = curl_easy_init();
	int status = 0;
	pid_t child;

	handles_fetch(easy, 1, 500, "before the fork");
	(void)fflush(stdout);
	child = fork();
	if (child == 0) {
		CURL *fresh = curl_easy_init();

		handles_fetch(other, 2, 501, "a handle in the child");
		handles_fetch(fresh, 2, 502, "a handle of the child");
		curl_easy_cleanup(fresh);
		curl_easy_cleanup(other);
		(void)fflush(stdout);
		_exit(handles_complaints > 0);
	}
	handles_fetch(other, 2, 503, "in the parent");
	if (waitpid(child, &status, 0) != child || status != 0)
		complain("the child ended with %d", status);
	handles_fetch(easy, 1, 504, "after the child");
	curl_easy_cleanup(easy);
	curl_easy_cleanup(other);
}

/* What was set for attempts is gone after: the real function, called behind our back, finds the
 * program's own callbacks. */
static void behind(void)
{
	CURLcode (*perform)(CURL *) =
		(CURLcode(*)(CURL *))(uintptr_t)handles_past("curl_easy_perform");
	CURL *easy = curl_easy_init();
	struct fetch got = { .len = 0 }, lines = { .len = 0 };

	for (int id = 920; id < 924; id++) {
		if (id == 922)
			(void)curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, handles_take);
		(void)curl_easy_setopt(easy, CURLOPT_HEADERDATA, id < 922 ? NULL : &lines);
		handles_fetch(easy, id & 1, id, "before");
		handles_set_url(easy, 0, id);
		got.len = lines.len = 0;
		(void)curl_easy_setopt(easy, CURLOPT_WRITEDATA, &got);
		handles_check(&got, perform(easy), id, "behind");
		if ((lines.len > 0) != (id >= 922))
			complain("behind: %d: %zu bytes of headers", id, lines.len);
	}
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
		{ "again", again },
		{ "urls", handles_urls },
		{ "curlu", handles_curlu },
		{ "wildcard", handles_wildcard },
		{ "unseen", unseen },
		{ "gone", gone },
		{ "left", handles_left },
		{ "lost", handles_lost },
		{ "turns", turns },
		{ "share", share },
		{ "many", many },
		{ "coming", coming_and_going },
		{ "fork", forked },
		{ "nested", handles_nested },
		{ "behind", behind },
		{ "callbacks", handles_callbacks },
		{ "pauses", handles_pauses },
		{ "cancel", handles_cancelling },
		{ "halting", handles_halting },
		{ "going-on", handles_going_on },
		{ "moving-on", handles_moving_on },
		{ "cut-off", handles_cut_off },
	};
	bool known = false;

	if (argc != 3)
		return 2;
	handles_base = argv[2];
	(void)curl_global_init(CURL_GLOBAL_ALL);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (strcmp(argv[1], cases[i].name) == 0) {
			cases[i].run();
			known = true;
		}
	}
	curl_global_cleanup();
	return !known || handles_complaints > 0;
}
