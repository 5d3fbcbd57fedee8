/*
 * One easy handle, as a program that makes many requests uses it: the connection is kept, and the
 * options are set anew for each request.
 */
#include <curl/curl.h>

#include "loop.h"

static CURL *easy;
static const char *url;
static long pieces;

static size_t take(char *bytes, size_t one, size_t len, void *arg)
{
	(void)bytes;
	(void)arg;
	pieces++;
	return one * len;
}

static bool make_handle(char **args)
{
	url = args[0];
	return curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK && (easy = curl_easy_init());
}

static bool needs_url(char **args)
{
	return make_handle(args) && url && !args[1];
}

/* The same for an instruction counter: always the same work. */
static bool make_patient(char **args)
{
	loop_is_patient = true;
	return needs_url(args);
}

static void set_options(void)
{
	curl_easy_setopt(easy, CURLOPT_URL, url ? url : "http://127.0.0.1/");
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, &pieces);
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
}

static bool fetch(void)
{
	long status = 0;

	set_options();
	return curl_easy_perform(easy) == CURLE_OK &&
	       curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status) == CURLE_OK &&
	       status == 200;
}

static void fetch_often(struct loop_result *result, long count)
{
	pieces = 0;
	for (long i = 0; i < count; i++) {
		int64_t began_ns = loop_now_ns();

		result->good += fetch();
		result->took_ns[i] = loop_now_ns() - began_ns;
	}
	result->pieces = pieces;
}

static void set_often(struct loop_result *result, long count)
{
	for (long i = 0; i < count; i++) {
		int64_t began_ns = loop_now_ns();

		set_options();
		result->took_ns[i] = loop_now_ns() - began_ns;
	}
	result->good = count;
}

const struct loop_kind loop_fetch = { "fetch", needs_url, fetch_often };
const struct loop_kind loop_count = { "count", make_patient, fetch_often };
const struct loop_kind loop_setopt = { "setopt", make_handle, set_often };
