#include "cli/elf_search.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define CACHE "/etc/ld.so.cache"

/* A file of that path which this machine's linker would take. */
static bool is_library(const char *path)
{
	struct rs_elf elf;
	bool ours = rs_elf_open(&elf, path) == RS_ELF_OURS;

	rs_elf_close(&elf);
	return ours;
}

/* ---- directories ---- */

/* `dir` with $ORIGIN (or ${ORIGIN}) at its start replaced by the directory of `origin`. */
static bool expand(const char *dir, int len, const char *origin, char *to, size_t size)
{
	static const char *const words[] = { "$ORIGIN", "${ORIGIN}" };
	const char *slash = strrchr(origin, '/');
	int origin_len = slash ? (int)(slash - origin) : 1;

	for (int i = 0; i < 2; i++) {
		int word = (int)strlen(words[i]);

		if (len >= word && strncmp(dir, words[i], (size_t)word) == 0)
			return snprintf(to, size, "%.*s%.*s", origin_len, slash ? origin : ".",
					len - word, dir + word) < (int)size;
	}
	return snprintf(to, size, "%.*s", len, dir) < (int)size;
}

static bool in_directories(const char *dirs, const char *origin, const char *name,
			   char found[PATH_MAX])
{
	char dir[PATH_MAX];

	for (;;) {
		int len = (int)strcspn(dirs, ":");

		if (len > 0 && expand(dirs, len, origin, dir, sizeof(dir)) &&
		    snprintf(found, PATH_MAX, "%s/%s", dir, name) < PATH_MAX && is_library(found))
			return true;
		if (dirs[len] == '\0')
			return false;
		dirs += len + 1;
	}
}

/* ---- the cache ---- */

/* glibc, sysdeps/generic/dl-cache.h: struct cache_file_new and struct file_entry_new. */
static const char cache_magic[] = "glibc-ld.so.cache1.1";
struct cache_header {
	char magic[sizeof(cache_magic) - 1];
	uint32_t count;
	uint32_t strings_size;
	uint32_t reserved[5];
};
struct cache_entry {
	int32_t flags;
	uint32_t name, path; /* offsets from the beginning of the header */
	uint32_t os_version;
	uint64_t hwcap;
};

static const char *cache_text(const char *cache, size_t size, uint32_t offset)
{
	return offset < size && memchr(cache + offset, '\0', size - offset) ? cache + offset : NULL;
}

static bool in_cache_text(const char *cache, size_t size, const char *name, char found[PATH_MAX])
{
	struct cache_header header;

	if (size < sizeof(header))
		return false;
	memcpy(&header, cache, sizeof(header));
	if (header.count > (size - sizeof(header)) / sizeof(struct cache_entry))
		return false;
	for (uint32_t i = 0; i < header.count; i++) {
		struct cache_entry entry;
		const char *known, *path;

		memcpy(&entry, cache + sizeof(header) + i * sizeof(entry), sizeof(entry));
		known = cache_text(cache, size, entry.name);
		path = cache_text(cache, size, entry.path);
		if (known && path && strcmp(known, name) == 0 && is_library(path))
			return snprintf(found, PATH_MAX, "%s", path) < PATH_MAX;
	}
	return false;
}

static bool in_cache(const char *name, char found[PATH_MAX])
{
	int fd = open(CACHE, O_RDONLY | O_CLOEXEC);
	struct stat info;
	char *cache, *start;
	bool result = false;

	if (fd < 0)
		return false;
	if (fstat(fd, &info) != 0 || info.st_size <= 0) {
		close(fd);
		return false;
	}
	cache = mmap(NULL, (size_t)info.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	close(fd);
	if (cache == MAP_FAILED)
		return false;
	/* An older format may come before it. */
	start = memmem(cache, (size_t)info.st_size, cache_magic, sizeof(cache_magic) - 1);
	if (start)
		result = in_cache_text(start, (size_t)(cache + info.st_size - start), name, found);
	munmap(cache, (size_t)info.st_size);
	return result;
}

/* ---- in ld.so's order ---- */

static bool in_rpaths(const struct rs_elf_asker *asker, const char *name, char found[PATH_MAX])
{
	const char *own = rs_elf_text(asker->elf, DT_RPATH, 0);

	if (own && in_directories(own, asker->path, name, found))
		return true;
	return asker->inherited_rpath &&
	       in_directories(asker->inherited_rpath, asker->inherited_path, name, found);
}

bool rs_elf_search(const struct rs_elf_asker *asker, const char *name, char found[PATH_MAX])
{
	const char *runpath = rs_elf_text(asker->elf, DT_RUNPATH, 0);
	const char *environment = getenv("LD_LIBRARY_PATH");

	if (strchr(name, '/'))
		return snprintf(found, PATH_MAX, "%s", name) < PATH_MAX && is_library(found);
	if (!runpath && in_rpaths(asker, name, found))
		return true;
	if (environment && in_directories(environment, asker->path, name, found))
		return true;
	if (runpath && in_directories(runpath, asker->path, name, found))
		return true;
	return in_cache(name, found) ||
	       in_directories("/lib:/usr/lib:/lib64:/usr/lib64", "/", name, found);
}
