#include "retry/fault.h"

#include <string.h>

#include "retry/match.h"

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
	hash = mix(hash ^ ((uint64_t)target->call << 32 | target->port));
	hash = hash_span(hash, target->host);
	if (target->address.family == RS_ADDRESS_UNIX)
		return hash_span(hash, target->address.path);
	return hash_bytes(hash, target->address.ip, sizeof(target->address.ip));
}

static uint64_t hash_request(uint64_t hash, const struct rs_target *target)
{
	return hash_span(hash_span(hash, target->method), target->url);
}

/* How often this was called with that key before. */
static uint32_t count(struct rs_fault_counts *counts, uint64_t key)
{
	size_t start = (size_t)(key % RS_FAULT_PLACES);

	key |= 1; /* 0 is a free place */
	for (size_t i = 0; i < RS_FAULT_PLACES; i++) {
		size_t place = (start + i) % RS_FAULT_PLACES;
		uint64_t vacant = 0;

		if (atomic_compare_exchange_strong(&counts->places[place].key, &vacant, key) ||
		    vacant == key)
			return atomic_fetch_add(&counts->places[place].count, 1);
	}
	return atomic_fetch_add(&counts->others, 1);
}

/* A number of its own for each fault, and for each thing of it that is counted. */
enum counted {
	COUNT_PEER,
	COUNT_ALL,
	COUNT_REQUEST,
};

static uint64_t key_of(size_t index, enum counted what)
{
	return mix((uint64_t)index * 4 + what);
}

/* Uniform over uint64_t. */
static uint64_t chance(const struct rs_rules *rules, size_t index, const struct rs_target *target,
		       uint64_t random)
{
	uint64_t key;

	if (!rules->settings.has_seed)
		return mix(random + index);
	key = hash_request(hash_peer(key_of(index, COUNT_REQUEST), target), target);
	return mix(mix(rules->settings.seed ^ key) + count(rules->fault_counts, key));
}

/* x < limit / 1,000,000 of the whole, without division. */
static bool is_below(uint64_t x, int32_t millionths)
{
	return (uint64_t)((unsigned __int128)x * RS_CERTAIN >> 64) < (uint64_t)millionths;
}

static bool is_due(const struct rs_rules *rules, size_t index, const struct rs_target *target)
{
	const struct rs_fault *fault = &rules->faults[index];
	struct rs_fault_counts *counts = rules->fault_counts;

	if (fault->first != RS_NO_FIRST &&
	    count(counts, hash_peer(key_of(index, COUNT_PEER), target)) >= (uint32_t)fault->first)
		return false;
	return fault->every <= 1 ||
	       (count(counts, key_of(index, COUNT_ALL)) + 1) % (uint32_t)fault->every == 0;
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

		if (!can_strike(fault, target, means) || !is_due(rules, i, target))
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
