/*
 * multi-paced CASE URL OTHER STYLE: a program that uses the multi interface while the pace of the
 * server at URL, which answers /1 with a throttle, puts its transfers off. Nobody paces OTHER.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness.h"
#include "multi_loop.h"

#define MS INT64_C(1000000)

static const char *base, *other;
static struct multi_loop loop;

static size_t on_write(char *bytes, size_t size, size_t count, void *data)
{
	char *body = data;
	size_t had = strlen(body);

	(void)snprintf(body + had, 64 - had, "%.*s", (int)(size * count), bytes);
	return size * count;
}

struct transfer {
	CURL *easy;
	char body[64];
};

static void set(struct transfer *t, const char *server, const char *path)
{
	char url[512];

	if (!t->easy)
		t->easy = curl_easy_init();
	t->body[0] = '\0';
	(void)snprintf(url, sizeof(url), "%s%s", server, path);
	(void)curl_easy_setopt(t->easy, CURLOPT_URL, url);
	(void)curl_easy_setopt(t->easy, CURLOPT_WRITEFUNCTION, on_write);
	(void)curl_easy_setopt(t->easy, CURLOPT_WRITEDATA, t->body);
}

static void add(struct transfer *t, const char *server, const char *path)
{
	int64_t began_ns = now_ns();

	set(t, server, path);
	printf("add %d %s\n", (int)curl_multi_add_handle(loop.multi, t->easy),
	       now_ns() - began_ns < 500 * MS ? "at once" : "late");
}

static CURLMsg *drive_to_message(int most_ms)
{
	int64_t ends_ns = now_ns() + most_ms * MS;
	CURLMsg *msg = NULL;
	int left;

	while (!msg && now_ns() < ends_ns) {
		multi_loop_round(&loop, 100);
		msg = curl_multi_info_read(loop.multi, &left);
	}
	return msg;
}

static void tell(const CURLMsg *msg, const struct transfer *t)
{
	if (!msg)
		printf("no message, running %d\n", loop.running);
	else
		printf("result %d, of this transfer: %d, body: %s\n", (int)msg->data.result,
		       msg->easy_handle == t->easy, t->body);
}

/* From here on there is a pace. */
static void be_throttled(void)
{
	struct transfer t = { 0 };

	set(&t, base, "/1");
	(void)curl_multi_add_handle(loop.multi, t.easy);
	tell(drive_to_message(5000), &t);
	(void)curl_multi_remove_handle(loop.multi, t.easy);
	curl_easy_cleanup(t.easy);
}

/* A transfer that has to wait for its turn holds nobody else up. */
static void starts(void)
{
	struct transfer t = { 0 }, free = { 0 };
	int64_t began_ns = now_ns();

	add(&t, base, "/a");
	add(&free, other, "/b");
	tell(drive_to_message(1000), &free);
	printf("running %d\n", loop.running);
	tell(drive_to_message(200), &t);
	tell(drive_to_message(5000), &t);
	printf("%s\n", now_ns() - began_ns > 1400 * MS ? "paced" : "not paced");
	printf("%s\n", loop.longest_ns < 400 * MS ? "never stalled" : "stalled");
	printf("%s\n", loop.wakes < 400 ? "at rest" : "busy");
	(void)curl_multi_remove_handle(loop.multi, t.easy);
	(void)curl_multi_remove_handle(loop.multi, free.easy);
	curl_easy_cleanup(t.easy);
	curl_easy_cleanup(free.easy);
}

static void use(struct transfer *t)
{
	set(t, other, "/c");
	printf("easy %d, body: %s\n", (int)curl_easy_perform(t->easy), t->body);
}

/* What is left, asked for: a program that waits for sockets need not have been told. */
static int count_running(void)
{
	if (loop.style == BY_SOCKET)
		(void)curl_multi_socket_action(loop.multi, CURL_SOCKET_TIMEOUT, 0, &loop.running);
	else
		(void)curl_multi_perform(loop.multi, &loop.running);
	return loop.running;
}

/* Taken out, freed, and left behind by the multi handle. */
static void removed(void)
{
	struct transfer t = { 0 }, freed = { 0 };
	int left;

	for (int i = 0; i < 3; i++) {
		add(&t, base, "/a");
		printf("add again %d\n", (int)curl_multi_add_handle(loop.multi, t.easy));
		multi_loop_round(&loop, 20);
		printf("running %d\n", loop.running);
		printf("in use %d\n", (int)curl_easy_perform(t.easy));
		printf("remove %d\n", (int)curl_multi_remove_handle(loop.multi, t.easy));
		printf("running %d, message %d\n", count_running(),
		       curl_multi_info_read(loop.multi, &left) != NULL);
		use(&t);
	}
	add(&freed, base, "/a");
	curl_easy_cleanup(freed.easy);
	printf("running %d\n", count_running());
	add(&t, base, "/a");
	multi_loop_free(&loop);
	multi_loop_init(&loop, loop.style);
	use(&t);
	curl_easy_cleanup(t.easy);
}

static int asked;

static int on_progress(void *data, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
	(void)data;
	(void)a;
	(void)b;
	(void)c;
	(void)d;
	return ++asked > 3;
}

static void aborted(void)
{
	struct transfer t = { 0 };

	for (int i = 0; i < 2; i++) {
		asked = 0;
		set(&t, base, "/a");
		(void)curl_easy_setopt(t.easy, CURLOPT_NOPROGRESS, 0L);
		(void)curl_easy_setopt(t.easy, CURLOPT_XFERINFOFUNCTION, on_progress);
		(void)curl_multi_add_handle(loop.multi, t.easy);
		tell(drive_to_message(5000), &t);
		(void)curl_multi_remove_handle(loop.multi, t.easy);
	}
	asked = 0;
	printf("easy %d\n", (int)curl_easy_perform(t.easy));
	(void)curl_easy_setopt(t.easy, CURLOPT_NOPROGRESS, 1L);
	use(&t);
	curl_easy_cleanup(t.easy);
}

/* libcurl looks at the options of a transfer when it begins, not when it is added. */
static void altered(void)
{
	struct transfer t = { 0 };
	char path[300];

	(void)snprintf(path, sizeof(path), "/a?%0250d",
		       0); /* too long for any place but the heap */
	add(&t, base, path);
	set(&t, other, "/c");
	tell(drive_to_message(5000), &t);
	(void)curl_multi_remove_handle(loop.multi, t.easy);
	curl_easy_cleanup(t.easy);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*run)(void);
	} cases[] = {
		{ "starts", starts },
		{ "removed", removed },
		{ "aborted", aborted },
		{ "altered", altered },
	};

	if (argc != 5)
		return 2;
	base = argv[2];
	other = argv[3];
	multi_loop_init(&loop, (enum multi_style)strtol(argv[4], NULL, 10));
	be_throttled();
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (strcmp(cases[i].name, argv[1]) == 0)
			cases[i].run();
	}
	multi_loop_free(&loop);
	printf("%s\n", loop.wrong ? loop.wrong : "as promised");
	return 0;
}
