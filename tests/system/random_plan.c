#include "random_plan.h"

uint64_t plan_random(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15U;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9U;
	z = (z ^ z >> 27) * 0x94d049bb133111ebU;
	return z ^ z >> 31;
}

uint64_t plan_state(uint64_t seed, uint64_t number)
{
	uint64_t state = seed * 0x9e3779b97f4a7c15U + number;

	return plan_random(&state);
}

size_t plan_size(uint64_t *state)
{
	static const size_t limits[] = { 2, 100, 5000, 5000, 70000, 70000, 300000, 300000 };
	uint64_t kind = plan_random(state) % 100;
	size_t limit = kind == 0 ? PLAN_LARGEST + 1 : limits[kind % 8];

	return plan_random(state) % limit;
}

size_t plan_offset(uint64_t id)
{
	return plan_state(1, id) % 65536;
}
