/*
 * A libcurl of before 8.17 with the notifications that came with that: in front of it, for one
 * multi handle. One that has them itself is left alone.
 */
#include <curl/curl.h>
#include <dlfcn.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "notified.h"

#undef curl_multi_setopt

#define EXPORT __attribute__((visibility("default")))
#define MOST   64

static struct {
	notify_fn *fn;
	void *data;
	bool enabled[2];
	bool telling; /* inside the callback */
	int added;    /* by it */
	CURLMsg *unread[MOST];
	int unread_count;
	struct {
		unsigned what;
		CURL *easy; /* NULL: it is gone */
	} news[MOST];
	int news_count;
} here;

/* A place that stands for the handle in whose name libcurl tells of messages. */
static char itself;

/* libcurl's own. */
#define NEXT(name)                                                                                 \
	((__typeof__(&curl_multi_##name))(uintptr_t)dlsym(RTLD_NEXT, "curl_multi_" #name))

static bool is_new_enough(void)
{
	return dlsym(RTLD_NEXT, "curl_multi_notify_enable") != NULL;
}

static void add_news(unsigned what, void *easy)
{
	if (!here.enabled[what] || here.news_count == MOST)
		return;
	here.news[here.news_count].what = what;
	here.news[here.news_count++].easy = easy;
}

static void drain(CURLM *multi)
{
	__typeof__(&curl_multi_info_read) info_read = NEXT(info_read);
	CURLMsg *msg;
	int left;

	while (here.unread_count < MOST && (msg = info_read(multi, &left))) {
		add_news(NOTIFY_EASY_DONE, msg->easy_handle);
		if (here.unread_count == 0)
			add_news(NOTIFY_INFO_READ, &itself);
		here.unread[here.unread_count++] = msg;
	}
}

static void tell(CURLM *multi)
{
	here.telling = true;
	for (int i = 0; i < here.news_count; i++) {
		if (here.news[i].easy)
			here.fn(multi, here.news[i].what, here.news[i].easy, here.data);
	}
	here.news_count = 0;
	here.telling = false;
}

EXPORT CURLMcode curl_multi_perform(CURLM *multi, int *running)
{
	__typeof__(&curl_multi_perform) perform = NEXT(perform);
	CURLMcode code;

	if (here.telling)
		return CURLM_RECURSIVE_API_CALL;
	code = perform(multi, running);
	if (is_new_enough())
		return code;
	drain(multi);
	here.added = 0;
	if (here.fn)
		tell(multi);
	*running += here.added;
	return code;
}

EXPORT CURLMsg *curl_multi_info_read(CURLM *multi, int *left)
{
	__typeof__(&curl_multi_info_read) info_read = NEXT(info_read);
	CURLMsg *first = here.unread[0];

	if (is_new_enough())
		return info_read(multi, left);
	*left = 0;
	if (here.unread_count == 0)
		return NULL;
	*left = --here.unread_count;
	memmove(here.unread, here.unread + 1, sizeof(CURLMsg *) * (MOST - 1));
	return first;
}

EXPORT CURLMcode curl_multi_add_handle(CURLM *multi, CURL *easy)
{
	__typeof__(&curl_multi_add_handle) add_handle = NEXT(add_handle);

	here.added++;
	return add_handle(multi, easy);
}

EXPORT CURLMcode curl_multi_remove_handle(CURLM *multi, CURL *easy)
{
	__typeof__(&curl_multi_remove_handle) remove_handle = NEXT(remove_handle);

	for (int i = 0; i < here.news_count; i++) {
		if (here.news[i].easy == easy)
			here.news[i].easy = NULL;
	}
	return remove_handle(multi, easy);
}

EXPORT CURLMcode curl_multi_setopt(CURLM *multi, CURLMoption option, ...)
{
	__typeof__(&curl_multi_setopt) setopt = NEXT(setopt);
	va_list args;
	void *value;

	va_start(args, option);
	value = va_arg(args, void *);
	va_end(args);
	if (is_new_enough() || (option != NOTIFY_FUNCTION && option != NOTIFY_DATA))
		return setopt(multi, option, value);
	if (option == NOTIFY_FUNCTION)
		here.fn = (notify_fn *)(uintptr_t)value;
	else
		here.data = value;
	return CURLM_OK;
}

EXPORT CURLMcode curl_multi_notify_enable(CURLM *multi, unsigned what)
{
	__typeof__(&curl_multi_notify_enable) notify_enable = NEXT(notify_enable);

	if (notify_enable)
		return notify_enable(multi, what);
	here.enabled[what] = true;
	return CURLM_OK;
}
