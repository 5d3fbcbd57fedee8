#include "retry/fault.h"

#include <string.h>

#include "retry/match.h"
#include "retry/target_key.h"

/* Sebastiano Vigna's splitmix64, https://prng.di.unimi.it/splitmix64.c: one step from `state`. */
static uint64_t mix(uint64_t state)
{
	uint64_t mixed = state + UINT64_C(0x9e3779b97f4a7c15);

	mixed = (mixed ^ (mixed >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	mixed = (mixed ^ (mixed >> 27)) * UINT64_C(0x94d049bb133111eb);
	return mixed ^ (mixed >> 31);
}

/* FNV-1a. */
static uint64_t hash_bytes(uint64_t hash, const void *bytes, size_t len)
{
	const unsigned char *at = bytes;

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ at[i]) * UINT64_C(1099511628211);
	return mix(hash ^ len);
}

static uint64_t hash_span(uint64_t hash, struct rs_span span)
{
	return hash_bytes(hash, span.len ? span.at : "", span.len);
}

/* What counts as one target: a call's peer. */
static uint64_t hash_peer(uint64_t hash, const struct rs_target *target)
{
	return mix(mix(hash ^ (uint64_t)target->call) ^ rs_target_key(target));
}

static uint64_t hash_request(uint64_t hash, const struct rs_target *target)
{
	return hash_span(hash_span(hash, target->method), target->url);
}

/* With so many places to choose from there is one until nine in ten are taken. */
#define TRIES 64

/* The place of `key`, or NULL. */
static _Atomic uint64_t *place_for(struct rs_fault_table *table, uint64_t key)
{
	uint32_t tag = (uint32_t)key | 1, step = (uint32_t)(key >> 44) | 1;
	uint32_t at = (uint32_t)(key >> 32);

	for (int i = 0; i < TRIES; i++, at += step) {
		_Atomic uint64_t *place = &table->places[at % RS_FAULT_PLACES];
		uint64_t held = atomic_load_explicit(place, memory_order_relaxed);

		if (held == 0) /* and still is, where it is ours now */
			(void)atomic_compare_exchange_strong(place, &held, tag);
		if (held == 0 || (uint32_t)held == tag)
			return place;
	}
	return NULL;
}

/* How often this was called with that key before. */
static uint32_t count(struct rs_fault_table *table, uint64_t key)
{
	_Atomic uint64_t *place = place_for(table, key);

	if (!place)
		return atomic_fetch_add(&table->others, 1);
	return (uint32_t)(atomic_fetch_add(place, UINT64_C(1) << 32) >> 32);
}

/* A number of its own for each fault, and for each thing of it that is counted. */
enum counted {
	COUNT_PEER,
	COUNT_ALL,
	COUNT_REQUEST,
};

static uint64_t key_of(const struct rs_fault *fault, enum counted what)
{
	return mix(rs_name_key(fault->name) + what);
}

/* Uniform over uint64_t. */
static uint64_t chance(const struct rs_rules *rules, size_t index, const struct rs_target *target,
		       uint64_t random)
{
	uint64_t key;

	if (!rules->settings.has_seed)
		return mix(random + index);
	key = key_of(&rules->faults[index], COUNT_REQUEST);
	key = hash_request(hash_peer(key, target), target);
	return mix(mix(rules->settings.seed ^ key) + count(&rules->fault_counts->requests, key));
}

/* x < limit / 1,000,000 of the whole, without division. */
static bool is_below(uint64_t x, int32_t millionths)
{
	return (uint64_t)((unsigned __int128)x * RS_CERTAIN >> 64) < (uint64_t)millionths;
}

static bool is_due(const struct rs_rules *rules, const struct rs_fault *fault,
		   const struct rs_target *target)
{
	struct rs_fault_table *counts = &rules->fault_counts->targets;

	if (fault->first != RS_NO_FIRST &&
	    count(counts, hash_peer(key_of(fault, COUNT_PEER), target)) >= (uint32_t)fault->first)
		return false;
	return fault->every <= 1 ||
	       (count(counts, key_of(fault, COUNT_ALL)) + 1) % (uint32_t)fault->every == 0;
}

static int64_t delay_ns(const struct rs_fault *fault, uint64_t chance)
{
	uint64_t room = (uint64_t)(fault->delay_max_ns - fault->delay_min_ns);

	return fault->delay_min_ns + (int64_t)((unsigned __int128)chance * (room + 1) >> 64);
}

static bool can_strike(const struct rs_fault *fault, const struct rs_target *target,
		       enum rs_fault_means means)
{
	return (fault->status == 0 || means == RS_FAULTS_ALL) &&
	       rs_scope_fits(&fault->scope, target);
}

struct rs_fault_strike rs_fault_next(const struct rs_rules *rules, const struct rs_target *target,
				     enum rs_fault_means means, uint64_t random)
{
	struct rs_fault_strike strike = { .fault = NULL };

	for (size_t i = 0; i < rules->fault_count; i++) {
		const struct rs_fault *fault = &rules->faults[i];
		bool by_chance = fault->probability < RS_CERTAIN ||
				 fault->delay_min_ns < fault->delay_max_ns;
		uint64_t drawn;

		if (!can_strike(fault, target, means) || !is_due(rules, fault, target))
			continue;
		drawn = by_chance ? chance(rules, i, target, random) : 0;
		if (!is_below(drawn, fault->probability))
			continue;
		strike.fault = fault;
		strike.delay_ns = delay_ns(fault, mix(drawn));
		break;
	}
	return strike;
}
