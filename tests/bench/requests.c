/*
 * requests GROUP: run under callgrind, bare and wrapped. Prints `case calls` for each case of the
 * group and has callgrind dump what the case took; scripts/bench-requests puts both together.
 *
 * A group is a process: what the allocator does for libcurl depends on what was allocated before.
 */
#include <curl/curl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <valgrind/callgrind.h>

#include "requests.h"

#define WARM_UP 20 /* calls that nobody counts: symbols are bound, caches filled, rules loaded */
#define KIB     ((size_t)1024)
#define OTHERS  50

static CURL *easy;
static char url[64], other_url[96];
static struct curl_slist *headers;
static size_t body_len = KIB;
static long callbacks;
static CURL *others[OTHERS];

static size_t drop(char *bytes, size_t one, size_t len, void *arg)
{
	(void)bytes;
	(void)arg;
	callbacks++;
	bench_more(len);
	return one * len;
}

static size_t ignore(char *bytes, size_t one, size_t len, void *arg)
{
	(void)bytes;
	(void)arg;
	return one * len;
}

/* libcurl has its connection and is about to send. */
static int answer(void *arg, char *to, char *from, int to_port, int from_port)
{
	(void)arg, (void)to, (void)from, (void)to_port, (void)from_port;
	bench_answer(body_len);
	return CURL_PREREQFUNC_OK;
}

static CURL *new_handle(void)
{
	CURL *handle = curl_easy_init();

	curl_easy_setopt(handle, CURLOPT_PREREQFUNCTION, answer);
	return handle;
}

static void must(CURLcode result)
{
	if (result == CURLE_OK)
		return;
	fprintf(stderr, "requests: %s\n", curl_easy_strerror(result));
	exit(1);
}

/* ---- the cases ---- */

/* What a program typically says and asks for a request. */
static void set_options(CURL *handle)
{
	curl_easy_setopt(handle, CURLOPT_URL, url);
	curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, drop);
	curl_easy_setopt(handle, CURLOPT_WRITEDATA, &body_len);
	curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
}

static void request_on(CURL *handle)
{
	long status = 0;

	set_options(handle);
	must(curl_easy_perform(handle));
	curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &status);
	if (status != 200)
		exit(1);
}

static void request(void)
{
	request_on(easy);
}

static void perform(void)
{
	must(curl_easy_perform(easy));
}

static void request_with_headers(void)
{
	curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, ignore);
	curl_easy_setopt(easy, CURLOPT_HEADERDATA, &body_len);
	request_on(easy);
}

static int go_on(void *data, curl_off_t dltotal, curl_off_t dlnow, curl_off_t ultotal,
		 curl_off_t ulnow)
{
	(void)data, (void)dltotal, (void)dlnow, (void)ultotal, (void)ulnow;
	return 0;
}

static void request_with_progress(void)
{
	curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L);
	curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, go_on);
	request_on(easy);
}

/* With as many other handles about as a program with threads may have. */
static void request_among_many(void)
{
	for (size_t i = 0; i < OTHERS && !others[i]; i++)
		others[i] = new_handle();
	request_on(others[OTHERS - 1]);
}

static void set_long_on_many(void)
{
	static size_t next;

	curl_easy_setopt(others[next++ % OTHERS], CURLOPT_NOSIGNAL, 1L);
}

/* Handed to a multi handle, which the program drives. */
static void request_in_multi(void)
{
	static CURLM *multi;
	int running = 1, left;

	if (!multi)
		multi = curl_multi_init();
	set_options(easy);
	curl_multi_add_handle(multi, easy);
	while (running) {
		curl_multi_perform(multi, &running);
		if (running)
			curl_multi_poll(multi, NULL, 0, 1000, NULL);
	}
	must(curl_multi_info_read(multi, &left)->data.result);
	curl_multi_remove_handle(multi, easy);
}

static void request_of_its_own(void)
{
	CURL *handle = new_handle();

	request_on(handle);
	curl_easy_cleanup(handle);
}

