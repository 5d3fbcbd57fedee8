#include "rules/source.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rules/names.h"

/* What opening and reading a file fails of. strerror(3) may translate, and allocates to do so. */
static const char *describe(int error)
{
	const char *name;

	switch (error) {
	case ENOENT:
		return "No such file or directory";
	case EACCES:
		return "Permission denied";
	case ENOTDIR:
		return "Not a directory";
	case ELOOP:
		return "Too many levels of symbolic links";
	case EIO:
		return "Input/output error";
	case EMFILE:
		return "Too many open files";
	case ENOMEM:
		return "Cannot allocate memory";
	default:
		name = rs_error_name(RS_DOMAIN_ERRNO, error);
		return name ? name : "unknown error";
	}
}

static int refuse_kind(const struct stat *st, const char **why)
{
	if (S_ISREG(st->st_mode))
		return 0;
	*why = S_ISDIR(st->st_mode)    ? "is a directory, not a rules file"
	       : S_ISFIFO(st->st_mode) ? "is a FIFO, not a rules file"
				       : "is a device or socket, not a rules file";
	return S_ISDIR(st->st_mode) ? -EISDIR : -EINVAL;
}

/* An access control list that lets others write shows in the group's bits. Who can write the
 * directory can put another file there, but not one of a trusted owner. */
static const char *distrust(const struct stat *st)
{
	if (st->st_uid != 0 && st->st_uid != geteuid())
		return "belongs neither to root nor to the user who runs the program";
	if (st->st_mode & (S_IWGRP | S_IWOTH))
		return "others than its owner may write (chmod go-w)";
	return NULL;
}

static ssize_t read_some(int fd, char *at, size_t size)
{
	ssize_t got;

	do {
		got = read(fd, at, size);
	} while (got < 0 && errno == EINTR);
	return got;
}

/* `room` is one byte more than fstat promised, so that a file that has not grown ends the loop. */
static int read_all(struct rs_arena *arena, int fd, size_t room, struct rs_source *source)
{
	source->len = 0;
	source->text = rs_arena_alloc(arena, room, 1);
	while (source->text) {
		ssize_t got = read_some(fd, source->text + source->len, room - source->len);

		if (got <= 0)
			return got < 0 ? -errno : 0;
		source->len += (size_t)got;
		if (source->len > RS_SOURCE_LIMIT)
			return -EFBIG;
		if (source->len == room) {
			char *wider = rs_arena_alloc(arena, room * 2, 1);

			if (wider)
				memcpy(wider, source->text, room);
			source->text = wider;
			room *= 2;
		}
	}
	return -ENOMEM;
}

static int read_regular(struct rs_arena *arena, int fd, struct rs_source *source, const char **why)
{
	struct stat st;
	int rc;

	if (fstat(fd, &st) != 0)
		return -errno;
	rc = refuse_kind(&st, why);
	if (rc)
		return rc;
	if (st.st_size > (off_t)RS_SOURCE_LIMIT)
		return -EFBIG;
	source->distrusted = distrust(&st);
	return read_all(arena, fd, (size_t)st.st_size + 4096, source);
}

int rs_source_read(struct rs_arena *arena, const char *path, struct rs_source *source,
		   const char **why)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	int rc = fd < 0 ? -errno : 0;

	*why = NULL;
	if (fd >= 0) {
		rc = read_regular(arena, fd, source, why);
		close(fd);
	}
	if (rc == -EFBIG)
		*why = "is larger than 16 MiB";
	if (rc && !*why)
		*why = describe(-rc);
	return rc;
}
