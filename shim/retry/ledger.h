/*
 * Many token buckets in one block of memory, which processes may share: what was spent from each,
 * and when last.
 *
 * All zero is an empty ledger, in which every bucket is full: there is nothing to initialize that
 * could be done half. A bucket is one atomic word. A process may be killed at any instruction, and
 * any bytes may stand here: at worst buckets are emptier or fuller than they should be, for
 * RS_LEDGER_REST_S. No lock; safe from any thread, after fork and in a signal handler.
 *
 * A bucket that nobody has paid from for RS_LEDGER_REST_S seconds is full again, since a bucket
 * that outlives every process would otherwise stay empty once it was emptied.
 *
 * A bucket takes a place when it is first paid from. Places of full buckets are used again. When
 * there is none near where a bucket belongs, it shares one with others in that position: retries
 * are then refused sooner, never later.
 *
 * Time is in seconds of a clock that all processes share and that does not go back
 * (CLOCK_MONOTONIC).
 */
#ifndef RS_RETRY_LEDGER_H
#define RS_RETRY_LEDGER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define RS_LEDGER_SLOTS  1024 /* a power of two */
#define RS_LEDGER_REST_S 300

struct rs_ledger_slot {
	_Atomic uint64_t key;  /* 0: free */
	_Atomic uint64_t used; /* tokens spent << 32 | when last */
};

struct rs_ledger {
	char title[56];             /* of the file, where it lies in one */
	_Atomic uint32_t busy_till; /* until then a bucket may lack tokens; 0: none does */
	uint32_t unused;
	struct rs_ledger_slot slots[RS_LEDGER_SLOTS];
	struct rs_ledger_slot shared; /* for buckets that found no place */
};

/* Which bucket: its key (not 0), and how much it holds. */
struct rs_ledger_bucket {
	uint64_t key;
	int32_t capacity;
};

/* Take all of `cost` or nothing. The tokens left, or -1 where there were too few. */
int32_t rs_ledger_take(struct rs_ledger *ledger, struct rs_ledger_bucket bucket, int32_t cost,
		       uint32_t now_s);

/* Give back; a full bucket is only read. */
void rs_ledger_give(struct rs_ledger *ledger, struct rs_ledger_bucket bucket, int32_t amount,
		    uint32_t now_s);

int32_t rs_ledger_level(struct rs_ledger *ledger, struct rs_ledger_bucket bucket, uint32_t now_s);

/* Is every bucket full? One load. */
static inline bool rs_ledger_rests(const struct rs_ledger *ledger)
{
	return atomic_load_explicit(&ledger->busy_till, memory_order_relaxed) == 0;
}

#endif
