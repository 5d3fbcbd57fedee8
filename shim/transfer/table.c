#include "transfer/table.h"

#include <stdlib.h>

/*
 * An open hash table in segments, each twice as large as the one before. A key hashes to one
 * bucket in every segment, and to a place in it to begin with, and lies in the first place that was
 * free. Places are taken by compare-and-swap and given back by storing NULL; nothing is ever moved,
 * so that readers need no lock: a key can only be that of the handle which the asking thread holds.
 */

/* The place of a key in a segment that is the `nth` to be tried there. */
static inline struct rs_table_place *place_in(struct rs_table_place *segment, size_t number,
					      const void *key, size_t nth)
{
	size_t at = rs_table_hash(key, RS_TABLE_BITS + (unsigned)number);
	size_t bucket = at & ~(size_t)(RS_TABLE_BUCKET - 1);

	return &segment[bucket + ((at + nth) & (RS_TABLE_BUCKET - 1))];
}

/* NULL where it was not made yet. */
static struct rs_table_place *segment_of(struct rs_table *table, size_t number)
{
	if (number == 0)
		return table->first;
	return atomic_load_explicit(&table->more[number - 1], memory_order_acquire);
}

__attribute__((noinline)) static struct rs_table_place *place_further(struct rs_table *table,
								      void *key, unsigned left)
{
	for (size_t s = 0; s < RS_TABLE_SEGMENTS && left > 0; s++) {
		struct rs_table_place *segment = segment_of(table, s);

		if (!segment)
			return NULL;
		for (size_t i = 0; i < RS_TABLE_BUCKET && left > 0; i++, left--) {
			struct rs_table_place *place = place_in(segment, s, key, i);

			if (atomic_load_explicit(&place->key, memory_order_relaxed) == key)
				return place;
		}
	}
	return NULL;
}

/* Mostly the very first place is it, or no other was ever in use. The key is not NULL. */
static inline struct rs_table_place *place_of(struct rs_table *table, void *key)
{
	unsigned deep = atomic_load_explicit(&table->deep, memory_order_relaxed);
	struct rs_table_place *place = rs_table_first_place(table, key);

	if (atomic_load_explicit(&place->key, memory_order_relaxed) == key)
		return place;
	return deep > 1 ? place_further(table, key, deep) : NULL;
}

void *rs_table_search(struct rs_table *table, void *key)
{
	struct rs_table_place *place = key ? place_of(table, key) : NULL;

	return place ? atomic_load_explicit(&place->value, memory_order_acquire) : NULL;
}

/* The segment, made where it is not there yet; NULL where memory is short. */
static struct rs_table_place *segment_at(struct rs_table *table, size_t number)
{
	struct rs_table_place *segment = segment_of(table, number);
	struct rs_table_place *made;

	if (segment)
		return segment;
	made = calloc(RS_TABLE_FIRST << number, sizeof(*made));
	if (!made)
		return NULL;
	if (atomic_compare_exchange_strong(&table->more[number - 1], &segment, made))
		return made;
	free(made);
	return segment;
}

static void note_depth(struct rs_table *table, unsigned depth)
{
	unsigned deep = atomic_load_explicit(&table->deep, memory_order_relaxed);

	while (deep < depth && !atomic_compare_exchange_weak(&table->deep, &deep, depth))
		;
}

/* Take the place, if it is free. `depth`: which one of its key's places it is, counted from 1. */
static inline bool take_place(struct rs_table *table, struct rs_table_place *place, void *key,
			      void *value, unsigned depth)
{
	void *vacant = NULL;

	if (!atomic_compare_exchange_strong(&place->key, &vacant, key))
		return false;
	note_depth(table, depth);
	atomic_store_explicit(&place->value, value, memory_order_release);
	return true;
}

bool rs_table_put(struct rs_table *table, void *key, void *value)
{
	for (size_t s = 0; s < RS_TABLE_SEGMENTS; s++) {
		struct rs_table_place *segment = segment_at(table, s);

		if (!segment)
			return false;
		for (size_t i = 0; i < RS_TABLE_BUCKET; i++) {
			if (take_place(table, place_in(segment, s, key, i), key, value,
				       (unsigned)(s * RS_TABLE_BUCKET + i + 1)))
				return true;
		}
	}
	return false;
}

void *rs_table_take_further(struct rs_table *table, void *key)
{
	struct rs_table_place *place = key ? place_of(table, key) : NULL;
	void *value;

	if (!place)
		return NULL;
	value = atomic_exchange(&place->value, NULL);
	atomic_store_explicit(&place->key, NULL, memory_order_release);
	return value;
}
