/*
 * scarce-case SCENARIO URL: a piece of a program's life, again and again, each time with one more
 * thing granted to the library under test before it is refused one (scarce.h); once with all that
 * follows granted, once with all refused.
 *
 * Every time is a process of its own. It must end as if the library were not there, or as the
 * retries would have it; leave the handle as it was, no descriptor, no process, and no more memory
 * than where nothing was refused. What does not is told, and fails.
 */
#include <curl/curl.h>
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness.h"
#include "multi_loop.h"
#include "scarce.h"
#include "scarce_case.h"
#include "scarce_plan.h"

static const char *base_url;
static const char *bytes; /* of SCARCE_OBJECT and of the uploads */
static unsigned long id;  /* of this process's first request */

static scarce_arm *arm;
static scarce_end *grant;
static scarce_asked *asked;
static scarce_held *held;

/* ---- transfers ---- */

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

	memcpy(into, bytes + f->sent, len);
	f->sent += len;
	return len;
}

static void set_url(struct fetch *f, unsigned long number)
{
	char url[512];

	/* Long enough that a copy does not fit where short ones are kept. */
	(void)snprintf(url, sizeof(url), "%s/%s/%lu?%0200d", base_url, f->path, number, 0);
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
		return has_body(f, bytes, SCARCE_OBJECT)
			       ? RETRIED
			       : scarce_wrong("other bytes", (long)f->len);
	if (f->result == CURLE_OK && (status == 503 || status == 410 || status == 418))
		return has_body(f, SCARCE_BUSY, strlen(SCARCE_BUSY))
			       ? BARE
			       : scarce_wrong("other words", (long)f->len);
	if (f->result == CURLE_PARTIAL_FILE && status == 200 && f->error[0])
		return has_body(f, bytes, SCARCE_BREAK)
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

	grant();
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

	fetch_begin(&f, path, id);
	if (up)
		set_upload(&f);
	f.result = curl_easy_perform(f.easy);
	return fetch_end(&f, judge_again(&f, judge(&f)));
}

static enum end plain(void)
{
	return fetch("plain", false);
}

static enum end busy(void)
{
	return fetch("busy", false);
}

static enum end held_back(void)
{
	return fetch("hold", false);
}

static enum end broken(void)
{
	return fetch("broken", false);
}

static enum end upload(void)
{
	return fetch("busy", true);
}

static enum end recover(void)
{
	return fetch("recover", false);
}

static enum end followup(void)
{
	return fetch("gone", false);
}

static enum end canned(void)
{
	return fetch("canned", false);
}

static enum end strike(void)
{
	return fetch("strike", false);
}

static enum end cutting(void)
{
	return fetch("cutting", false);
}

static enum end copied(void)
{
	struct fetch f;
	CURL *copy;

	fetch_begin(&f, "busy", id);
	copy = curl_easy_duphandle(f.easy);
	curl_easy_cleanup(f.easy);
	f.easy = copy;
	f.result = curl_easy_perform(f.easy);
	return fetch_end(&f, judge_again(&f, judge(&f)));
}

/* A handle that is used again after a reset, and for something else. */
static enum end reset(void)
{
	struct fetch f;
	enum end end;

	fetch_begin(&f, "busy", id);
	f.result = curl_easy_perform(f.easy);
	end = judge(&f);
	if (end == WRONG)
		return end;
	curl_easy_reset(f.easy);
	f.len = 0;
	f.path = "broken";
	set_url(&f, id + 1);
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

static enum end reload(void)
{
	enum end first, second;

	first = fetch("busy", false);
	rewrite_rules();
	(void)poll(NULL, 0, 6); /* by a clock of 4 ms */
	id++;
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
		fetch_begin(&all[i], paths[i], id + i);
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

static enum end many_by_poll(void)
{
	return many(BY_POLL);
}

static enum end many_by_socket(void)
{
	return many(BY_SOCKET);
}

/* ---- one time, in a process of its own ---- */

static const struct scenario {
	const char *name;
	enum end (*run)(void);
} scenarios[] = {
	{ "plain", plain },
	{ "busy", busy },
	{ "hold", held_back },
	{ "broken", broken },
	{ "upload", upload },
	{ "recover", recover },
	{ "followup", followup },
	{ "canned", canned },
	{ "strike", strike },
	{ "cutting", cutting },
	{ "copied", copied },
	{ "reset", reset },
	{ "reload", reload },
	{ "multi-poll", many_by_poll },
	{ "multi-socket", many_by_socket },
	{ "connect", scarce_blocking },
	{ "connect-poll", scarce_by_poll },
	{ "connect-select", scarce_by_select },
	{ "connect-epoll", scarce_by_epoll },
	{ "lookup", scarce_lookup },
};

static long count_descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	long count = 0;

