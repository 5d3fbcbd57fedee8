#include "transfer/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <paths.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#define IN_MEMORY      (256 * 1024) /* from there on in files */
#define MEMORY_SEGMENT (32 * 1024)
#define MAPPED_SEGMENT (4 * 1024 * 1024)

struct rs_spool_segment {
	struct rs_spool_segment *next;
	char *bytes;
	size_t size, len;
	bool mapped;
};

/* Beyond the limit the kernel would send SIGXFSZ. */
static bool may_grow_to(size_t size)
{
	struct rlimit limit;

	return getrlimit(RLIMIT_FSIZE, &limit) != 0 || limit.rlim_cur >= size;
}

/* Blocks are reserved before the mapping is written: a full disk must be an error here, not a
 * signal to the program. */
static char *map_file(size_t size, int *failed)
{
	char *bytes;
	int fd;

	*failed = -EFBIG;
	if (!may_grow_to(size))
		return NULL;
	fd = open(_PATH_TMP, O_TMPFILE | O_RDWR | O_CLOEXEC | O_EXCL, 0600);
	if (fd < 0) {
		*failed = -errno;
		return NULL;
	}
	*failed = -posix_fallocate(fd, 0, (off_t)size);
	bytes = *failed ? MAP_FAILED : mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (!*failed && bytes == MAP_FAILED)
		*failed = -errno;
	close(fd);
	return bytes == MAP_FAILED ? NULL : bytes;
}

static int make_segment(const struct rs_spool *spool, struct rs_spool_segment **made)
{
	struct rs_spool_segment *segment = calloc(1, sizeof(*segment));
	int failed = -ENOMEM;

	if (!segment)
		return failed;
	segment->mapped = spool->len >= IN_MEMORY;
	segment->size = segment->mapped ? MAPPED_SEGMENT : MEMORY_SEGMENT;
	segment->bytes = segment->mapped ? map_file(segment->size, &failed) : malloc(segment->size);
	if (!segment->bytes) {
		free(segment);
		return failed;
	}
	*made = segment;
	return 0;
}

/* The last segment, or a new one, with room at its end. */
static int room(struct rs_spool *spool, struct rs_spool_segment **found)
{
	int failed;

	*found = spool->last;
	if (spool->last && spool->last->len < spool->last->size)
		return 0;
	failed = make_segment(spool, found);
	if (failed)
		return failed;
	if (spool->last)
		spool->last->next = *found;
	else
		spool->first = *found;
	spool->last = *found;
	return 0;
}

int rs_spool_add(struct rs_spool *spool, const char *bytes, size_t len)
{
	if (len > spool->limit - spool->len)
		return -EFBIG;
	while (len > 0) {
		struct rs_spool_segment *last = NULL;
		int failed = room(spool, &last);
		size_t part;

		if (failed)
			return failed;
		part = last->size - last->len < len ? last->size - last->len : len;
		memcpy(last->bytes + last->len, bytes, part);
		last->len += part;
		spool->len += part;
		bytes += part;
		len -= part;
	}
	return 0;
}

size_t rs_spool_read(const struct rs_spool *spool, size_t offset, char *bytes, size_t size)
{
	size_t done = 0;

	for (const struct rs_spool_segment *s = spool->first; s && done < size; s = s->next) {
		size_t part;

		if (offset >= s->len) {
			offset -= s->len;
			continue;
		}
		part = s->len - offset < size - done ? s->len - offset : size - done;
		memcpy(bytes + done, s->bytes + offset, part);
		done += part;
		offset = 0;
	}
	return done;
}

void rs_spool_clear(struct rs_spool *spool)
{
	struct rs_spool_segment *segment = spool->first;

	while (segment) {
		struct rs_spool_segment *next = segment->next;

		if (segment->mapped)
			munmap(segment->bytes, segment->size);
		else
			free(segment->bytes);
		free(segment);
		segment = next;
	}
	spool->first = spool->last = NULL;
	spool->len = 0;
}
