/* Where the budget lies, and what is said when it cannot be had. The calls that look for it are
 * this program's own: they see the machine's directories below one of the test's, and fail as told.
 */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "retry/ledger.h"
#include "shared/budget.h"

static char root[] = "/tmp/rs-shared-XXXXXX";
static int open_error, mkdir_error, stat_error, room_error, map_error, write_error;

/* "/run/user/…" and "/dev/shm/…" below `root`. */
static const char *moved(const char *path)
{
	static char buf[600];

	if (strncmp(path, "/run/user/", 10) != 0 && strncmp(path, "/dev/shm/", 9) != 0)
		return path;
	(void)snprintf(buf, sizeof(buf), "%s%s", root, path);
	return buf;
}

static int fail_with(int error)
{
	errno = error;
	return -1;
}

int open(const char *path, int flags, ...)
{
	if (open_error)
		return fail_with(open_error);
	return (int)syscall(SYS_openat, AT_FDCWD, moved(path), flags, 0600);
}

int mkdir(const char *path, mode_t mode)
{
	return mkdir_error ? fail_with(mkdir_error)
			   : (int)syscall(SYS_mkdirat, AT_FDCWD, moved(path), mode);
}

int lstat(const char *path, struct stat *st)
{
	return fstatat(AT_FDCWD, moved(path), st, AT_SYMLINK_NOFOLLOW);
}

int fstat(int fd, struct stat *st)
{
	return stat_error ? fail_with(stat_error) : fstatat(fd, "", st, AT_EMPTY_PATH);
}

ssize_t pwrite(int fd, const void *from, size_t size, off_t at)
{
	return write_error ? fail_with(write_error) : syscall(SYS_pwrite64, fd, from, size, at);
}

int posix_fallocate(int fd, off_t at, off_t size)
{
	return room_error ? room_error : ftruncate(fd, at + size);
}

void *mmap(void *at, size_t size, int prot, int flags, int fd, off_t offset)
{
	if (map_error && flags & MAP_SHARED) {
		errno = map_error;
		return MAP_FAILED;
	}
	return (void *)syscall(SYS_mmap, at, size, prot, flags, fd, offset);
}

static struct rs_bucket own = { 500 };
static struct rs_quota quota = { "standard", 500, 1, &own, RS_SCOPE_HOST };
static struct rs_budget_trouble told;
static struct rs_rules rules;

static int attach(const char *where)
{
	rules = (struct rs_rules){ .quotas = &quota, .quota_count = 1 };
	told.why = "";
	return rs_budget_attach(&rules, where, &told);
}

static void refused(const char *where, int error, const char *why)
{
	assert_int_equal(attach(where), -error);
	assert_null(rules.host_ledger);
	assert_string_equal(told.why, why);
}

static void told_place(const char *before, const char *after)
{
	char path[200];

	(void)snprintf(path, sizeof(path), "%s%u%s", before, (unsigned)geteuid(), after);
	assert_string_equal(told.path, path);
}

/* Programs go on, each with buckets of its own. */
static void no_file(void **state)
{
	static const struct {
		int error;
		const char *why;
	} rows[] = {
		{ EACCES, "permission denied" },
		{ EPERM, "permission denied" },
		{ ENOENT, "no such directory" },
		{ ENOTDIR, "no such directory" },
		{ ENOSPC, "no space left" },
		{ EDQUOT, "no space left" },
		{ EROFS, "the file system is read-only" },
		{ ELOOP, "is a symbolic link" },
		{ EISDIR, "is a directory" },
		{ EMFILE, "too many open files" },
		{ ENFILE, "too many open files" },
		{ EIO, "cannot be used" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		open_error = rows[i].error;
		refused(root, rows[i].error, rows[i].why);
	}
	open_error = 0;
}

static void no_room(void **state)
{
	(void)state;
	stat_error = EIO;
	refused(root, EIO, "cannot be used");
	stat_error = 0;
	write_error = ENOSPC;
	refused(root, ENOSPC, "no space left");
	write_error = 0;
	room_error = EOPNOTSUPP;
	refused(root, EOPNOTSUPP, "the file system cannot reserve space");
	room_error = 0;
	map_error = ENOMEM;
	refused(root, ENOMEM, "cannot be used");
	map_error = 0;
}

static void no_directory(void **state)
{
	static const struct {
		int error;
		const char *why;
	} rows[] = {
		{ ENOENT, "no such directory" },
		{ ENOTDIR, "no such directory" },
		{ ENOSPC, "no space left" },
		{ EROFS, "cannot be created" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		mkdir_error = rows[i].error;
		refused("/nonexistent", rows[i].error, rows[i].why);
		assert_string_equal(told.path, "/nonexistent/retryshim");
	}
	mkdir_error = 0;
}

/* A directory that just fits, and no file in it. */
static void a_path_too_long(void **state)
{
	char where[RS_BUDGET_PATH_SIZE], link[100];
	size_t len = RS_BUDGET_PATH_SIZE - 1 - strlen("/retryshim") - 3;

	(void)state;
	(void)snprintf(link, sizeof(link), "%s/", root);
	for (size_t i = 0; i < len; i++)
		where[i] = '/';
	memcpy(where + len - strlen(link), link, strlen(link));
	where[len] = '\0';
	refused(where, ENAMETOOLONG, "the path is too long");
}

static void make_directories(const char *path)
{
	char buf[300];

	(void)snprintf(buf, sizeof(buf), "%s%s", root, path);
	for (char *at = buf + strlen(root) + 1; *at; at++) {
		if (*at == '/') {
			*at = '\0';
			(void)syscall(SYS_mkdirat, AT_FDCWD, buf, 0700);
			*at = '/';
		}
	}
}

/* XDG_RUNTIME_DIR is not set, or is no path: the user's directory where there is one, else memory.
 */
static void places_without_a_name(void **state)
{
	char user_dir[64];

	(void)state;
	make_directories("/run/user/");
	make_directories("/dev/shm/");
	(void)snprintf(user_dir, sizeof(user_dir), "/run/user/%u/", (unsigned)geteuid());
	room_error = EIO;
	refused(NULL, EIO, "cannot be used");
	told_place("/dev/shm/retryshim-", "/budget");
	refused("relative", EIO, "cannot be used");
	told_place("/dev/shm/retryshim-", "/budget");
	make_directories(user_dir);
	refused("", EIO, "cannot be used");
	told_place("/run/user/", "/retryshim/budget");
	assert_int_equal(chmod(moved(user_dir), 0777), 0);
	refused(NULL, EIO, "cannot be used"); /* others could put a file there */
	told_place("/dev/shm/retryshim-", "/budget");
	assert_int_equal(chmod(moved(user_dir), 0700), 0);
	room_error = 0;
	assert_int_equal(attach(NULL), 0);
	told_place("/run/user/", "/retryshim/budget");
	assert_non_null(rules.host_ledger);
	assert_true(rs_ledger_rests(rules.host_ledger));
}

static int begin(void **state)
{
	(void)state;
	return mkdtemp(root) ? 0 : -1;
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *where)
{
	(void)st;
	(void)kind;
	(void)where;
	return remove(path);
}

static int end(void **state)
{
	(void)state;
	return nftw(root, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_file),
		cmocka_unit_test(no_room),
		cmocka_unit_test(no_directory),
		cmocka_unit_test(a_path_too_long),
		cmocka_unit_test(places_without_a_name), /* the last one: what is attached stays */
	};

	return cmocka_run_group_tests_name("shared_trouble", tests, begin, end);
}