	while (dir && readdir(dir))
		count++;
	if (dir)
		(void)closedir(dir);
	return count;
}

static bool has_children(void)
{
	return waitpid(-1, NULL, WNOHANG | __WALL) >= 0 || errno != ECHILD;
}

/* What the clean run holds at its end: the rules, and what is kept for later. */
static long *held_most;

static enum end live(const struct scenario *scenario, long n, bool ever_after)
{
	long before = count_descriptors(), after;
	enum end end;

	arm(n, ever_after);
	end = scenario->run();
	grant();
	after = count_descriptors();
	if (end != WRONG && after != before)
		return scarce_wrong("descriptors", after - before);
	if (end != WRONG && has_children())
		return scarce_wrong("a process is left", errno);
	if (n == 0)
		*held_most = held();
	else if (end != WRONG && held() > *held_most)
		return scarce_wrong("memory is left", held() - *held_most);
	return end;
}

struct tally {
	long counts[3];
	long asked; /* where nothing was refused */
};

static void count(struct tally *tally, enum end end)
{
	tally->counts[end]++;
}

static enum end live_apart(const struct scenario *scenario, long n, bool ever_after)
{
	int status = 0;
	pid_t child;

	id += 4;
	(void)fflush(stdout);
	child = fork();
	if (child == 0) {
		enum end end;

		(void)alarm(30);
		end = live(scenario, n, ever_after);
		(void)fflush(stdout);
		_exit((int)end);
	}
	if (child < 0 || waitpid(child, &status, 0) != child)
		return scarce_wrong("fork", errno);
	if (!WIFEXITED(status))
		return scarce_wrong("killed by a signal", WTERMSIG(status));
	return WEXITSTATUS(status) <= WRONG ? (enum end)WEXITSTATUS(status)
					    : scarce_wrong("exit status", WEXITSTATUS(status));
}

/* What the library asks for, once more each time, until all that it asks for is granted. */
static void go_through(const struct scenario *scenario, bool ever_after, struct tally *tally)
{
	long n = 0;

	do {
		enum end end = live_apart(scenario, ++n, ever_after);

		count(tally, end);
		if (end == WRONG)
			printf("  ... in %s, where number %ld%s is refused\n", scenario->name, n,
			       ever_after ? " and all later" : "");
	} while (asked() >= n || n < tally->asked);
}

static const struct scenario *scenario_of(const char *name)
{
	for (size_t i = 0; i < sizeof(scenarios) / sizeof(scenarios[0]); i++) {
		if (strcmp(scenarios[i].name, name) == 0)
			return &scenarios[i];
	}
	exit(2);
}

static void *find(const char *name)
{
	void *function = dlsym(RTLD_DEFAULT, name);

	if (!function)
		exit(2);
	return function;
}

int main(int argc, char **argv)
{
	struct tally tally = { { 0 }, 0 };
	const struct scenario *scenario;
	char *memory = noise(SCARCE_OBJECT, SCARCE_SEED);

	if (argc != 3)
		return 2;
	scenario = scenario_of(argv[1]);
	base_url = argv[2];
	bytes = memory;
	*(void **)&arm = find("scarce_refuse");
	*(void **)&grant = find("scarce_grant");
	*(void **)&asked = find("scarce_count");
	*(void **)&held = find("scarce_pieces");
	held_most = mmap(NULL, sizeof(*held_most), PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	(void)curl_global_init(CURL_GLOBAL_ALL);
	if (live_apart(scenario, 0, false) != RETRIED && strcmp(argv[1], "followup") != 0)
		printf("wrong: the retries did not help where nothing was refused\n");
	tally.asked = asked();
	go_through(scenario, false, &tally);
	go_through(scenario, true, &tally);
	printf("%s: asked %ld retried %ld bare %ld wrong %ld\n", scenario->name, tally.asked,
	       tally.counts[RETRIED], tally.counts[BARE], tally.counts[WRONG]);
	free(memory);
	return tally.counts[WRONG] > 0;
}
