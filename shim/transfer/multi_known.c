/*
 * Which multi handles are known.
 */
#include <stdlib.h>

#include "retry/ns.h"
#include "transfer/multi.h"

struct rs_table rs_multis;

/*
 * Multi handles for which there was no memory. The program may have given libcurl a timer callback
 * that we have not seen: what waited here would never be woken, so nothing of theirs is guarded.
 */
static struct {
	atomic_bool any; /* mostly there is none */
	_Atomic(const CURLM *) at[8];
	atomic_bool overflow; /* which ones are missing is not known: no new ones are guarded */
} unknown;

#define UNKNOWN_MOST (sizeof(unknown.at) / sizeof(unknown.at[0]))

static bool is_unknown(const CURLM *handle)
{
	if (!atomic_load_explicit(&unknown.any, memory_order_relaxed))
		return false;
	for (size_t i = 0; i < UNKNOWN_MOST; i++) {
		if (atomic_load_explicit(&unknown.at[i], memory_order_relaxed) == handle)
			return true;
	}
	return atomic_load_explicit(&unknown.overflow, memory_order_relaxed);
}

static void stay_unknown(const CURLM *handle)
{
	atomic_store(&unknown.any, true);
	for (size_t i = 0; i < UNKNOWN_MOST; i++) {
		const CURLM *vacant = NULL;

		if (atomic_compare_exchange_strong(&unknown.at[i], &vacant, handle))
			return;
	}
	atomic_store(&unknown.overflow, true);
}

void rs_multi_unknown_gone(const CURLM *handle)
{
	if (!handle || !atomic_load_explicit(&unknown.any, memory_order_relaxed))
		return;
	for (size_t i = 0; i < UNKNOWN_MOST; i++) {
		const CURLM *there = handle;

		atomic_compare_exchange_strong(&unknown.at[i], &there, NULL);
	}
}

struct rs_multi *rs_multi_of(CURLM *handle, const struct rs_curl_api *api)
{
	struct rs_multi *m = rs_multi_find(handle);

	if (m)
		return m;
	if (is_unknown(handle))
		return NULL;
	m = calloc(1, sizeof(*m));
	if (!m) {
		stay_unknown(handle);
		return NULL;
	}
	m->handle = handle;
	m->api = api;
	m->end = &m->first;
	m->real_due_ns = m->told_due_ns = RS_FOREVER;
	if (rs_table_put(&rs_multis, handle, m))
		return m;
	stay_unknown(handle);
	free(m);
	return NULL;
}

void rs_multi_drop(struct rs_multi *m)
{
	rs_table_take(&rs_multis, m->handle);
	free(m);
}
