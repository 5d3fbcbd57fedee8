#include "retry/pacer.h"

#include <stddef.h>

#include "retry/ns.h"
#include "retry/target_key.h"

#define NEARBY     8
#define PATIENCE   1000                 /* looks at a place that is held */
#define LOST_NS    (100 * RS_NS_PER_MS) /* held for so long: by nobody who lives */
#define SECONDS(n) ((double)(n) / (double)RS_NS_PER_S)

static uint64_t key_of(const struct rs_target *target)
{
	uint64_t key = rs_target_key(target);

	return target->call == RS_CALL_RESOLVE ? rs_key_of_both(key, RS_CALL_RESOLVE) : key;
}

static bool hold(struct rs_pacer *pacer, int64_t now_ns)
{
	for (int i = 0; i < PATIENCE; i++) {
		int64_t since_ns = atomic_load_explicit(&pacer->held_ns, memory_order_relaxed);

		if ((since_ns == 0 || now_ns - since_ns > LOST_NS) &&
		    atomic_compare_exchange_weak_explicit(&pacer->held_ns, &since_ns, now_ns | 1,
							  memory_order_acquire,
							  memory_order_relaxed))
			return true;
	}
	return false;
}

static void let_go(struct rs_pacer *pacer)
{
	atomic_store_explicit(&pacer->held_ns, 0, memory_order_release);
}

static uint64_t key_in(const struct rs_pacer *pacer)
{
	return atomic_load_explicit(&pacer->key, memory_order_relaxed);
}

static struct rs_pacer *nearby(struct rs_pacers *pacers, uint64_t key, unsigned i)
{
	return &pacers->at[(key + i) & (RS_PACERS - 1)];
}

/* Hold the place of a target; NULL: it has none, or it could not be had. */
static struct rs_pacer *find(struct rs_pacers *pacers, uint64_t key, int64_t now_ns)
{
	for (unsigned i = 0; i < NEARBY; i++) {
		struct rs_pacer *pacer = nearby(pacers, key, i);

		if (key_in(pacer) != key || !hold(pacer, now_ns))
			continue;
		if (key_in(pacer) == key)
			return pacer;
		let_go(pacer);
	}
	return NULL;
}

static bool is_free(const struct rs_pacer *pacer, int64_t now_ns)
{
	return key_in(pacer) == 0 || now_ns - pacer->used_ns > RS_PACER_REST_NS;
}

/* Two threads may each make a place for the same target at the same time: the first is found. */
static struct rs_pacer *make(struct rs_pacers *pacers, uint64_t key, int64_t now_ns)
{
	for (unsigned i = 0; i < NEARBY; i++) {
		struct rs_pacer *pacer = nearby(pacers, key, i);

		if (!hold(pacer, now_ns))
			continue;
		if (is_free(pacer, now_ns)) {
			rs_adaptive_begin(&pacer->adaptive, SECONDS(now_ns));
			atomic_store_explicit(&pacer->key, key, memory_order_relaxed);
			return pacer;
		}
		let_go(pacer);
	}
	return NULL;
}

void rs_pacer_outcome(struct rs_pacers *pacers, const struct rs_target *target, bool throttled,
		      int64_t now_ns)
{
	uint64_t key = pacers ? key_of(target) : 0;
	struct rs_pacer *pacer = pacers ? find(pacers, key, now_ns) : NULL;

	if (!pacer)
		pacer = pacers ? make(pacers, key, now_ns) : NULL;
	if (!pacer)
		return;
	pacer->used_ns = now_ns;
	rs_adaptive_update(&pacer->adaptive, throttled, SECONDS(now_ns));
	let_go(pacer);
}

int64_t rs_pacer_wait_ns(struct rs_pacers *pacers, const struct rs_target *target, int64_t now_ns)
{
	struct rs_pacer *pacer = pacers ? find(pacers, key_of(target), now_ns) : NULL;
	double wait_s = 0;

	if (pacer) {
		wait_s = rs_adaptive_wait_s(&pacer->adaptive, SECONDS(now_ns));
		let_go(pacer);
	}
	return wait_s < SECONDS(RS_FOREVER) / 2 ? (int64_t)(wait_s * (double)RS_NS_PER_S + 0.5)
						: RS_FOREVER;
}

void rs_pacer_take(struct rs_pacers *pacers, const struct rs_target *target, int64_t now_ns)
{
	struct rs_pacer *pacer = pacers ? find(pacers, key_of(target), now_ns) : NULL;

	if (!pacer)
		return;
	rs_adaptive_take(&pacer->adaptive);
	let_go(pacer);
}

void rs_pacer_give(struct rs_pacers *pacers, const struct rs_target *target, int64_t now_ns)
{
	struct rs_pacer *pacer = pacers ? find(pacers, key_of(target), now_ns) : NULL;

	if (!pacer)
		return;
	rs_adaptive_give(&pacer->adaptive);
	let_go(pacer);
}
