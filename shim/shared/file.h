/*
 * A file of fixed size in which processes share atomic words.
 *
 * It begins with a title, by which it is known again; the rest starts as zeros. Creating it is
 * idempotent: processes may do it at the same time, and one may be killed in the middle of it. Its
 * blocks are reserved before it is mapped, so that a full disk is an error here and no SIGBUS
 * later.
 *
 * What is there already is trusted only when it is a regular file of the right title and size that
 * belongs to the effective user (or root, where that is allowed), and that others cannot write.
 * Anything else is left as it is. So only who could end the program anyhow can make a mapping fault
 * by cutting the file short. (And the group of a file of counters, where it may write: those are
 * mapped for the moment of counting alone.) Nothing cheap closes that: a look at the size before
 * each use leaves a gap behind it; pread() and pwrite() would cost the successful path a system
 * call, and every payment a lock; what to do about SIGBUS is the program's to say.
 *
 * Async-signal-safe; allocates nothing; keeps no descriptor. The caller blocks signals, where a
 * handler that leaves by siglongjmp would leave a descriptor open.
 */
#ifndef RS_SHARED_FILE_H
#define RS_SHARED_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define RS_TITLE_SIZE 56 /* the first bytes: a text, and NULs up to there */

struct rs_shared_file {
	const char *path;
	const char *title; /* shorter than RS_TITLE_SIZE */
	size_t size;       /* with the title */
	mode_t mode;       /* of a new one */
	mode_t allowed;    /* permissions that one already there may have */
	bool roots_too;    /* one that belongs to root will do */
};

/*
 * Map it, shared and writable; created where it is not there. 0 and *at, or -errno with *why
 * naming the cause (a static text).
 */
int rs_shared_map(const struct rs_shared_file *file, void **at, const char **why);

#endif
