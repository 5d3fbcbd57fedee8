/*
 * Transfers that fail and are retried, with memory, descriptors and processes running out.
 */
#include <curl/curl.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "multi_loop.h"
#include "scarce_case.h"
#include "scarce_plan.h"

struct fetch {
	CURL *easy;
	CURLcode result;
	const char *path;
	size_t len, sent;
	char *body;
	char error[CURL_ERROR_SIZE];
};

static size_t on_write(char *got, size_t size, size_t count, void *data)
{
	struct fetch *f = data;
	size_t len = size * count;

	if (f->len + len <= SCARCE_OBJECT * 2)
		memcpy(f->body + f->len, got, len);
	f->len += len;
	return len;
}

static size_t on_read(char *into, size_t size, size_t count, void *data)
{
	struct fetch *f = data;
	size_t left = SCARCE_OBJECT - f->sent;
	size_t len = left < size * count ? left : size * count;

	memcpy(into, scarce_bytes + f->sent, len);
	f->sent += len;
	return len;
}

static void set_url(struct fetch *f, unsigned long number)
{
	char url[512];

	/* Long enough that a copy does not fit where short ones are kept. */
	(void)snprintf(url, sizeof(url), "%s/%s/%lu?%0200d", scarce_url, f->path, number, 0);
	(void)curl_easy_setopt(f->easy, CURLOPT_URL, url);
}

static void fetch_begin(struct fetch *f, const char *path, unsigned long number)
{
	memset(f, 0, sizeof(*f));
	f->path = path;
	f->body = malloc(SCARCE_OBJECT * 2);
	f->easy = curl_easy_init();
	set_url(f, number);
	(void)curl_easy_setopt(f->easy, CURLOPT_WRITEFUNCTION, on_write);
	(void)curl_easy_setopt(f->easy, CURLOPT_WRITEDATA, f);
	(void)curl_easy_setopt(f->easy, CURLOPT_ERRORBUFFER, f->error);
	(void)curl_easy_setopt(f->easy, CURLOPT_PRIVATE, f);
}

static void set_upload(struct fetch *f)
{
	(void)curl_easy_setopt(f->easy, CURLOPT_UPLOAD, 1L);
	(void)curl_easy_setopt(f->easy, CURLOPT_READFUNCTION, on_read);
	(void)curl_easy_setopt(f->easy, CURLOPT_READDATA, f);
	(void)curl_easy_setopt(f->easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t)SCARCE_OBJECT);
}

static long status_of(const struct fetch *f)
{
	long status = 0;

	(void)curl_easy_getinfo(f->easy, CURLINFO_RESPONSE_CODE, &status);
	return status;
}

static bool has_body(const struct fetch *f, const char *wanted, size_t len)
{
	return f->len == len && memcmp(f->body, wanted, len) == 0;
}

/* The object, or the words of a refusal, or the object's beginning with the error that says so. */
static enum end judge(const struct fetch *f)
{
	long status = status_of(f);

	if (f->result == CURLE_OK && status == 200)
		return has_body(f, scarce_bytes, SCARCE_OBJECT)
			       ? RETRIED
			       : scarce_wrong("other bytes", (long)f->len);
	if (f->result == CURLE_OK && (status == 503 || status == 410 || status == 418))
		return has_body(f, SCARCE_BUSY, strlen(SCARCE_BUSY))
			       ? BARE
			       : scarce_wrong("other words", (long)f->len);
	if (f->result == CURLE_PARTIAL_FILE && status == 200 && f->error[0])
		return has_body(f, scarce_bytes, SCARCE_BREAK)
			       ? BARE
			       : scarce_wrong("another part", (long)f->len);
	if (f->result == CURLE_COULDNT_CONNECT && strcmp(f->path, "strike") == 0 && f->len == 0)
		return BARE;
	return scarce_wrong(curl_easy_strerror(f->result), status);
}

/* The handle again, with memory: nothing of the call before may have stayed in it. */
static enum end judge_again(struct fetch *f, enum end end)
{
	enum end again;

	scarce_grant_all();
	f->len = f->sent = 0;
	f->error[0] = '\0';
	f->result = curl_easy_perform(f->easy);
	again = judge(f);
	if (again == WRONG)
		return scarce_wrong("the handle's second use", (long)f->result);
	return end;
}

static enum end fetch_end(struct fetch *f, enum end end)
{
	curl_easy_cleanup(f->easy);
	free(f->body);
	return end;
}

static enum end fetch(const char *path, bool up)
{
	struct fetch f;

