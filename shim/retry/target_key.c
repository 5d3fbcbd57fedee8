#include "retry/target_key.h"

#include <string.h>

#include "retry/ascii.h"

/* G. Fowler, L. C. Noll, P. Vo: FNV-1a, 64 bits: http://www.isthe.com/chongo/tech/comp/fnv/ */
#define FNV_BASIS UINT64_C(0xcbf29ce484222325)
#define FNV_PRIME UINT64_C(0x100000001b3)

static uint64_t add_byte(uint64_t hash, unsigned char byte)
{
	return (hash ^ byte) * FNV_PRIME;
}

static uint64_t add_bytes(uint64_t hash, const void *bytes, size_t len)
{
	const unsigned char *at = bytes;

	for (size_t i = 0; i < len; i++)
		hash = add_byte(hash, at[i]);
	return hash;
}

/* The low bits choose a place in a table: every bit of the hash shall count in them. The steps are
 * those of splitmix64 (S. Vigna). */
static uint64_t finish(uint64_t hash)
{
	hash = (hash ^ (hash >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	hash = (hash ^ (hash >> 27)) * UINT64_C(0x94d049bb133111eb);
	hash ^= hash >> 31;
	return hash ? hash : 1;
}

uint64_t rs_name_key(const char *name)
{
	return finish(add_bytes(FNV_BASIS, name, strlen(name)));
}

static uint64_t add_host(uint64_t hash, const struct rs_target *target)
{
	switch (target->address.family) {
	case RS_ADDRESS_NONE:
		for (size_t i = 0; i < target->host.len; i++)
			hash = add_byte(hash, (unsigned char)rs_ascii_lower(target->host.at[i]));
		return hash;
	case RS_ADDRESS_IPV4:
		return add_bytes(hash, target->address.ip, 4);
	case RS_ADDRESS_IPV6:
		return add_bytes(hash, target->address.ip, 16);
	case RS_ADDRESS_UNIX:
		break;
	}
	return add_bytes(hash, target->address.path.at, target->address.path.len);
}

uint64_t rs_target_key(const struct rs_target *target)
{
	uint64_t hash = FNV_BASIS;

	if (!target)
		return finish(hash);
	hash = add_byte(hash, (unsigned char)target->address.family);
	hash = add_host(hash, target);
	hash = add_byte(hash, (unsigned char)(target->port >> 8));
	return finish(add_byte(hash, (unsigned char)target->port));
}

uint64_t rs_key_of_both(uint64_t a, uint64_t b)
{
	return finish(a ^ (b << 1 | b >> 63));
}
