#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "retry/ledger.h"
#include "retry/purse.h"
#include "retry/quota.h"
#include "shared/budget.h"
#include "shared/file.h"

#define SIZE    8192
#define THREADS 8

static char dir[64], path[128];

static const struct rs_shared_file wanted = {
	.path = path,
	.title = "a title, version 1\n",
	.size = SIZE,
	.mode = 0600,
	.allowed = 0600,
};

static int make_dir(void **state)
{
	(void)state;
	(void)snprintf(dir, sizeof(dir), "/tmp/rs-shared-XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	(void)snprintf(path, sizeof(path), "%s/file", dir);
	return 0;
}

static int remove_dir(void **state)
{
	char budget[160];

	(void)state;
	unlink(path);
	(void)snprintf(budget, sizeof(budget), "%s/retryshim/budget", dir);
	unlink(budget);
	(void)snprintf(budget, sizeof(budget), "%s/retryshim", dir);
	rmdir(budget);
	return rmdir(dir);
}

static void put_bytes(const void *bytes, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, len), (ssize_t)len);
	close(fd);
}

static unsigned char *map(void)
{
	const char *why = "";
	void *at = NULL;
	int rc = rs_shared_map(&wanted, &at, &why);

	if (rc)
		fail_msg("%s: %s", path, why);
	return at;
}

static void refuses(const char *cause)
{
	const char *why = "";
	void *at;

	assert_int_not_equal(rs_shared_map(&wanted, &at, &why), 0);
	if (!strstr(why, cause))
		fail_msg("expected '%s', got '%s'", cause, why);
}

static void is_created_and_found_again(void **state)
{
	unsigned char *first = map(), *second = map();
	struct stat about;

	(void)state;
	assert_string_equal((char *)first, wanted.title);
	first[SIZE - 1] = 42;
	assert_int_equal(second[SIZE - 1], 42);
	assert_int_equal(stat(path, &about), 0);
	assert_int_equal(about.st_size, SIZE);
	assert_int_equal(about.st_mode & 07777, 0600);
	assert_true(about.st_blocks * 512 >= SIZE);
	munmap(first, SIZE);
	munmap(second, SIZE);
}

/* Each is what a creator that was killed leaves behind. */
static void is_completed(void **state)
{
	char begun[4000] = "a title, version 1\n";
	unsigned char *at;

	(void)state;
	put_bytes("", 0);
	at = map();
	assert_string_equal((char *)at, wanted.title);
	munmap(at, SIZE);
	put_bytes(begun, RS_TITLE_SIZE);
	at = map();
	assert_int_equal(at[SIZE - 1], 0);
	munmap(at, SIZE);
	begun[sizeof(begun) - 1] = 'x';
	put_bytes(begun, sizeof(begun));
	at = map();
	assert_int_equal(at[sizeof(begun) - 1], 'x');
	munmap(at, SIZE);
}

static void holes_are_filled(void **state)
{
	char title[RS_TITLE_SIZE] = "a title, version 1\n";
	struct stat about;
	unsigned char *at;

	(void)state;
	put_bytes(title, sizeof(title));
	assert_int_equal(truncate(path, SIZE), 0);
	at = map();
	assert_int_equal(stat(path, &about), 0);
	assert_true(about.st_blocks * 512 >= SIZE);
	munmap(at, SIZE);
}

/* And nothing of it is changed. */
static void other_files_are_left_alone(void **state)
{
	static const char *const texts[] = { "root:x:0:0:root:/root:/bin/bash\n",
					     "a title, version 2\n", "a title" };
	char big[SIZE + 1] = "a title, version 1\n", there[SIZE + 1];

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++) {
		int fd;

		put_bytes(texts[i], strlen(texts[i]));
		refuses("another kind or version");
		fd = open(path, O_RDONLY | O_CLOEXEC);
		assert_int_equal(read(fd, there, sizeof(there)), (ssize_t)strlen(texts[i]));
		assert_memory_equal(there, texts[i], strlen(texts[i]));
		close(fd);
	}
	put_bytes(big, sizeof(big));
	refuses("another kind or version");
}

static void odd_files_are_refused(void **state)
{
	char second[160];

	(void)state;
	assert_int_equal(mkfifo(path, 0600), 0);
	refuses("not a regular file");
	unlink(path);
	assert_int_equal(mkdir(path, 0700), 0);
	refuses("is a directory");
	rmdir(path);
	assert_int_equal(symlink("/dev/null", path), 0);
	refuses("symbolic link");
	unlink(path);
	munmap(map(), SIZE);
	assert_int_equal(chmod(path, 0666), 0);
	refuses("others may write");
	assert_int_equal(chmod(path, 0600), 0);
	(void)snprintf(second, sizeof(second), "%s/second", dir);
	assert_int_equal(link(path, second), 0);
	refuses("second name");
	unlink(second);
	munmap(map(), SIZE);
	if (geteuid() != 0)
		return;
	assert_int_equal(chown(path, 12345, 12345), 0);
	refuses("belongs to somebody else");
}

static void no_directory(void **state)
{
	struct rs_shared_file file = wanted;
	const char *why = "";
	void *at;

	(void)state;
	file.path = "/nonexistent/x";
	assert_int_equal(rs_shared_map(&file, &at, &why), -ENOENT);
	assert_string_equal(why, "no such directory");
}

