#include "shared/budget.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "retry/ledger.h"
#include "shared/file.h"

_Static_assert(offsetof(struct rs_ledger, busy_till) == RS_TITLE_SIZE, "the title comes first");

static bool needs_sharing(const struct rs_rules *rules)
{
	for (size_t i = 0; i < rules->quota_count; i++) {
		enum rs_scope scope = rules->quotas[i].scope;

		if (scope == RS_SCOPE_HOST || scope == RS_SCOPE_HOST_TARGET)
			return rules->settings.mode == RS_MODE_ENFORCE;
	}
	return false;
}

/* A path being put together; `overflow` where it did not fit. */
struct path {
	char *text;
	size_t len;
	bool overflow;
};

static void add(struct path *path, const char *text)
{
	size_t more = strlen(text);

	if (path->overflow || more >= RS_BUDGET_PATH_SIZE - path->len) {
		path->overflow = true;
		return;
	}
	memcpy(path->text + path->len, text, more + 1);
	path->len += more;
}

static void add_uid(struct path *path)
{
	char digits[24] = "";
	char *at = digits + sizeof(digits) - 1;
	uid_t uid = geteuid();

	do {
		*--at = (char)('0' + uid % 10);
		uid /= 10;
	} while (uid > 0);
	add(path, at);
}

static bool is_own_directory(const char *path, mode_t forbidden)
{
	struct stat about;

	return lstat(path, &about) == 0 && S_ISDIR(about.st_mode) && about.st_uid == geteuid() &&
	       (about.st_mode & forbidden) == 0;
}

/* The directory for our file; it need not be there yet. */
static void choose_directory(struct path *path, const char *runtime_dir)
{
	if (runtime_dir && *runtime_dir == '/') {
		add(path, runtime_dir);
		add(path, "/retryshim");
		return;
	}
	add(path, "/run/user/");
	add_uid(path);
	if (is_own_directory(path->text, 022)) {
		add(path, "/retryshim");
		return;
	}
	path->len = 0;
	add(path, "/dev/shm/retryshim-");
	add_uid(path);
}

static int make_directory(const char *path, const char **why)
{
	int error = mkdir(path, 0700) == 0 ? 0 : errno;

	if (error == 0 || error == EEXIST) {
		*why = "is not a directory of this user alone";
		return is_own_directory(path, 077) ? 0 : -EPERM;
	}
	*why = error == ENOENT || error == ENOTDIR ? "no such directory"
	       : error == ENOSPC                   ? "no space left"
						   : "cannot be created";
	return -error;
}

static int map_ledger(const char *runtime_dir, struct rs_budget_trouble *trouble, void **at)
{
	struct path path = { .text = trouble->path };
	const struct rs_shared_file file = {
		.path = trouble->path,
		.title = "retryshim budget, version 1\n",
		.size = sizeof(struct rs_ledger),
		.mode = 0600,
		.allowed = 0600,
	};
	int rc;

	choose_directory(&path, runtime_dir);
	rc = path.overflow ? 0 : make_directory(trouble->path, &trouble->why);
	if (rc)
		return rc;
	add(&path, "/budget");
	if (!path.overflow)
		return rs_shared_map(&file, at, &trouble->why);
	trouble->why = "the path is too long";
	return -ENAMETOOLONG;
}

int rs_budget_attach(struct rs_rules *rules, const char *runtime_dir,
		     struct rs_budget_trouble *trouble)
{
	static struct rs_ledger *_Atomic ledger;
	struct rs_ledger *there = atomic_load_explicit(&ledger, memory_order_acquire);
	void *mapped = NULL;
	int rc;

	if (!needs_sharing(rules))
		return 0;
	rules->host_ledger = there;
	rc = there ? 0 : map_ledger(runtime_dir, trouble, &mapped);
	if (there || rc)
		return rc;
	rules->host_ledger = mapped;
	if (!atomic_compare_exchange_strong(&ledger, &there, mapped)) {
		munmap(mapped, sizeof(struct rs_ledger));
		rules->host_ledger = there;
	}
	return 0;
}
