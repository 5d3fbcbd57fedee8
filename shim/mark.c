#include "mark.h"

#include "process.h"

/* Before the constructor ran these are 0: both counters began when the machine did. */
static uint64_t first_mark;
static int64_t first_ns;

void rs_mark_begin(void)
{
	first_mark = rs_mark();
	first_ns = rs_now_ns();
}

int64_t rs_mark_ns(uint64_t mark)
{
	int64_t now_ns = rs_now_ns();
	uint64_t now = rs_mark();
	unsigned __int128 since_ns;

	if (mark < first_mark || now <= mark)
		return now_ns;
	since_ns = (unsigned __int128)(now - mark) * (uint64_t)(now_ns - first_ns);
	return now_ns - (int64_t)(since_ns / (now - first_mark));
}