/* A limit on the size of files is found out without the signal that comes with it. */
static void limit_on_file_size(void **state)
{
	struct rlimit limit;
	pid_t child = fork();
	int status;

	(void)state;
	if (child == 0) {
		const char *why = "";
		void *at;

		getrlimit(RLIMIT_FSIZE, &limit);
		limit.rlim_cur = SIZE - 1;
		setrlimit(RLIMIT_FSIZE, &limit);
		_exit(rs_shared_map(&wanted, &at, &why) == -EFBIG ? 0 : 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

/* Processes come at once, and some are killed: the file is whole, and what was added is there. */
static void concurrent_first_use(void **state)
{
	enum { CHILDREN = 12 };
	pid_t children[CHILDREN];
	_Atomic uint64_t *counter;
	uint64_t expected = 0;

	(void)state;
	for (int round = 0; round < 20; round++) {
		unlink(path);
		for (int i = 0; i < CHILDREN; i++) {
			children[i] = fork();
			if (children[i] == 0) {
				counter = (void *)(map() + 64);
				atomic_fetch_add(counter, 1);
				_exit(0);
			}
			if (i % 3 == 0)
				kill(children[i], SIGKILL);
		}
		expected = 0;
		for (int i = 0; i < CHILDREN; i++) {
			int status;

			assert_int_equal(waitpid(children[i], &status, 0), children[i]);
			assert_true(status == 0 || i % 3 == 0);
			expected += status == 0;
		}
		counter = (void *)(map() + 64);
		assert_in_range(atomic_load(counter), expected, CHILDREN);
		munmap((char *)counter - 64, SIZE);
	}
}

/* ---- the budget ---- */

static struct rs_bucket own = { 500 };
static struct rs_quota quota = { "standard", 500, 1, &own, RS_SCOPE_HOST };

static int attach(struct rs_rules *rules, const char *where, struct rs_budget_trouble *trouble)
{
	*rules = (struct rs_rules){ .quotas = &quota, .quota_count = 1 };
	return rs_budget_attach(rules, where, trouble);
}

static void trouble(const char *where, const char *cause)
{
	struct rs_budget_trouble told = { .why = "" };
	struct rs_rules rules;

	assert_int_not_equal(attach(&rules, where, &told), 0);
	assert_null(rules.host_ledger);
	if (!strstr(told.why, cause))
		fail_msg("%s: expected '%s', got '%s'", told.path, cause, told.why);
}

static void nothing_is_shared_without_need(void **state)
{
	struct rs_budget_trouble told;
	struct rs_rules rules = { .quota_count = 0 };

	(void)state;
	assert_int_equal(rs_budget_attach(&rules, "/nonexistent", &told), 0);
	quota.scope = RS_SCOPE_TARGET;
	assert_int_equal(attach(&rules, "/nonexistent", &told), 0);
	quota.scope = RS_SCOPE_HOST;
	rules = (struct rs_rules){ .settings.mode = RS_MODE_OBSERVE,
				   .quotas = &quota,
				   .quota_count = 1 };
	assert_int_equal(rs_budget_attach(&rules, "/nonexistent", &told), 0);
	assert_null(rules.host_ledger);
}

static void the_directory_is_ours_alone(void **state)
{
	char sub[128], long_name[2 * RS_BUDGET_PATH_SIZE];

	(void)state;
	trouble("/nonexistent", "no such directory");
	(void)snprintf(sub, sizeof(sub), "%s/retryshim", dir);
	assert_int_equal(mkdir(sub, 0700), 0);
	assert_int_equal(chmod(sub, 0777), 0);
	trouble(dir, "not a directory of this user alone");
	rmdir(sub);
	assert_int_equal(symlink("/tmp", sub), 0);
	trouble(dir, "not a directory of this user alone");
	unlink(sub);
	memset(long_name, 'x', sizeof(long_name));
	long_name[0] = '/';
	long_name[sizeof(long_name) - 1] = '\0';
	trouble(long_name, "too long");
}

static void two_sets_of_rules_share(void **state)
{
	struct rs_budget_trouble told = { .why = "" };
	struct rs_rules one, two;
	struct rs_purse a, b;

	(void)state;
	assert_int_equal(attach(&one, dir, &told), 0);
	assert_int_equal(attach(&two, dir, &told), 0);
	a = rs_purse_of(&one, &quota, NULL);
	b = rs_purse_of(&two, &quota, NULL);
	assert_int_equal(rs_purse_take(&a, 14, S(1)), 486);
	assert_int_equal(rs_purse_level(&b, S(1)), 486);
	assert_int_equal(rs_quota_level(&quota), 500);
}

#define WITH_DIR(test) cmocka_unit_test_setup_teardown(test, make_dir, remove_dir)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_DIR(is_created_and_found_again),
		WITH_DIR(is_completed),
		WITH_DIR(holes_are_filled),
		WITH_DIR(other_files_are_left_alone),
		WITH_DIR(odd_files_are_refused),
		cmocka_unit_test(no_directory),
		WITH_DIR(limit_on_file_size),
		WITH_DIR(concurrent_first_use),
		cmocka_unit_test(nothing_is_shared_without_need),
		WITH_DIR(the_directory_is_ours_alone),
		WITH_DIR(two_sets_of_rules_share),
	};

	return cmocka_run_group_tests_name("shared", tests, NULL, NULL);
}
