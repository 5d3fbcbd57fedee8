/*
 * The bytes of a streamed request body, kept so that they can be sent again: in memory first, then
 * in unlinked files, which are mapped so that no descriptor stays open.
 */
#ifndef RS_TRANSFER_SPOOL_H
#define RS_TRANSFER_SPOOL_H

#include <stddef.h>

struct rs_spool_segment;

/* All zero but `limit` is empty. */
struct rs_spool {
	size_t limit; /* bytes in all */
	size_t len;
	struct rs_spool_segment *first, *last;
};

/* Append: 0; -EFBIG beyond the limit; -ENOMEM, or -errno of the file system. What was kept stays
 * as it was then. */
int rs_spool_add(struct rs_spool *spool, const char *bytes, size_t len);

/* Copy out up to `size` bytes from `offset` on; how many. */
size_t rs_spool_read(const struct rs_spool *spool, size_t offset, char *bytes, size_t size);

/* Empty it, and release everything. */
void rs_spool_clear(struct rs_spool *spool);

#endif
