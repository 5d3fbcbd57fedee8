/* The system says no while a rules file is looked for, read, or watched: what is said about it, and
 * what is not lost by it. The calls are this program's own, and fail as a test says. */
#include "rules_helper.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>

#include "rules/source.h"
#include "rules/watch.h"
#include "rules/where.h"

/* Errors to come; 0: none. */
static int open_error, read_error, stat_error, lstat_error, own_error, signal_error, lease_error;
static int interruptions; /* so many EINTR first */
static bool lease_breaks; /* somebody opens the file for writing while we hold the lease */
static uid_t file_owner, user;
static off_t promised; /* the size that fstat tells; -1: the real one */
static bool system_rules;

int open(const char *path, int flags, ...)
{
	mode_t mode = 0;

	if (open_error) {
		errno = open_error;
		return -1;
	}
	if (flags & O_CREAT) {
		va_list args;

		va_start(args, flags);
		mode = va_arg(args, mode_t);
		va_end(args);
	}
	return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

ssize_t read(int fd, void *to, size_t size)
{
	if (interruptions > 0) {
		interruptions--;
		errno = EINTR;
		return -1;
	}
	if (read_error) {
		errno = read_error;
		return -1;
	}
	return syscall(SYS_read, fd, to, size);
}

int fstat(int fd, struct stat *st)
{
	if (stat_error) {
		errno = stat_error;
		return -1;
	}
	if (fstatat(fd, "", st, AT_EMPTY_PATH) != 0)
		return -1;
	st->st_uid = file_owner;
	if (promised >= 0)
		st->st_size = promised;
	return 0;
}

uid_t geteuid(void)
{
	return user;
}

int lstat(const char *path, struct stat *st)
{
	if (strcmp(path, "/etc/retryshim.ini") == 0 && !system_rules)
		errno = ENOENT;
	else if (lstat_error)
		errno = lstat_error;
	else
		return fstatat(AT_FDCWD, path, st, AT_SYMLINK_NOFOLLOW);
	return -1;
}

int fcntl(int fd, int command, ...)
{
	int error = command == F_SETOWN_EX  ? own_error
		    : command == F_SETSIG   ? signal_error
		    : command == F_SETLEASE ? lease_error
					    : 0;
	va_list args;
	long arg;

	va_start(args, command);
	arg = va_arg(args, long);
	va_end(args);
	if (error) {
		errno = error;
		return -1;
	}
	if (command == F_SETLEASE && arg == F_UNLCK && lease_breaks)
		raise(SIGURG);
	return (int)syscall(SYS_fcntl, fd, command, arg);
}

int sigtimedwait(const sigset_t *set, siginfo_t *info, const struct timespec *limit)
{
	if (interruptions > 0) {
		interruptions--;
		errno = EINTR;
		return -1;
	}
	return (int)syscall(SYS_rt_sigtimedwait, set, info, limit, _NSIG / 8);
}

static int all_is_well(void **state)
{
	(void)state;
	open_error = read_error = stat_error = lstat_error = own_error = signal_error =
		lease_error = 0;
	interruptions = 0;
	file_owner = user = 0;
	promised = -1;
	system_rules = lease_breaks = false;
	return 0;
}

/* ---- reading ---- */

static const char text[] = "[rule a]\nstatus = 500\nclass = followup\nfollowup = true\n";
static char path[32];
static struct told told;

static struct rs_rules *load(int rc, const char *why)
{
	struct rs_rules *rules = NULL;
	int got = load_paths(path, NULL, &told, &rules);

	if (got != rc)
		print_told(&told);
	assert_int_equal(got, rc);
	if (!why)
		return rules;
	assert_int_equal(told.count, 1);
	if (!strstr(told.at[0].text, why))
		fail_msg("not '%s', but '%s'", why, told.at[0].text);
	return rules;
}

static void opening_fails(void **state)
{
	static const struct {
		int error;
		const char *why;
	} rows[] = {
		{ ENOENT, "No such file or directory" },
		{ EACCES, "Permission denied" },
		{ ENOTDIR, "Not a directory" },
		{ ELOOP, "Too many levels of symbolic links" },
		{ EIO, "Input/output error" },
		{ EMFILE, "Too many open files" },
		{ ENOMEM, "Cannot allocate memory" },
		{ ENODEV, "ENODEV" },
		{ 4000, "unknown error" },
	};

	(void)state;
	write_file(path, text, strlen(text));
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		open_error = rows[i].error;
		/* Memory that is missing is said once more, for the whole. */
		assert_null(load(-rows[i].error, rows[i].error == ENOMEM ? NULL : rows[i].why));
		assert_string_equal(told.at[0].text, rows[i].why);
		open_error = 0;
	}
	unlink(path);
}

