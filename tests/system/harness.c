/*
 * Files, paths and assertions.
 */
#include "harness.h"

#include <errno.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "harness_parts.h"

#define SHOWN_LIMIT 4000

_Noreturn void harness_die(const char *what)
{
	(void)fprintf(stderr, "test harness: %s: %s\n", what, strerror(errno));
	exit(1);
}

void *harness_zeroed(size_t size)
{
	void *memory = calloc(1, size);

	if (!memory)
		harness_die("memory");
	return memory;
}

int64_t now_ns(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* Strings that live until the test program ends. */
struct kept {
	struct kept *next;
	char text[];
};

static struct kept *all_kept;
static char directory[PATH_MAX];
static pid_t directory_owner;

static const char *keep(const char *text)
{
	size_t size = strlen(text) + 1;
	struct kept *kept = malloc(sizeof(*kept) + size);

	if (!kept)
		harness_die("memory");
	memcpy(kept->text, text, size);
	kept->next = all_kept;
	all_kept = kept;
	return kept->text;
}

static int remove_one(const char *path, const struct stat *info, int type, struct FTW *ftw)
{
	(void)info;
	(void)type;
	(void)ftw;
	return remove(path);
}

static void clean_up(void)
{
	if (directory_owner == getpid())
		(void)nftw(directory, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	while (all_kept) {
		struct kept *next = all_kept->next;

		free(all_kept);
		all_kept = next;
	}
}

const char *temp_dir(void)
{
	const char *parent = getenv("TMPDIR");

	if (directory[0])
		return directory;
	(void)snprintf(directory, sizeof(directory), "%s/retryshim-test.XXXXXX",
		       parent && *parent ? parent : "/tmp");
	if (!mkdtemp(directory))
		harness_die(directory);
	directory_owner = getpid();
	(void)atexit(clean_up);
	return directory;
}

const char *temp_path(const char *name)
{
	char path[PATH_MAX];

	if (snprintf(path, sizeof(path), "%s/%s", temp_dir(), name) >= (int)sizeof(path))
		harness_die("path too long");
	return keep(path);
}

const char *temp_file(const char *name, const void *data, size_t len)
{
	const char *path = temp_path(name);
	FILE *file = fopen(path, "we");

	if (!file || fwrite(data, 1, len, file) != len || fclose(file) != 0)
		harness_die(path);
	return path;
}

const char *rules_file(const char *text)
{
	static unsigned number;
	char name[32];

	(void)snprintf(name, sizeof(name), "rules-%u.ini", ++number);
	return temp_file(name, text, strlen(text));
}

const char *rules_file_with_faults(int count)
{
	static const char line[] = "x = 1\n", section[] = "[retryshim]\n";
	char *text = malloc(sizeof(section) + (size_t)count * strlen(line)), *end;
	const char *path;

	if (!text)
		harness_die("a rules file");
	end = stpcpy(text, section);
	for (int i = 0; i < count; i++)
		end = stpcpy(end, line);
	path = rules_file(text);
	free(text);
	return path;
}

char *read_file(const char *path, size_t *len)
{
	FILE *file = fopen(path, "re");
	char *data = NULL;
	size_t size = 0;

	*len = 0;
	if (!file)
		return NULL;
	do {
		size += 65536;
		data = realloc(data, size + 1);
		if (!data)
			harness_die("memory");
		*len += fread(data + *len, 1, size - *len, file);
	} while (*len == size);
	(void)fclose(file);
	data[*len] = '\0';
	return data;
}

/* splitmix64 (S. Vigna, public domain): its state is a counter, so nothing repeats. */
static uint64_t mix(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15U;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9U;
	z = (z ^ z >> 27) * 0x94d049bb133111ebU;
	return z ^ z >> 31;
}

char *noise(size_t len, uint64_t seed)
{
	char *data = malloc(len + 1);

	if (!data)
		harness_die("memory");
	for (size_t i = 0; i < len; i++)
		data[i] = (char)mix(&seed);
	data[len] = '\0';
	return data;
}

static const char *from_env(const char *name, const char *otherwise)
{
	const char *value = getenv(name);
	char path[PATH_MAX];

	if (!realpath(value && *value ? value : otherwise, path))
		harness_die(value && *value ? value : otherwise);
	return keep(path);
}

const char *library_path(void)
{
	static const char *path;

	if (!path)
		path = from_env("RS_LIB", "build/libretryshim.so");
	return path;
}

const char *command_path(void)
{
	static const char *path;

	if (!path)
		path = from_env("RS_COMMAND", "build/retryshim");
	return path;
}

/* Helpers lie beside the directory of the test programs: build/tests/system/test_x, and
 * build/tests/NAME. */
const char *helper_path(const char *name)
{
	const char *elsewhere = getenv("RS_HELPERS");
	char path[PATH_MAX];
	ssize_t len = readlink("/proc/self/exe", path, sizeof(path) - 1);

	if (elsewhere && *elsewhere) {
		if (snprintf(path, sizeof(path), "%s/%s", elsewhere, name) >= (int)sizeof(path))
			harness_die("path too long");
		return keep(path);
	}
	if (len < 0)
		harness_die("/proc/self/exe");
	path[len] = '\0';
	for (int levels = 0; levels < 2; levels++) {
		char *slash = strrchr(path, '/');

		if (slash)
			*slash = '\0';
	}
	len = (ssize_t)strlen(path);
	if (snprintf(path + len, sizeof(path) - (size_t)len, "/%s", name) < 0)
		harness_die(name);
	return keep(path);
}

int count_lines(const char *text, const char *word)
{
	const char *hit = text;
	int lines = 0;

	while ((hit = strstr(hit, word)) != NULL) {
		lines++;
		hit = strchr(hit, '\n');
		if (!hit)
			break;
	}
	return lines;
}

static void show(const char *what, const void *data, size_t len)
{
	print_error("--- %s (%zu bytes)\n%.*s\n", what, len,
		    (int)(len < SHOWN_LIMIT ? len : SHOWN_LIMIT), (const char *)data);
}

void check_exit_at(const struct run *run, int status, const char *file, int line)
{
	if (run->status == status && !run->timed_out)
		return;
	print_error("exit status %d, signal %d%s; wanted status %d\n", run->status, run->signal,
		    run->timed_out ? " (timed out)" : "", status);
	show("stdout", run->out, run->out_len);
	show("stderr", run->err, run->err_len);
	_fail(file, line);
}

void check_bytes_at(const void *got, size_t got_len, const void *wanted, size_t wanted_len,
		    const char *file, int line)
{
	const char *a = got, *b = wanted;
	size_t same = 0;

	while (same < got_len && same < wanted_len && a[same] == b[same])
		same++;
	if (same == got_len && same == wanted_len)
		return;
	print_error("%zu bytes, wanted %zu; the first %zu are equal\n", got_len, wanted_len, same);
	show("got", got, got_len);
	show("wanted", wanted, wanted_len);
	_fail(file, line);
}

void check_contains_at(const char *text, const char *part, bool wanted, const char *file, int line)
{
	if ((strstr(text, part) != NULL) == wanted)
		return;
	print_error("the text %s \"%s\"\n", wanted ? "lacks" : "contains", part);
	show("text", text, strlen(text));
	_fail(file, line);
}
