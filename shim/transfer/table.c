#include "transfer/table.h"

#include <stdlib.h>

/*
 * An open hash table in segments, each twice as large as the one before. A key hashes to one
 * bucket in every segment and lies in the first place that was free. Places are taken by
 * compare-and-swap and given back by storing NULL; nothing is ever moved, so that readers need no
 * lock: a key can only be that of the handle which the asking thread holds.
 */

static struct rs_table_place *bucket_in(struct rs_table_place *segment, size_t number,
					const void *key)
{
	size_t buckets = (size_t)RS_TABLE_FIRST << number;

	return &segment[(rs_table_hash(key) & (buckets - 1)) * RS_TABLE_BUCKET];
}

static struct rs_table_place *place_of(struct rs_table *table, void *key)
{
	unsigned left = atomic_load_explicit(&table->deep, memory_order_relaxed);

	for (size_t s = 0; s < RS_TABLE_SEGMENTS && left > 0; s++) {
		struct rs_table_place *segment =
			atomic_load_explicit(&table->segments[s], memory_order_acquire);
		struct rs_table_place *bucket;

		if (!segment)
			return NULL;
		bucket = bucket_in(segment, s, key);
		for (size_t i = 0; i < RS_TABLE_BUCKET && left > 0; i++, left--) {
			if (atomic_load_explicit(&bucket[i].key, memory_order_relaxed) == key)
				return &bucket[i];
		}
	}
	return NULL;
}

void *rs_table_search(struct rs_table *table, void *key)
{
	struct rs_table_place *place;

	if (!key || atomic_load_explicit(&table->deep, memory_order_relaxed) == 0)
		return NULL;
	place = place_of(table, key);
	return place ? atomic_load_explicit(&place->value, memory_order_acquire) : NULL;
}

/* The segment, made where it is not there yet; NULL where memory is short. */
static struct rs_table_place *segment_at(struct rs_table *table, size_t number)
{
	struct rs_table_place *segment =
		atomic_load_explicit(&table->segments[number], memory_order_acquire);
	struct rs_table_place *made;

	if (segment)
		return segment;
	made = calloc((size_t)RS_TABLE_FIRST << number, RS_TABLE_BUCKET * sizeof(*made));
	if (!made)
		return NULL;
	if (atomic_compare_exchange_strong(&table->segments[number], &segment, made))
		return made;
	free(made);
	return segment;
}

/* Who looks for a key has put it, or was given the handle by who has: that is late enough. */
static void note_depth(struct rs_table *table, unsigned depth)
{
	unsigned deep = atomic_load_explicit(&table->deep, memory_order_relaxed);

	while (deep < depth && !atomic_compare_exchange_weak(&table->deep, &deep, depth))
		;
}

bool rs_table_put(struct rs_table *table, void *key, void *value)
{
	for (size_t s = 0; s < RS_TABLE_SEGMENTS; s++) {
		struct rs_table_place *segment = segment_at(table, s);
		struct rs_table_place *bucket;

		if (!segment)
			return false;
		bucket = bucket_in(segment, s, key);
		for (size_t i = 0; i < RS_TABLE_BUCKET; i++) {
			void *vacant = NULL;

			if (!atomic_compare_exchange_strong(&bucket[i].key, &vacant, key))
				continue;
			note_depth(table, (unsigned)(s * RS_TABLE_BUCKET + i + 1));
			atomic_store_explicit(&bucket[i].value, value, memory_order_release);
			return true;
		}
	}
	return false;
}

void *rs_table_take(struct rs_table *table, void *key)
{
	struct rs_table_place *place = key ? place_of(table, key) : NULL;
	void *value;

	if (!place)
		return NULL;
	value = atomic_exchange(&place->value, NULL);
	atomic_store_explicit(&place->key, NULL, memory_order_release);
	return value;
}