static void reading_fails(void **state)
{
	(void)state;
	write_file(path, text, strlen(text));
	read_error = EIO;
	assert_null(load(-EIO, "Input/output error"));
	read_error = 0;
	stat_error = EIO;
	assert_null(load(-EIO, "Input/output error"));
	stat_error = 0;
	interruptions = 3;
	rs_rules_free(load(0, NULL));
	assert_int_equal(interruptions, 0);
	unlink(path);
}

static void the_size_was_a_lie(void **state)
{
	struct rs_rules *rules;

	(void)state;
	write_file(path, text, strlen(text));
	promised = 0;
	rules = load(0, NULL);
	assert_int_equal(rules->rule_count, 1);
	rs_rules_free(rules);
	assert_int_equal(truncate(path, (off_t)RS_SOURCE_LIMIT + 1), 0);
	assert_null(load(-EFBIG, "is larger than 16 MiB"));
	unlink(path);
}

/* Commands are taken from root's files and the user's own, and from nobody else's. */
static void whose_commands_are_run(void **state)
{
	(void)state;
	write_file(path, text, strlen(text));
	user = 1000;
	rs_rules_free(load(0, NULL));
	file_owner = 1000;
	rs_rules_free(load(0, NULL));
	file_owner = 1001;
	assert_null(load(-EINVAL, "belongs neither to root nor to the user"));
	unlink(path);
}

/* Of several such files each is named by its own fault. */
static void two_files_that_are_not_trusted(void **state)
{
	static const char other[] = "[rule b]\nstatus = 501\nclass = followup\nfollowup = true\n";
	char second[32], paths[80];
	struct rs_rules *rules;

	(void)state;
	write_file(path, text, strlen(text));
	write_file(second, other, strlen(other));
	(void)snprintf(paths, sizeof(paths), "%s:%s", path, second);
	file_owner = 1001;
	assert_int_equal(load_paths(paths, NULL, &told, &rules), -EINVAL);
	assert_int_equal(told.count, 2);
	assert_string_equal(told.at[0].file, path);
	assert_string_equal(told.at[1].file, second);
	unlink(path);
	unlink(second);
}

static void where_they_are(void **state)
{
	char buf[64] = "untouched";

	(void)state;
	assert_int_equal(rs_rules_where(NULL, NULL, buf, sizeof(buf)), 0);
	assert_string_equal(buf, "");
	system_rules = true;
	lstat_error = EACCES;
	assert_int_equal(rs_rules_where("", "relative", buf, sizeof(buf)),
			 strlen("/etc/retryshim.ini"));
	assert_string_equal(buf, "/etc/retryshim.ini");
	assert_int_equal(rs_rules_where("/a", NULL, buf, 0), 2);
	assert_string_equal(buf, "/etc/retryshim.ini");
}

static const char *where_after(int error)
{
	static char buf[64];

	lstat_error = error;
	rs_rules_where(NULL, "/etc/xdg", buf, sizeof(buf));
	return buf;
}

/* Only of a file that is not there the next one counts. */
static void where_they_cannot_be_looked_at(void **state)
{
	(void)state;
	assert_string_equal(where_after(EACCES), "/etc/xdg/retryshim.ini");
	assert_string_equal(where_after(ELOOP), "/etc/xdg/retryshim.ini");
	assert_string_equal(where_after(EIO), "/etc/xdg/retryshim.ini");
	assert_string_equal(where_after(ENOENT), "");
	assert_string_equal(where_after(ENOTDIR), "");
	assert_string_equal(where_after(ENAMETOOLONG), "");
}

/* It says what was meant, and reading it will say what is wrong. */
static void a_link_that_leads_nowhere(void **state)
{
	char home[] = "/tmp/rs-rules-XXXXXX", file[64], buf[64];
	struct rs_rules *rules;

	(void)state;
	assert_non_null(mkdtemp(home));
	(void)snprintf(file, sizeof(file), "%s/retryshim.ini", home);
	assert_int_equal(symlink("/nonexistent/rules.ini", file), 0);
	rs_rules_where(NULL, home, buf, sizeof(buf));
	assert_string_equal(buf, file);
	assert_int_equal(load_paths(buf, NULL, &told, &rules), -ENOENT);
	assert_string_equal(told.at[0].file, file);
	unlink(file);
	rmdir(home);
}