	fetch_begin(&f, path, scarce_id);
	if (up)
		set_upload(&f);
	f.result = curl_easy_perform(f.easy);
	return fetch_end(&f, judge_again(&f, judge(&f)));
}

enum end scarce_plain(void)
{
	return fetch("plain", false);
}

enum end scarce_busy(void)
{
	return fetch("busy", false);
}

enum end scarce_held_back(void)
{
	return fetch("hold", false);
}

enum end scarce_broken(void)
{
	return fetch("broken", false);
}

enum end scarce_upload(void)
{
	return fetch("busy", true);
}

enum end scarce_recover(void)
{
	return fetch("recover", false);
}

enum end scarce_followup(void)
{
	return fetch("gone", false);
}

enum end scarce_canned(void)
{
	return fetch("canned", false);
}

enum end scarce_strike(void)
{
	return fetch("strike", false);
}

enum end scarce_cutting(void)
{
	return fetch("cutting", false);
}

enum end scarce_copied(void)
{
	struct fetch f;
	CURL *copy;

	fetch_begin(&f, "busy", scarce_id);
	copy = curl_easy_duphandle(f.easy);
	curl_easy_cleanup(f.easy);
	f.easy = copy;
	f.result = curl_easy_perform(f.easy);
	return fetch_end(&f, judge_again(&f, judge(&f)));
}

/* A handle that is used again after a reset, and for something else. */
enum end scarce_reset(void)
{
	struct fetch f;
	enum end end;

	fetch_begin(&f, "busy", scarce_id);
	f.result = curl_easy_perform(f.easy);
	end = judge(&f);
	if (end == WRONG)
		return end;
	curl_easy_reset(f.easy);
	f.len = 0;
	f.path = "broken";
	set_url(&f, scarce_id + 1);
	(void)curl_easy_setopt(f.easy, CURLOPT_WRITEFUNCTION, on_write);
	(void)curl_easy_setopt(f.easy, CURLOPT_WRITEDATA, &f);
	(void)curl_easy_setopt(f.easy, CURLOPT_ERRORBUFFER, f.error);
	f.result = curl_easy_perform(f.easy);
	return fetch_end(&f, judge_again(&f, judge(&f)));
}

/* ---- rules that change ---- */

static void rewrite_rules(void)
{
	static const char line[] = "\n; another word\n";
	const char *path = getenv("RETRYSHIM_RULES");
	int fd = path ? open(path, O_WRONLY | O_APPEND) : -1;

	if (fd < 0 || write(fd, line, strlen(line)) < 0)
		exit(3);
	(void)close(fd);
}

enum end scarce_reload(void)
{
	enum end first, second;

	first = fetch("busy", false);
	rewrite_rules();
	(void)poll(NULL, 0, 6); /* by a clock of 4 ms */
	scarce_id++;
	second = fetch("busy", false);
	return first > second ? first : second;
}

/* ---- the multi interface ---- */

#define TOGETHER 3

static void take_results(CURLM *multi, int *done)
{
	CURLMsg *msg;
	int left;

	while ((msg = curl_multi_info_read(multi, &left)) != NULL) {
		struct fetch *f = NULL;

		(void)curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, &f);
		f->result = msg->data.result;
		++*done;
	}
}

static enum end many(enum multi_style style)
{
	static const char *const paths[TOGETHER] = { "busy", "plain", "broken" };
	struct fetch all[TOGETHER];
	struct multi_loop loop;
	enum end end = RETRIED;
	int done = 0;

	multi_loop_init(&loop, style);
	for (unsigned i = 0; i < TOGETHER; i++) {
		fetch_begin(&all[i], paths[i], scarce_id + i);
		if (curl_multi_add_handle(loop.multi, all[i].easy) != CURLM_OK)
			return scarce_wrong("not added", (long)i);
	}
	while (done < TOGETHER) {
		multi_loop_round(&loop, 1000);
		take_results(loop.multi, &done);
	}
	for (unsigned i = 0; i < TOGETHER; i++) {
		enum end one = judge(&all[i]);

		(void)curl_multi_remove_handle(loop.multi, all[i].easy);
		if (one != WRONG)
			one = judge_again(&all[i], one);
		end = fetch_end(&all[i], one > end ? one : end);
	}
	multi_loop_free(&loop);
	return loop.wrong ? scarce_wrong(loop.wrong, 0) : end;
}

enum end scarce_many_by_poll(void)
{
	return many(BY_POLL);
}

enum end scarce_many_by_socket(void)
{
	return many(BY_SOCKET);
}
