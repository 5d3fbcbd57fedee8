/*
 * From a libcurl handle to what is known of it.
 *
 * Finding takes no lock and allocates nothing. A key is looked up, put and taken only by the thread
 * that holds the handle (libcurl's own rule); different keys may be used at the same time.
 */
#ifndef RS_TRANSFER_TABLE_H
#define RS_TRANSFER_TABLE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#define RS_TABLE_SEGMENTS 16
#define RS_TABLE_FIRST    32 /* buckets of the first segment; a power of two */
#define RS_TABLE_BUCKET   8

struct rs_table_place {
	_Atomic(void *) key;
	_Atomic(void *) value;
};

/* The first segment is the table's own; define one with RS_TABLE_INIT. */
struct rs_table {
	_Atomic(struct rs_table_place *) segments[RS_TABLE_SEGMENTS];
};

#define RS_TABLE_INIT(first)                                                                       \
	{                                                                                          \
		.segments = {(first) }                                                             \
	}

/* NULL: not there. */
void *rs_table_find(struct rs_table *table, void *key);

/* False where memory is short. The key must not be there. */
bool rs_table_put(struct rs_table *table, void *key, void *value);

/* Remove it: what was there, or NULL. */
void *rs_table_take(struct rs_table *table, void *key);

#endif
