#include "shared/file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static int refuse(const char **why, int error, const char *text)
{
	*why = text;
	return -error;
}

static const char *cause(int error)
{
	switch (error) {
	case EACCES:
	case EPERM:
		return "permission denied";
	case ENOENT:
	case ENOTDIR:
		return "no such directory";
	case ENOSPC:
	case EDQUOT:
		return "no space left";
	case EROFS:
		return "the file system is read-only";
	case ELOOP:
		return "is a symbolic link";
	case EISDIR:
		return "is a directory";
	case EMFILE:
	case ENFILE:
		return "too many open files";
	case EOPNOTSUPP:
		return "the file system cannot reserve space";
	default:
		return "cannot be used";
	}
}

static int failed(const char **why)
{
	return refuse(why, errno, cause(errno));
}

static int check_trust(const struct rs_shared_file *file, const struct stat *about,
		       const char **why)
{
	bool own = about->st_uid == geteuid() || (file->roots_too && about->st_uid == 0);

	if (!S_ISREG(about->st_mode))
		return refuse(why, EINVAL, "is not a regular file");
	if (!own)
		return refuse(why, EPERM, "belongs to somebody else");
	if (about->st_mode & 07777 & ~file->allowed)
		return refuse(why, EPERM, "others may write to it or use it");
	if (about->st_nlink > 1)
		return refuse(why, EPERM, "has a second name");
	return 0;
}

static int check_title(int fd, const struct rs_shared_file *file, const char **why)
{
	char title[RS_TITLE_SIZE] = "", there[RS_TITLE_SIZE];

	memcpy(title, file->title, strnlen(file->title, sizeof(title) - 1));
	if (pread(fd, there, sizeof(there), 0) != (ssize_t)sizeof(there) ||
	    memcmp(there, title, sizeof(title)) != 0)
		return refuse(why, EINVAL, "is a file of another kind or version");
	return 0;
}

static int write_title(int fd, const struct rs_shared_file *file, const char **why)
{
	char title[RS_TITLE_SIZE] = "";

	memcpy(title, file->title, strnlen(file->title, sizeof(title) - 1));
	errno = ENOSPC;
	return pwrite(fd, title, sizeof(title), 0) == (ssize_t)sizeof(title) ? 0 : failed(why);
}

/* Beyond the limit the kernel would send SIGXFSZ. */
static bool may_grow_to(size_t size)
{
	struct rlimit limit;

	return getrlimit(RLIMIT_FSIZE, &limit) != 0 || limit.rlim_cur >= size;
}

/* The title first: from then on any other process knows whose the file is, however short. */
static int prepare(int fd, const struct rs_shared_file *file, const char **why)
{
	struct stat about;
	int rc;

	if (fstat(fd, &about) != 0)
		return failed(why);
	rc = check_trust(file, &about, why);
	if (rc)
		return rc;
	if (about.st_size > (off_t)file->size)
		return refuse(why, EINVAL, "is a file of another kind or version");
	if (!may_grow_to(file->size))
		return refuse(why, EFBIG, "the limit on the size of files is too low");
	rc = about.st_size == 0 ? write_title(fd, file, why) : check_title(fd, file, why);
	if (rc)
		return rc;
	if (about.st_size == (off_t)file->size && about.st_blocks * 512 >= about.st_size)
		return 0;
	errno = posix_fallocate(fd, 0, (off_t)file->size);
	return errno == 0 ? 0 : failed(why);
}

int rs_shared_map(const struct rs_shared_file *file, void **at, const char **why)
{
	int flags = O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY;
	int fd = open(file->path, flags, file->mode);
	int rc;

	if (fd < 0)
		return failed(why);
	rc = prepare(fd, file, why);
	if (rc == 0) {
		*at = mmap(NULL, file->size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		if (*at == MAP_FAILED)
			rc = failed(why);
	}
	close(fd);
	return rc;
}
