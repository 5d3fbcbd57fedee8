/*
 * transfer-trace [KEY=VALUE]... URL: one transfer as the arguments describe it, and on stderr all
 * that the program sees of it (trace.h). Then a second one with the same handle, which shows
 * whether its options are as they were left.
 *
 *   NAME=VALUE     a curl option in capitals; the lines of a list are separated by |
 *   sinks=N        which are set: WRITEFUNCTION 1, WRITEDATA 2, HEADERFUNCTION 4, HEADERDATA 8
 *   on=CALLBACK:ACTION   what the first call of write, header, progress or read does: pause,
 *                  halt (pause for good), short (an error), abort, set (options), info, dup,
 *                  nest (another transfer); the callback "later" is the first write after later=N
 *                  bytes, "line" the first header line after so many; again=N: and the one
 *                  N bytes further on
 *   upload=N       N bytes of noise come from the read callback; rewind=1: a seek callback too
 *   trailers=1     and a trailer callback follows it up
 *   file=PATH      the body comes from a file that libcurl reads by itself, from=N bytes on
 *   second=URL     for the second transfer; nested=URL: for nest
 *   past=URL       for one more, made by the library plugin=PATH, past what is preloaded
 *   multi=STYLE    drive them through the multi interface (multi_loop.h)
 *   told=1         and what libcurl tells at each header line
 *   all=1          with what differs when a connection was used before
 */
#include <ctype.h>
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

#ifndef RTLD_DEEPBIND
#define RTLD_DEEPBIND 0 /* musl: nothing passes by what is preloaded */
#endif

#include "harness.h"
#include "multi_loop.h"
#include "trace.h"
#include "transfer_trace.h"

enum { WRITE_FN = 1, WRITE_DATA = 2, HEADER_FN = 4, HEADER_DATA = 8 };

struct transfer_trace tracing;

_Noreturn static void die(const char *what)
{
	(void)fprintf(stderr, "transfer-trace: %s\n", what);
	exit(2);
}

static void set_upload(size_t len)
{
	tracing.upload = noise(len, 3);
	tracing.upload_len = len;
	(void)curl_easy_setopt(tracing.easy, CURLOPT_READFUNCTION, trace_on_read);
	(void)curl_easy_setopt(tracing.easy, CURLOPT_READDATA, &tracing.upload);
}

/* Left to libcurl's own fread(). The file stays open until the end. */
static void set_file(const char *path)
{
	tracing.file = fopen(path, "r");
	if (!tracing.file)
		die(path);
	(void)curl_easy_setopt(tracing.easy, CURLOPT_READDATA, tracing.file);
}

static void set_sinks(void)
{
	if (tracing.sinks & WRITE_FN)
		(void)curl_easy_setopt(tracing.easy, CURLOPT_WRITEFUNCTION, trace_on_write);
	if (tracing.sinks & WRITE_DATA)
		(void)curl_easy_setopt(tracing.easy, CURLOPT_WRITEDATA, tracing.write_data);
	if (tracing.sinks & HEADER_FN)
		(void)curl_easy_setopt(tracing.easy, CURLOPT_HEADERFUNCTION, trace_on_header);
	if (tracing.sinks & HEADER_DATA)
		(void)curl_easy_setopt(tracing.easy, CURLOPT_HEADERDATA, tracing.header_data);
	(void)curl_easy_setopt(tracing.easy, CURLOPT_NOPROGRESS, 0L);
	(void)curl_easy_setopt(tracing.easy, CURLOPT_XFERINFOFUNCTION, trace_on_progress);
	(void)curl_easy_setopt(tracing.easy, CURLOPT_XFERINFODATA, &tracing.progress);
	(void)curl_easy_setopt(tracing.easy, CURLOPT_ERRORBUFFER, tracing.error);
}

static struct curl_slist *list_of(char *text)
{
	struct curl_slist *list = NULL;
	char *line;

	while ((line = strsep(&text, "|")) != NULL)
		list = curl_slist_append(list, line);
	if (tracing.list_count == sizeof(tracing.lists) / sizeof(tracing.lists[0]))
		die("too many lists");
	return tracing.lists[tracing.list_count++] = list;
}

static void set_named(const char *name, char *value)
{
	const struct curl_easyoption *option = curl_easy_option_by_name(name);

	if (!option)
		die(name);
	switch (option->type) {
	case CURLOT_LONG:
	case CURLOT_VALUES:
		(void)curl_easy_setopt(tracing.easy, option->id, strtol(value, NULL, 10));
		break;
	case CURLOT_OFF_T:
		(void)curl_easy_setopt(tracing.easy, option->id,
				       (curl_off_t)strtoll(value, NULL, 10));
		break;
	case CURLOT_SLIST:
		(void)curl_easy_setopt(tracing.easy, option->id, list_of(value));
		break;
	default:
		(void)curl_easy_setopt(tracing.easy, option->id, value);
	}
}

static void set_loop(enum multi_style style)
{
	multi_loop_init(&tracing.loop, style);
	tracing.in_loop = true;
}

