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
#include <stdint.h>

#define RS_TABLE_SEGMENTS 16
#define RS_TABLE_FIRST    32 /* buckets of the first segment; a power of two */
#define RS_TABLE_BUCKET   8  /* likewise */

struct rs_table_place {
	_Atomic(void *) key;
	_Atomic(void *) value;
};

/* The first segment is the table's own; define one with RS_TABLE_INIT. */
struct rs_table {
	_Atomic(struct rs_table_place *) segments[RS_TABLE_SEGMENTS];
	_Atomic unsigned deep; /* how many of a key's places were ever in use */
};

#define RS_TABLE_INIT(first)                                                                       \
	{                                                                                          \
		.segments = {(first) }                                                             \
	}

static inline size_t rs_table_hash(const void *key)
{
	return (size_t)((uint64_t)(uintptr_t)key * UINT64_C(0x9E3779B97F4A7C15) >> 32);
}

/* NULL: not there. */
void *rs_table_search(struct rs_table *table, void *key);

/* The same where the key is in its very first place, as nearly always; else NULL. `first` is the
 * table's first segment. No call is made: what is small enough can do without a stack frame. */
static inline void *rs_table_glance(struct rs_table_place *first, void *key)
{
	struct rs_table_place *place =
		&first[rs_table_hash(key) & (RS_TABLE_FIRST * RS_TABLE_BUCKET - 1)];

	if (__builtin_expect(atomic_load_explicit(&place->key, memory_order_relaxed) == key, 1))
		return atomic_load_explicit(&place->value, memory_order_acquire);
	return NULL;
}

/* One or the other. */
static inline void *rs_table_find(struct rs_table *table, struct rs_table_place *first, void *key)
{
	void *value = rs_table_glance(first, key);

	return __builtin_expect(value != NULL, 1) ? value : rs_table_search(table, key);
}

/* False where memory is short. The key must not be there. */
bool rs_table_put(struct rs_table *table, void *key, void *value);

/* Remove it: what was there, or NULL. */
void *rs_table_take(struct rs_table *table, void *key);

#endif
