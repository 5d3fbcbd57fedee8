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
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness.h"
#include "scarce.h"
#include "scarce_case.h"
#include "scarce_plan.h"

const char *scarce_url, *scarce_bytes;
unsigned long scarce_id;

scarce_end *scarce_grant_all;
static scarce_arm *arm;
static scarce_asked *asked;
static scarce_held *held;

static const struct scenario {
	const char *name;
	enum end (*run)(void);
} scenarios[] = {
	{ "plain", scarce_plain },
	{ "busy", scarce_busy },
	{ "hold", scarce_held_back },
	{ "broken", scarce_broken },
	{ "upload", scarce_upload },
	{ "recover", scarce_recover },
	{ "followup", scarce_followup },
	{ "canned", scarce_canned },
	{ "strike", scarce_strike },
	{ "cutting", scarce_cutting },
	{ "copied", scarce_copied },
	{ "reset", scarce_reset },
	{ "reload", scarce_reload },
	{ "multi-poll", scarce_many_by_poll },
	{ "multi-socket", scarce_many_by_socket },
	{ "connect", scarce_blocking },
	{ "connect-poll", scarce_by_poll },
	{ "connect-poll-many", scarce_among_many },
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
	scarce_grant_all();
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

	scarce_id += 4;
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
	scarce_url = argv[2];
	scarce_bytes = memory;
	*(void **)&arm = find("scarce_refuse");
	*(void **)&scarce_grant_all = find("scarce_grant");
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