/* ---- watching ---- */

static bool rests_after(time_t age_s)
{
	const struct timespec times[2] = { { .tv_sec = time(NULL) - age_s },
					   { .tv_sec = time(NULL) - age_s } };

	assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
	return rs_watch_at_rest(path);
}

/* What is written, and who may write it, is a change. */
static void a_file_changes(void **state)
{
	uint64_t before, after;

	(void)state;
	write_file(path, text, strlen(text));
	before = rs_watch_sum(path);
	assert_true(rs_watch_sum(path) == before);
	assert_int_equal(chmod(path, 0666), 0);
	after = rs_watch_sum(path);
	assert_true(after != before);
	assert_int_equal(truncate(path, 5), 0);
	assert_true(rs_watch_sum(path) != after);
	unlink(path);
}

/* No lease can be had: then time tells whether somebody is at work on the file. */
static void without_a_lease(void **state)
{
	int *const errors[] = { &own_error, &signal_error, &lease_error };

	(void)state;
	write_file(path, text, strlen(text));
	for (size_t i = 0; i < 3; i++) {
		*errors[i] = EINVAL;
		assert_true(rests_after(60));
		assert_false(rests_after(0));
		stat_error = EIO;
		assert_false(rests_after(60));
		*errors[i] = stat_error = 0;
	}
	lease_error = EAGAIN; /* somebody has it open for writing */
	assert_false(rests_after(60));
	lease_error = 0;
	assert_true(rests_after(60));
	interruptions = 2;
	assert_true(rests_after(60));
	assert_int_equal(interruptions, 0);
	unlink(path);
}

/* A signal like ours that was pending before is the program's. */
static void a_pending_signal_stays(void **state)
{
	sigset_t urgent, pending;

	(void)state;
	write_file(path, text, strlen(text));
	sigemptyset(&urgent);
	sigaddset(&urgent, SIGURG);
	sigprocmask(SIG_BLOCK, &urgent, NULL);
	raise(SIGURG);
	assert_true(rs_watch_at_rest(path));
	sigpending(&pending);
	assert_true(sigismember(&pending, SIGURG));
	interruptions = 0;
	assert_int_equal(sigtimedwait(&urgent, NULL, &(struct timespec){ 0 }), SIGURG);
	sigprocmask(SIG_UNBLOCK, &urgent, NULL);
	unlink(path);
}

/* One that the kernel sent for our lease is not. */
static void our_own_signal_is_taken_back(void **state)
{
	sigset_t urgent, pending;

	(void)state;
	write_file(path, text, strlen(text));
	sigemptyset(&urgent);
	sigaddset(&urgent, SIGURG);
	sigprocmask(SIG_BLOCK, &urgent, NULL);
	lease_breaks = true;
	interruptions = 1;
	assert_true(rs_watch_at_rest(path));
	sigpending(&pending);
	assert_false(sigismember(&pending, SIGURG));
	sigprocmask(SIG_UNBLOCK, &urgent, NULL);
	unlink(path);
}

static void a_path_that_is_none(void **state)
{
	static char paths[8192];

	(void)state;
	memset(paths, 'x', sizeof(paths) - 1);
	assert_true(rs_watch_at_rest(paths));
	assert_true(rs_watch_sum(paths) == rs_watch_sum(""));
	assert_true(rs_watch_sum("/a") != rs_watch_sum("/b"));
	assert_true(rs_watch_at_rest("/nonexistent/rules.ini")); /* loading it will say why */
}

#define WELL(test) cmocka_unit_test_setup_teardown(test, all_is_well, all_is_well)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WELL(opening_fails),
		WELL(reading_fails),
		WELL(the_size_was_a_lie),
		WELL(whose_commands_are_run),
		WELL(two_files_that_are_not_trusted),
		WELL(where_they_are),
		WELL(where_they_cannot_be_looked_at),
		WELL(a_link_that_leads_nowhere),
		WELL(a_file_changes),
		WELL(without_a_lease),
		WELL(a_pending_signal_stays),
		WELL(our_own_signal_is_taken_back),
		WELL(a_path_that_is_none),
	};

	all_is_well(NULL);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
