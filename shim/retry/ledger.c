#include "retry/ledger.h"

#include <stddef.h>

/*
 * Relaxed order mostly: a bucket guards nothing but itself. Where two processes come at the same
 * time, one of them may for a moment find another's place or none: a token more or less. Who sees a
 * payment also sees whose place it was made in.
 */

#define NEARBY 16 /* places that are looked at for a key */

static uint64_t word(uint32_t spent, uint32_t when_s)
{
	return (uint64_t)spent << 32 | when_s;
}

/* Clocks of two processes may be a second apart, and in a spoilt file any time may stand. */
static bool is_recent(uint32_t when_s, uint32_t now_s)
{
	int32_t age_s = (int32_t)(now_s - when_s);

	return age_s < RS_LEDGER_REST_S && age_s > -RS_LEDGER_REST_S;
}

static uint32_t spent_in(uint64_t used, uint32_t now_s)
{
	return is_recent((uint32_t)used, now_s) ? (uint32_t)(used >> 32) : 0;
}

static uint64_t load(const _Atomic uint64_t *at)
{
	return atomic_load_explicit(at, memory_order_relaxed);
}

static bool replace(_Atomic uint64_t *at, uint64_t *seen, uint64_t next)
{
	return atomic_compare_exchange_weak_explicit(at, seen, next, memory_order_release,
						     memory_order_relaxed);
}

static bool claim(struct rs_ledger_slot *slot, uint64_t old, uint64_t key)
{
	return atomic_compare_exchange_strong_explicit(&slot->key, &old, key, memory_order_relaxed,
						       memory_order_relaxed) ||
	       old == key;
}

static struct rs_ledger_slot *nearby(struct rs_ledger *ledger, uint64_t key, unsigned i)
{
	return &ledger->slots[(key + i) & (RS_LEDGER_SLOTS - 1)];
}

/* The bucket's place, or NULL where it has none: it is full, or, with *crowded, in the shared one.
 */
static struct rs_ledger_slot *find(struct rs_ledger *ledger, uint64_t key, bool *crowded)
{
	*crowded = false;
	for (unsigned i = 0; i < NEARBY; i++) {
		struct rs_ledger_slot *slot = nearby(ledger, key, i);
		uint64_t there = load(&slot->key);

		if (there == key)
			return slot;
		if (there == 0)
			return NULL;
	}
	*crowded = true;
	return NULL;
}

static struct rs_ledger_slot *look(struct rs_ledger *ledger, uint64_t key)
{
	bool crowded;
	struct rs_ledger_slot *slot = find(ledger, key, &crowded);

	return slot || !crowded ? slot : &ledger->shared;
}

static bool is_full(const struct rs_ledger_slot *slot, uint32_t now_s)
{
	return spent_in(atomic_load_explicit(&slot->used, memory_order_acquire), now_s) == 0;
}

/* The bucket's place; it gets one where it has none. Somebody may do the same for it meanwhile. */
static struct rs_ledger_slot *place(struct rs_ledger *ledger, uint64_t key, uint32_t now_s)
{
	bool crowded;
	struct rs_ledger_slot *slot = find(ledger, key, &crowded);

	for (unsigned i = 0; !slot && i < NEARBY; i++) {
		struct rs_ledger_slot *at = nearby(ledger, key, i);
		bool was_full = is_full(at, now_s); /* before it is asked whose it is */
		uint64_t there = load(&at->key);

		if (there == key || ((there == 0 || was_full) && claim(at, there, key)))
			slot = at;
	}
	return slot ? slot : &ledger->shared;
}

static int32_t level_of(struct rs_ledger_bucket bucket, uint32_t spent)
{
	return spent < (uint32_t)bucket.capacity ? bucket.capacity - (int32_t)spent : 0;
}

/* Before the payment, so that a process killed in between has not hidden it. */
static void note_payment(struct rs_ledger *ledger, uint32_t now_s)
{
	uint32_t till = now_s + RS_LEDGER_REST_S;

	atomic_store_explicit(&ledger->busy_till, till ? till : 1, memory_order_relaxed);
}

int32_t rs_ledger_take(struct rs_ledger *ledger, struct rs_ledger_bucket bucket, int32_t cost,
		       uint32_t now_s)
{
	struct rs_ledger_slot *slot;
	uint64_t used;

	if (cost == 0 || cost > rs_ledger_level(ledger, bucket, now_s))
		return cost == 0 ? rs_ledger_level(ledger, bucket, now_s) : -1;
	slot = place(ledger, bucket.key, now_s);
	used = load(&slot->used);
	note_payment(ledger, now_s);
	for (;;) {
		uint32_t spent = spent_in(used, now_s);

		if (level_of(bucket, spent) < cost)
			return -1;
		if (replace(&slot->used, &used, word(spent + (uint32_t)cost, now_s)))
			return level_of(bucket, spent + (uint32_t)cost);
	}
}

/* Nobody has paid for so long that every bucket is full: say so. */
static bool came_to_rest(struct rs_ledger *ledger, uint32_t now_s)
{
	uint32_t till = atomic_load_explicit(&ledger->busy_till, memory_order_relaxed);

	if (till == 0)
		return true;
	if (is_recent(till - RS_LEDGER_REST_S, now_s))
		return false;
	return atomic_compare_exchange_strong_explicit(&ledger->busy_till, &till, 0,
						       memory_order_relaxed, memory_order_relaxed);
}

void rs_ledger_give(struct rs_ledger *ledger, struct rs_ledger_bucket bucket, int32_t amount,
		    uint32_t now_s)
{
	struct rs_ledger_slot *slot = came_to_rest(ledger, now_s) ? NULL : look(ledger, bucket.key);
	uint64_t used;
	uint32_t spent;

	if (!slot)
		return;
	used = load(&slot->used);
	do {
		spent = spent_in(used, now_s);
		if (spent == 0)
			return;
		spent = spent > (uint32_t)amount ? spent - (uint32_t)amount : 0;
	} while (!replace(&slot->used, &used, word(spent, (uint32_t)used)));
}

int32_t rs_ledger_level(struct rs_ledger *ledger, struct rs_ledger_bucket bucket, uint32_t now_s)
{
	struct rs_ledger_slot *slot = look(ledger, bucket.key);

	return slot ? level_of(bucket, spent_in(load(&slot->used), now_s)) : bucket.capacity;
}
