#include "random_transfer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "random_plan.h"

#define FLAGS 6

static long status_of(CURL *easy)
{
	long status = 0;

	(void)curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
	return status;
}

static void note_wrong(struct random_transfer *t, const char *what)
{
	if (!t->is_wrong)
		(void)fprintf(stderr, "transfer %llu kind %d length %zu at %zu: %s\n",
			      (unsigned long long)t->id, (int)t->kind, t->len, t->got, what);
	t->is_wrong = true;
}

/* An answer of 200 or 206 is the object; any other one is the words of a failure. */
static size_t receive(char *bytes, size_t size, size_t count, void *user)
{
	struct random_transfer *t = user;
	size_t len = size * count;
	const char *wanted = t->source->noise + plan_offset(t->id) + t->first;
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
	struct random_transfer *t = user;
	size_t left = t->up_len - t->up_sent;
	size_t len = left < size * count ? left : size * count;

	memcpy(bytes, t->source->noise + plan_offset(t->id) + t->up_sent, len);
	t->up_sent += len;
	return len;
}

static int seek(void *user, curl_off_t offset, int whence)
{
	struct random_transfer *t = user;

	(void)whence;
	t->up_sent = (size_t)offset;
	return CURL_SEEKFUNC_OK;
}

static void set_post(struct random_transfer *t)
{
	(void)curl_easy_setopt(t->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)t->up_len);
	(void)curl_easy_setopt(t->easy, CURLOPT_POSTFIELDS, t->source->noise + plan_offset(t->id));
}

static void set_put(struct random_transfer *t, uint64_t *state)
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

static void set_range(struct random_transfer *t, uint64_t *state)
{
	char range[64];

	if (t->len < 2)
		return;
	t->first = plan_random(state) % t->len;
	t->end = t->first + 1 + plan_random(state) % (t->len - t->first);
	(void)snprintf(range, sizeof(range), "%zu-%zu", t->first, t->end - 1);
	(void)curl_easy_setopt(t->easy, CURLOPT_RANGE, range);
}

static void set_kind(struct random_transfer *t, uint64_t *state)
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
 * by a rule; r not without a token. A part can only be asked of what has an ETag and is not coded.
 */
static void make_flags(const struct random_transfer *t, uint64_t *state, char flags[FLAGS])
{
	static const char framing[] = "lcxz";
	size_t n = 0;

	if (t->source->recovers && plan_random(state) % 100 == 0)
		flags[n++] = 'r';
	flags[n++] = t->kind == RANGE ? 'l' : framing[plan_random(state) % 4];
	if (t->kind == RANGE || plan_random(state) % 3 > 0)
		flags[n++] = 'e';
	if (plan_random(state) % 4 == 0)
		flags[n++] = 'h';
	flags[n] = '\0';
}

enum random_end random_transfer_judge(struct random_transfer *t, CURLcode result)
{
	bool whole = t->got == (t->kind == HEAD ? 0 : t->end - t->first);
	bool good = result == CURLE_OK && status_of(t->easy) < 300;

	if (good && !t->refused && !whole)
		note_wrong(t, "not all bytes, and no failure");
	(void)curl_easy_setopt(t->easy, CURLOPT_ERRORBUFFER, NULL);
	if (t->is_wrong)
		return RANDOM_WRONG;
	return good ? RANDOM_GOOD : RANDOM_FAILED;
}

static void set_common(struct random_transfer *t)
{
	CURL *easy = t->easy;

	(void)curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	(void)curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, t->source->timeout_ms);
	(void)curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "gzip");
	(void)curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, receive);
	(void)curl_easy_setopt(easy, CURLOPT_WRITEDATA, t);
	(void)curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, t->error);
	(void)curl_easy_setopt(easy, CURLOPT_PRIVATE, t);
}

void random_transfer_prepare(struct random_transfer *t, const struct random_source *source,
			     CURL *easy, uint64_t number)
{
	static const unsigned char kinds[] = { GET,  GET,  GET, GET, RANGE,
					       HEAD, POST, PUT, PUT, DELETE };
	uint64_t state = plan_state(source->seed, number);
	char url[512], flags[FLAGS];

	*t = (struct random_transfer){ .source = source, .easy = easy, .id = number };
	t->kind = kinds[plan_random(&state) % sizeof(kinds)];
	t->len = t->end = plan_size(&state);
	t->up_len = plan_size(&state) % 300000;
	make_flags(t, &state, flags);
	(void)snprintf(url, sizeof(url), "%s/t/%llu/%zu/%zu/%s", source->url,
		       (unsigned long long)t->id, t->len, t->up_len, flags);
	(void)snprintf(t->refusal, sizeof(t->refusal), "busy %llu", (unsigned long long)t->id);
	curl_easy_reset(easy);
	(void)curl_easy_setopt(easy, CURLOPT_URL, url);
	set_common(t);
	set_kind(t, &state);
}
