/*
 * loop KIND [ARG...]: for every number on stdin, do it so often, and answer with a line:
 * nanoseconds in all, those on a processor, how many ended well, body callbacks; and the
 * nanoseconds of each.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "loop.h"

#define MOST 1000000

static const struct loop_kind *const kinds[] = {
	&loop_connect, &loop_refused, &loop_begun, &loop_selected, &loop_epolled, &loop_fetch,
	&loop_count,   &loop_setopt,  &loop_judge, &loop_parse,    &loop_spawn,
};

static int64_t read_clock(clockid_t id)
{
	struct timespec now;

	(void)clock_gettime(id, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int64_t loop_now_ns(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

static void answer(const struct loop_kind *kind, long count)
{
	struct loop_result result = { .took_ns = calloc((size_t)count + 1, sizeof(int64_t)) };
	int64_t cpu_ns = read_clock(CLOCK_PROCESS_CPUTIME_ID), began_ns = loop_now_ns(), took_ns;

	if (!result.took_ns)
		abort();
	kind->repeat(&result, count);
	took_ns = loop_now_ns() - began_ns;
	cpu_ns = read_clock(CLOCK_PROCESS_CPUTIME_ID) - cpu_ns;
	printf("%lld %lld %ld %ld", (long long)took_ns,
	       (long long)(result.cpu_ns ? result.cpu_ns : cpu_ns), result.good, result.pieces);
	for (long i = 0; i < count; i++)
		printf(" %lld", (long long)result.took_ns[i]);
	putchar('\n');
	(void)fflush(stdout);
	free(result.took_ns);
}

static const struct loop_kind *find(const char *name)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (strcmp(kinds[i]->name, name) == 0)
			return kinds[i];
	}
	return NULL;
}

int main(int argc, char **argv)
{
	const struct loop_kind *kind = argc > 1 ? find(argv[1]) : NULL;
	char line[32];

	if (!kind || !kind->prepare(argv + 2)) {
		fputs("usage: loop connect|refused|begun | fetch|count URL | setopt | judge RULES | parse RULES | "
		      "spawn [NAME=VALUE...] PROGRAM [ARG...]\n",
		      stderr);
		return 2;
	}
	while (fgets(line, sizeof(line), stdin)) {
		long count = strtol(line, NULL, 10);

		if (count < 1 || count > MOST)
			return 2;
		answer(kind, count);
	}
	return 0;
}
