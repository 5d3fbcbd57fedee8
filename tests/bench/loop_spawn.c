/*
 * Programs, one after the other, from fork to end, with the environment that was given and a PATH.
 */
#include <fcntl.h>
#include <spawn.h>
#include <stddef.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "loop.h"

#define MOST_SETTINGS 16

static char path[] = "PATH=/usr/bin:/bin:/usr/sbin:/sbin";
static char *environment[MOST_SETTINGS + 2] = { path };
static char **program;

static bool take_words(char **args)
{
	size_t count = 0;

	for (; *args && strchr(*args, '=') && count < MOST_SETTINGS; args++)
		environment[1 + count++] = *args;
	program = args;
	return *args != NULL;
}

static int64_t children_ns(void)
{
	struct rusage used;

	(void)getrusage(RUSAGE_CHILDREN, &used);
	return ((int64_t)used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1000000000 +
	       ((int64_t)used.ru_utime.tv_usec + used.ru_stime.tv_usec) * 1000;
}

static bool spawn(const posix_spawn_file_actions_t *quiet)
{
	int status = -1;
	pid_t pid;

	return posix_spawnp(&pid, program[0], quiet, NULL, program, environment) == 0 &&
	       waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static void spawn_often(struct loop_result *result, long count)
{
	int64_t before_ns = children_ns();
	posix_spawn_file_actions_t quiet;

	(void)posix_spawn_file_actions_init(&quiet);
	for (int fd = 0; fd <= 2; fd++)
		(void)posix_spawn_file_actions_addopen(&quiet, fd, "/dev/null", O_RDWR, 0);
	for (long i = 0; i < count; i++) {
		int64_t began_ns = loop_now_ns();

		result->good += spawn(&quiet);
		result->took_ns[i] = loop_now_ns() - began_ns;
	}
	result->cpu_ns = children_ns() - before_ns;
	(void)posix_spawn_file_actions_destroy(&quiet);
}

const struct loop_kind loop_spawn = { "spawn", take_words, spawn_often };
