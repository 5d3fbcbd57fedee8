#include "soak_memory.h"

#include <ctype.h>
#include <dirent.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* "Rss:   1234 kB" and its like; those that occur more than once are added. */
static long field_of(const char *file, const char *name)
{
	FILE *stream = fopen(file, "re");
	char line[256];
	long sum = 0;

	while (stream && fgets(line, sizeof(line), stream)) {
		if (strncmp(line, name, strlen(name)) == 0)
			sum += strtol(line + strlen(name), NULL, 10);
	}
	if (stream)
		(void)fclose(stream);
	return sum;
}

/* Entries that are numbers, without the descriptor by which they are read. */
static long count_numbers(const char *path)
{
	DIR *dir = opendir(path);
	const struct dirent *entry;
	long count = 0;

	while (dir && (entry = readdir(dir)))
		count += isdigit((unsigned char)entry->d_name[0]) != 0;
	if (dir)
		(void)closedir(dir);
	return count;
}

static long children_of(const char *task)
{
	char path[64], text[4096] = "";
	FILE *stream;
	long count = 0;

	(void)snprintf(path, sizeof(path), "/proc/self/task/%.20s/children", task);
	stream = fopen(path, "re");
	if (!stream)
		return 0;
	if (fgets(text, sizeof(text), stream)) {
		for (const char *at = text; (at = strchr(at, ' ')) != NULL; at++)
			count++;
	}
	(void)fclose(stream);
	return count;
}

static long count_children(void)
{
	DIR *dir = opendir("/proc/self/task");
	const struct dirent *entry;
	long count = 0;

	while (dir && (entry = readdir(dir))) {
		if (isdigit((unsigned char)entry->d_name[0]))
			count += children_of(entry->d_name);
	}
	if (dir)
		(void)closedir(dir);
	return count;
}

struct holdings holdings_now(void)
{
	return (struct holdings){
		.rss_kib = field_of("/proc/self/smaps_rollup", "Rss:"),
		.heap_kib = (long)(mallinfo2().uordblks + mallinfo2().hblkhd) / 1024,
		.descriptors = count_numbers("/proc/self/fd") - 1,
		.threads = count_numbers("/proc/self/task"),
		.children = count_children(),
	};
}
