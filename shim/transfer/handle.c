#include "transfer/handle.h"

#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>

/*
 * An open hash table in segments, each twice as large as the one before. A handle hashes to one
 * bucket in every segment and lies in the first place that was free. Places are taken by
 * compare-and-swap and given back by storing NULL; nothing is ever moved, so that readers need no
 * lock: a key can only be that of the handle which the asking thread holds.
 */
#define SEGMENTS      16
#define FIRST_BUCKETS 32 /* power of two */
#define BUCKET        8

struct place {
	_Atomic(CURL *) easy;
	_Atomic(struct rs_handle *) handle;
};

static struct place first[FIRST_BUCKETS * BUCKET];
static _Atomic(struct place *) segments[SEGMENTS] = { first };

static struct place *bucket_in(struct place *segment, size_t number, const CURL *easy)
{
	uint64_t hash = (uint64_t)(uintptr_t)easy * UINT64_C(0x9E3779B97F4A7C15);
	size_t buckets = (size_t)FIRST_BUCKETS << number;

	return &segment[((size_t)(hash >> 32) & (buckets - 1)) * BUCKET];
}

static struct place *place_of(CURL *easy)
{
	struct place *segment;

	for (size_t s = 0; s < SEGMENTS; s++) {
		struct place *bucket;

		segment = atomic_load_explicit(&segments[s], memory_order_acquire);
		if (!segment)
			return NULL;
		bucket = bucket_in(segment, s, easy);
		for (size_t i = 0; i < BUCKET; i++) {
			if (atomic_load_explicit(&bucket[i].easy, memory_order_relaxed) == easy)
				return &bucket[i];
		}
	}
	return NULL;
}

struct rs_handle *rs_handle_find(CURL *easy)
{
	struct place *place = easy ? place_of(easy) : NULL;

	return place ? atomic_load_explicit(&place->handle, memory_order_acquire) : NULL;
}

/* The segment, made where it is not there yet; NULL where memory is short. */
static struct place *segment_at(size_t number)
{
	struct place *segment = atomic_load_explicit(&segments[number], memory_order_acquire);
	struct place *made;

	if (segment)
		return segment;
	made = calloc((size_t)FIRST_BUCKETS << number, BUCKET * sizeof(*made));
	if (!made)
		return NULL;
	if (atomic_compare_exchange_strong(&segments[number], &segment, made))
		return made;
	free(made);
	return segment;
}

static struct place *take_place(CURL *easy)
{
	for (size_t s = 0; s < SEGMENTS; s++) {
		struct place *segment = segment_at(s);
		struct place *bucket;

		if (!segment)
			return NULL;
		bucket = bucket_in(segment, s, easy);
		for (size_t i = 0; i < BUCKET; i++) {
			CURL *vacant = NULL;

			if (atomic_compare_exchange_strong(&bucket[i].easy, &vacant, easy))
				return &bucket[i];
		}
	}
	return NULL;
}

struct rs_handle *rs_handle_add(CURL *easy, const struct rs_curl_api *api)
{
	struct rs_handle *handle;
	struct place *place;

	rs_handle_drop(easy);
	handle = malloc(sizeof(*handle));
	place = handle ? take_place(easy) : NULL;
	if (!place) {
		free(handle);
		return NULL;
	}
	handle->easy = easy;
	handle->api = api;
	handle->active = NULL;
	handle->whole.valid = false;
	handle->fault = (struct rs_fault_told){ .valid = false };
	handle->hold = (struct rs_hold){ .bytes = NULL };
	rs_options_init(&handle->options);
	atomic_store_explicit(&place->handle, handle, memory_order_release);
	return handle;
}

void rs_handle_drop(CURL *easy)
{
	struct place *place = easy ? place_of(easy) : NULL;
	struct rs_handle *handle;

	if (!place)
		return;
	handle = atomic_exchange(&place->handle, NULL);
	atomic_store_explicit(&place->easy, NULL, memory_order_release);
	if (!handle)
		return;
	rs_options_clear(&handle->options);
	free(handle->fault.url);
	rs_hold_free(&handle->hold);
	free(handle);
}
