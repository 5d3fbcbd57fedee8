#include "mark.h"

#include <stdatomic.h>

#include "at_start.h"
#include "process.h"

enum {
	NOT_BEGUN,
	BEGINNING, /* by a thread that will not be waited for */
	BEGUN,
};

RS_DATA_AT_START static atomic_int state;
/* Read once `state` says BEGUN. */
RS_DATA_AT_START static _Atomic uint64_t first_mark;
RS_DATA_AT_START static _Atomic int64_t first_ns;

void rs_mark_begin(void)
{
	int before = NOT_BEGUN;

	if (atomic_load_explicit(&state, memory_order_relaxed) != NOT_BEGUN ||
	    !atomic_compare_exchange_strong(&state, &before, BEGINNING))
		return;
	atomic_store_explicit(&first_mark, rs_mark(), memory_order_relaxed);
	atomic_store_explicit(&first_ns, rs_now_ns(), memory_order_relaxed);
	atomic_store_explicit(&state, BEGUN, memory_order_release);
}

int64_t rs_mark_ns(uint64_t mark)
{
	int64_t now_ns = rs_now_ns(), began_ns;
	uint64_t now = rs_mark(), began;
	unsigned __int128 since_ns;

	if (atomic_load_explicit(&state, memory_order_acquire) != BEGUN)
		return now_ns;
	began = atomic_load_explicit(&first_mark, memory_order_relaxed);
	began_ns = atomic_load_explicit(&first_ns, memory_order_relaxed);
	if (now <= began || now <= mark)
		return now_ns;
	since_ns = (unsigned __int128)(now - mark) * (uint64_t)(now_ns - began_ns);
	return now_ns - (int64_t)(since_ns / (now - began));
}