static void set_own(const char *name, char *value)
{
	if (strcmp(name, "sinks") == 0)
		tracing.sinks = (unsigned)strtoul(value, NULL, 10);
	else if (strcmp(name, "multi") == 0)
		set_loop((enum multi_style)strtol(value, NULL, 10));
	else if (strcmp(name, "second") == 0)
		tracing.second = value;
	else if (strcmp(name, "past") == 0)
		tracing.past = value;
	else if (strcmp(name, "plugin") == 0)
		tracing.plugin = value;
	else if (strcmp(name, "nested") == 0)
		tracing.nested = value;
	else if (strcmp(name, "later") == 0)
		tracing.later = strtoul(value, NULL, 10);
	else if (strcmp(name, "again") == 0)
		tracing.again = strtoul(value, NULL, 10);
	else if (strcmp(name, "all") == 0)
		tracing.all = true;
	else if (strcmp(name, "told") == 0)
		tracing.told = true;
	else if (strcmp(name, "upload") == 0)
		set_upload(strtoul(value, NULL, 10));
	else if (strcmp(name, "trailers") == 0)
		(void)curl_easy_setopt(tracing.easy, CURLOPT_TRAILERFUNCTION, trace_on_trailers);
	else if (strcmp(name, "file") == 0)
		set_file(value);
	else if (strcmp(name, "from") == 0)
		(void)fseek(tracing.file, strtol(value, NULL, 10), SEEK_SET);
	else if (strcmp(name, "rewind") == 0) {
		(void)curl_easy_setopt(tracing.easy, CURLOPT_SEEKFUNCTION, trace_on_seek);
		(void)curl_easy_setopt(tracing.easy, CURLOPT_SEEKDATA, &tracing.upload);
	} else if (strcmp(name, "on") == 0 && strchr(value, ':')) {
		tracing.at = value;
		tracing.action = strchr(value, ':') + 1;
	} else {
		die(name);
	}
}

static void put_file(const char *name, FILE *file)
{
	uint64_t hash = TRACE_HASH_BEGIN;
	size_t len = 0;
	int c;

	rewind(file);
	while ((c = getc(file)) != EOF) {
		char byte = (char)c;

		hash = trace_hash(hash, &byte, 1);
		len++;
	}
	(void)fprintf(stderr, "file %s %zu bytes %016llx\n", name, len, (unsigned long long)hash);
}

/* As curl_easy_perform(), with a loop around the multi interface. */
static CURLcode perform_in_loop(void)
{
	CURLcode result = CURLE_FAILED_INIT;
	CURLMsg *msg = NULL;
	int left;

	if (curl_multi_add_handle(tracing.loop.multi, tracing.easy) != CURLM_OK)
		die("cannot be added");
	while (!msg) {
		multi_loop_round(&tracing.loop, 1000);
		msg = curl_multi_info_read(tracing.loop.multi, &left);
	}
	result = msg->data.result;
	(void)curl_multi_remove_handle(tracing.loop.multi, tracing.easy);
	return result;
}

/* libcurl's own lives as long as its handle, unless another one takes its place. */
static void tell_of_early_url(void)
{
	const char *url = NULL;

	(void)curl_easy_getinfo(tracing.easy, CURLINFO_EFFECTIVE_URL, &url);
	(void)fprintf(stderr, "told early: %s\n",
		      url == tracing.early_url ? "libcurl's own" : "another");
}

static void transfer(const char *url)
{
	CURLcode result;

	(void)curl_easy_setopt(tracing.easy, CURLOPT_URL, url);
	memset(tracing.progress, 0, sizeof(tracing.progress));
	memset(tracing.most, 0, sizeof(tracing.most));
	result = tracing.in_loop ? perform_in_loop() : curl_easy_perform(tracing.easy);
	trace_flush(&tracing.run);
	trace_result(result, tracing.error);
	trace_info(tracing.easy, tracing.all);
	if (tracing.early_url)
		tell_of_early_url();
	(void)fprintf(stderr, "progress %lld/%lld %lld/%lld, at most %lld/%lld\n",
		      (long long)tracing.progress[1], (long long)tracing.progress[0],
		      (long long)tracing.progress[3], (long long)tracing.progress[2],
		      (long long)tracing.most[1], (long long)tracing.most[0]);
}

/* What the handle does when libcurl has it for itself: the options are those that were left there.
 */
static void transfer_past(const char *url)
{
	CURLcode (*perform_past)(CURL *, const char *);
	void *plugin = dlopen(tracing.plugin, RTLD_NOW | RTLD_DEEPBIND);

	if (!plugin)
		die(dlerror());
	*(void **)&perform_past = dlsym(plugin, "perform_past");
	if (!perform_past)
		die(dlerror());
	trace_result(perform_past(tracing.easy, url), tracing.error);
	trace_flush(&tracing.run);
}

int main(int argc, char **argv)
{
	tracing.easy = curl_easy_init();
	tracing.write_data = tmpfile();
	tracing.header_data = tmpfile();
	tracing.sinks = WRITE_FN | WRITE_DATA | HEADER_FN | HEADER_DATA;
	if (argc < 2 || !tracing.easy || !tracing.write_data || !tracing.header_data)
		die("nothing to do");
	for (int i = 1; i < argc - 1; i++) {
		char *value = strchr(argv[i], '=');

		if (!value)
			die(argv[i]);
		*value++ = '\0';
		(isupper((unsigned char)argv[i][0]) ? set_named : set_own)(argv[i], value);
	}
	set_sinks();
	transfer(argv[argc - 1]);
	if (tracing.second)
		transfer(tracing.second);
	if (tracing.past)
		transfer_past(tracing.past);
	put_file("write-data", tracing.write_data);
	put_file("header-data", tracing.header_data);
	curl_easy_cleanup(tracing.easy);
	while (tracing.list_count > 0)
		curl_slist_free_all(tracing.lists[--tracing.list_count]);
	if (tracing.in_loop)
		multi_loop_free(&tracing.loop);
	if (tracing.loop.wrong)
		(void)fprintf(stderr, "%s\n", tracing.loop.wrong);
	free(tracing.upload);
	return 0;
}
