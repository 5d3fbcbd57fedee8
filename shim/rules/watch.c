#include "rules/watch.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define REST_SECONDS 1

/* The next path of the list; false at its end, or where it is too long to be one. */
static bool next_path(const char **paths, char path[PATH_MAX])
{
	size_t len;

	*paths += strspn(*paths, ":");
	len = strcspn(*paths, ":");
	if (len == 0 || len >= PATH_MAX)
		return false;
	memcpy(path, *paths, len);
	path[len] = '\0';
	*paths += len;
	return true;
}

/* FNV-1a. */
static uint64_t add(uint64_t sum, const void *bytes, size_t len)
{
	const unsigned char *at = bytes;

	for (size_t i = 0; i < len; i++)
		sum = (sum ^ at[i]) * UINT64_C(0x100000001b3);
	return sum;
}

/* Who may write the file matters, too: it decides whether its commands are run. */
static uint64_t add_file(uint64_t sum, const char *path)
{
	struct stat st;

	sum = add(sum, path, strlen(path));
	if (stat(path, &st) != 0)
		return add(sum, &errno, sizeof(errno));
	sum = add(sum, &st.st_dev, sizeof(st.st_dev));
	sum = add(sum, &st.st_ino, sizeof(st.st_ino));
	sum = add(sum, &st.st_mode, sizeof(st.st_mode));
	sum = add(sum, &st.st_uid, sizeof(st.st_uid));
	sum = add(sum, &st.st_size, sizeof(st.st_size));
	sum = add(sum, &st.st_mtim, sizeof(st.st_mtim));
	return add(sum, &st.st_ctim, sizeof(st.st_ctim));
}

uint64_t rs_watch_sum(const char *paths)
{
	uint64_t sum = UINT64_C(0xcbf29ce484222325);
	char path[PATH_MAX];

	while (next_path(&paths, path))
		sum = add_file(sum, path);
	return sum;
}

static bool was_left_alone(int fd)
{
	struct timespec now;
	struct stat st;

	clock_gettime(CLOCK_REALTIME, &now);
	return fstat(fd, &st) == 0 && now.tv_sec - st.st_mtim.tv_sec > REST_SECONDS;
}

/*
 * A read lease can be had only where nobody has the file open for writing. Somebody who opens it
 * so in the moment that we hold the lease waits for us to give it back, and the kernel tells us by
 * a signal: one that nobody minds, for this thread alone.
 */
static bool is_at_rest(int fd)
{
	const struct f_owner_ex self = { .type = F_OWNER_TID, .pid = (pid_t)syscall(SYS_gettid) };

	if (fcntl(fd, F_SETOWN_EX, &self) != 0 || fcntl(fd, F_SETSIG, SIGURG) != 0)
		return was_left_alone(fd);
	if (fcntl(fd, F_SETLEASE, F_RDLCK) == 0) {
		fcntl(fd, F_SETLEASE, F_UNLCK);
		return true;
	}
	return errno != EAGAIN && was_left_alone(fd);
}

/* A file that cannot be opened is at rest: why it cannot, loading it will say. */
static bool path_at_rest(const char *path)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	bool at_rest;

	if (fd < 0)
		return true;
	at_rest = is_at_rest(fd);
	close(fd);
	return at_rest;
}

/* Take back what the kernel has told us, unless the program had one like it pending before. */
static void take_back(const sigset_t *pending_before)
{
	static const struct timespec at_once;
	sigset_t only;

	if (sigismember(pending_before, SIGURG))
		return;
	sigemptyset(&only);
	sigaddset(&only, SIGURG);
	while (sigtimedwait(&only, NULL, &at_once) < 0 && errno == EINTR)
		;
}

bool rs_watch_at_rest(const char *paths)
{
	bool at_rest = true;
	char path[PATH_MAX];
	sigset_t pending;

	sigpending(&pending);
	while (at_rest && next_path(&paths, path))
		at_rest = path_at_rest(path);
	take_back(&pending);
	return at_rest;
}
