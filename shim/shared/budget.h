/*
 * The buckets that all processes of a user on this machine share (scope = host, host+target).
 *
 * They lie in a file, $XDG_RUNTIME_DIR/retryshim/budget; where that variable holds no path in
 * /run/user/UID/retryshim/budget, or, when there is no such directory, in
 * /dev/shm/retryshim-UID/budget. Directory and file belong to the user alone. The file is mapped
 * when rules that need it are read: at the first curl call or the first failed connect().
 */
#ifndef RS_SHARED_BUDGET_H
#define RS_SHARED_BUDGET_H

#include "retry/rule.h"

#define RS_BUDGET_PATH_SIZE 512

struct rs_budget_trouble {
	char path[RS_BUDGET_PATH_SIZE];
	const char *why; /* a static text */
};

/*
 * Give the rules the shared buckets, where a quota of theirs asks for them. `runtime_dir` is
 * XDG_RUNTIME_DIR, or NULL. 0, or -errno with what is in the way: the quotas then have
 * the scope of this process. Nothing is shared where the rules are only to be observed.
 * The mapping stays for the rest of the process. Async-signal-safe; the caller blocks signals.
 */
int rs_budget_attach(struct rs_rules *rules, const char *runtime_dir,
		     struct rs_budget_trouble *trouble);

#endif
