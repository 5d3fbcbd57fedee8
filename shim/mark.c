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
RS_DATA_AT_START static uint64_t first_mark;
RS_DATA_AT_START static int64_t first_ns;

void rs_mark_begin(void)
{
	int before = NOT_BEGUN;

	if (atomic_load_explicit(&state, memory_order_relaxed) != NOT_BEGUN ||
	    !atomic_compare_exchange_strong(&state, &before, BEGINNING))
		return;
	first_mark = rs_mark();
	first_ns = rs_now_ns();
	atomic_store_explicit(&state, BEGUN, memory_order_release);
}

int64_t rs_mark_ns(uint64_t mark)
{
	int64_t now_ns = rs_now_ns();
	uint64_t now = rs_mark();
	unsigned __int128 since_ns;

	if (atomic_load_explicit(&state, memory_order_acquire) != BEGUN || now <= first_mark ||
	    now <= mark)
		return now_ns;
	since_ns = (unsigned __int128)(now - mark) * (uint64_t)(now_ns - first_ns);
	return now_ns - (int64_t)(since_ns / (now - first_mark));
}