static void set_long(void)
{
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
}

static void set_timeout(void)
{
	curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, 90000L);
}

static void set_pointer(void)
{
	curl_easy_setopt(easy, CURLOPT_PRIVATE, &body_len);
}

static void set_write_data(void)
{
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, &body_len);
}

static void set_function(void)
{
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, drop);
}

static void set_other_function(void)
{
	curl_easy_setopt(easy, CURLOPT_DEBUGFUNCTION, NULL);
}

static void set_offset(void)
{
	curl_easy_setopt(easy, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)1 << 40);
}

static void set_resume(void)
{
	curl_easy_setopt(easy, CURLOPT_RESUME_FROM_LARGE, (curl_off_t)0);
}

static void set_list(void)
{
	curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
}

static void set_string(void)
{
	curl_easy_setopt(easy, CURLOPT_USERAGENT, "requests/1.0");
}

static void set_url(void)
{
	curl_easy_setopt(easy, CURLOPT_URL, other_url);
}

static void get_number(void)
{
	long status;

	curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
}

/* ---- counting ---- */

static const struct bench_case {
	const char *group, *name;
	void (*run)(void);
	long calls;
	size_t body_len; /* not 0: what is counted are its pieces */
} cases[] = {
	{ "options", "setopt-long", set_long, 200, 0 },
	{ "options", "setopt-long-watched", set_timeout, 200, 0 },
	{ "options", "setopt-pointer", set_pointer, 200, 0 },
	{ "options", "setopt-pointer-watched", set_write_data, 200, 0 },
	{ "options", "setopt-function", set_other_function, 200, 0 },
	{ "options", "setopt-function-watched", set_function, 200, 0 },
	{ "options", "setopt-offset", set_offset, 200, 0 },
	{ "options", "setopt-offset-watched", set_resume, 200, 0 },
	{ "options", "setopt-list-watched", set_list, 200, 0 },
	{ "options", "setopt-string", set_string, 200, 0 },
	{ "options", "setopt-url", set_url, 200, 0 },
	{ "options", "getinfo", get_number, 200, 0 },
	{ "request", "request", request, 100, 0 },
	{ "perform", "perform", perform, 100, 0 },
	{ "headers", "request-headers", request_with_headers, 100, 0 },
	{ "progress", "request-progress", request_with_progress, 100, 0 },
	{ "many", "request-many-handles", request_among_many, 100, 0 },
	{ "many", "setopt-many-handles", set_long_on_many, 200, 0 },
	{ "handle", "request-new-handle", request_of_its_own, 50, 0 },
	{ "multi", "request-multi", request_in_multi, 100, 0 },
	{ "body", "body-callback", request, 1, 64 * KIB *KIB },
};

static void count(const struct bench_case *c)
{
	long calls = c->calls;

	body_len = c->body_len ? c->body_len : KIB;
	for (int i = 0; i < WARM_UP && !c->body_len; i++)
		c->run();
	callbacks = 0;
	CALLGRIND_ZERO_STATS;
	for (long i = 0; i < calls; i++)
		c->run();
	CALLGRIND_DUMP_STATS_AT(c->name);
	printf("%s %ld\n", c->name, c->body_len ? callbacks : calls);
}

int main(int argc, char **argv)
{
	int port = argc == 2 ? bench_listen() : -1;

	if (port < 0 || !bench_begin_curl())
		return 1;
	snprintf(url, sizeof(url), "http://127.0.0.1:%d/a/file", port);
	snprintf(other_url, sizeof(other_url), "http://127.0.0.1:%d/a/way/to/some/other/file?x=1",
		 port);
	headers = curl_slist_append(NULL, "Accept: text/plain");
	easy = new_handle();
	request(); /* a handle that has been used is what programs set options on */
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (strcmp(argv[1], cases[i].group) == 0)
			count(&cases[i]);
	}
	curl_easy_cleanup(easy);
	curl_slist_free_all(headers);
	return fflush(stdout) == 0 ? 0 : 1;
}
