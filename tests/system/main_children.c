/*
 * children FIRST URL [subreaper]: fetch both (libcurl opens descriptors of its own for the first),
 * then say what there is to see of any child process: SIGCHLD signals, what wait() finds,
 * descriptors that were not there before.
 */
#include <curl/curl.h>
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "../errno_name.h"

static volatile sig_atomic_t signals;

static void count_signal(int number)
{
	(void)number;
	signals++;
}

static int count_descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int count = 0;

	while (dir && readdir(dir))
		count++;
	if (dir)
		(void)closedir(dir);
	return count;
}

static size_t drop(char *bytes, size_t one, size_t len, void *arg)
{
	(void)bytes;
	(void)one;
	(void)arg;
	return len;
}

int main(int argc, char **argv)
{
	struct sigaction action = { .sa_handler = count_signal };
	CURL *easy = curl_easy_init();
	int before;

	if (argc < 3 || !easy)
		return 2;
	if (argc > 3)
		(void)prctl(PR_SET_CHILD_SUBREAPER, 1);
	(void)sigaction(SIGCHLD, &action, NULL);
	curl_easy_setopt(easy, CURLOPT_URL, argv[1]);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, drop);
	curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L);
	curl_easy_perform(easy);
	before = count_descriptors();
	curl_easy_setopt(easy, CURLOPT_URL, argv[2]);
	(void)printf("result %d", (int)curl_easy_perform(easy));
	(void)printf(" signals %d", (int)signals);
	(void)printf(" wait %s", waitpid(-1, NULL, WNOHANG) < 0 ? errno_name(errno) : "a child");
	(void)printf(" descriptors %+d\n", count_descriptors() - before);
	curl_easy_cleanup(easy);
	return 0;
}
