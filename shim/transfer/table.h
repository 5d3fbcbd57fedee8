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
#define RS_TABLE_BITS     10 /* places of the first segment, as a power of two */
#define RS_TABLE_FIRST    ((size_t)1 << RS_TABLE_BITS)
#define RS_TABLE_BUCKET   8 /* places of a bucket; a power of two */

struct rs_table_place {
	_Atomic(void *) key;
	_Atomic(void *) value;
};

/* All zero to begin with. */
struct rs_table {
	struct rs_table_place first[RS_TABLE_FIRST];
	_Atomic(struct rs_table_place *) more[RS_TABLE_SEGMENTS - 1];
	_Atomic unsigned deep; /* how many of a key's places were ever in use */
};

/* Of as many bits. The uppermost ones, which keep keys apart that come at equal distances, as an
 * allocator gives them. (Knuth, The Art of Computer Programming, 6.4: Fibonacci hashing.) */
static inline size_t rs_table_hash(const void *key, unsigned bits)
{
	return (size_t)((uint64_t)(uintptr_t)key * UINT64_C(0x9E3779B97F4A7C15) >> (64 - bits));
}

static inline struct rs_table_place *rs_table_first_place(struct rs_table *table, const void *key)
{
	return &table->first[rs_table_hash(key, RS_TABLE_BITS)];
}

/* Was any other place of a key than its first one ever in use? Who looks for a key has put it, or
 * was given the handle by who has: that is late enough. */
static inline bool rs_table_is_deep(struct rs_table *table)
{
	return atomic_load_explicit(&table->deep, memory_order_relaxed) > 1;
}

/* NULL: not there. */
void *rs_table_search(struct rs_table *table, void *key);

/* The same where the key is in its very first place, as nearly always; else NULL. No call is made:
 * what is small enough can do without a stack frame. */
static inline void *rs_table_glance(struct rs_table *table, void *key)
{
	struct rs_table_place *place = rs_table_first_place(table, key);

	if (__builtin_expect(atomic_load_explicit(&place->key, memory_order_relaxed) == key, 1))
		return atomic_load_explicit(&place->value, memory_order_acquire);
	return NULL;
}

/* One or the other. */
static inline void *rs_table_find(struct rs_table *table, void *key)
{
	void *value = rs_table_glance(table, key);

	if (__builtin_expect(value != NULL, 1) || !rs_table_is_deep(table))
		return value;
	return rs_table_search(table, key);
}

/* False where memory is short. The key must not be there. */
bool rs_table_put(struct rs_table *table, void *key, void *value);

/* The same where it can be told at once that the key is not there, and its very first place is
 * free, as nearly always; else false, and nothing is done. */
static inline bool rs_table_put_at_once(struct rs_table *table, void *key, void *value)
{
	struct rs_table_place *place = rs_table_first_place(table, key);
	void *vacant = NULL;

	if (__builtin_expect(rs_table_is_deep(table), 0) ||
	    __builtin_expect(!atomic_compare_exchange_strong(&place->key, &vacant, key), 0))
		return false;
	atomic_store_explicit(&place->value, value, memory_order_release);
	return true;
}

/* Remove it: what was there, or NULL. No key, which is nothing's, looks like that of a free place,
 * which another thread may be about to take. */
void *rs_table_take_further(struct rs_table *table, void *key);
static inline void *rs_table_take(struct rs_table *table, void *key)
{
	struct rs_table_place *place = rs_table_first_place(table, key);
	void *value = rs_table_glance(table, key);

	if (__builtin_expect(!value, 0) || __builtin_expect(!key, 0))
		return rs_table_take_further(table, key);
	atomic_store_explicit(&place->value, NULL, memory_order_relaxed);
	atomic_store_explicit(&place->key, NULL, memory_order_release);
	return value;
}

#endif
