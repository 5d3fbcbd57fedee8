#include "next_symbol.h"

#include <link.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __GLIBC__

/* The ELF gABI's tables, and the hash table of the GNU linkers (DT_GNU_HASH). */

#define HIDDEN_VERSION 0x8000
#define GOT_NEAR       0x10000

/* glibc leaves what it knows of an object in the second entry of the table through which the
 * object's calls are bound when they are first made. */
static const struct link_map *ourselves(void)
{
	for (const ElfW(Dyn) *d = _DYNAMIC; d->d_tag != DT_NULL; d++) {
		const struct link_map *const *table = (void *)d->d_un.d_ptr;

		if (d->d_tag != DT_PLTGOT)
			continue;
		if ((uintptr_t)table - (uintptr_t)_DYNAMIC >= GOT_NEAR || !table[1])
			return NULL;
		return table[1]->l_ld == _DYNAMIC ? table[1] : NULL;
	}
	return NULL;
}

bool rs_next_symbol_possible(void)
{
	return ourselves() != NULL;
}

struct tables {
	const ElfW(Sym) * symbols;
	const char *strings;
	const uint32_t *hash;
	const uint16_t *versions;
	ElfW(Addr) base;
};

/* glibc relocates the pointers in place, except where the section is read-only. */
static const void *at(const struct link_map *map, const ElfW(Dyn) * d)
{
	return (const void *)(d->d_un.d_ptr < map->l_addr ? map->l_addr + d->d_un.d_ptr
							  : d->d_un.d_ptr);
}

static bool read_tables(const struct link_map *map, struct tables *tables)
{
	*tables = (struct tables){ .base = map->l_addr };
	for (const ElfW(Dyn) *d = map->l_ld; d->d_tag != DT_NULL; d++) {
		switch (d->d_tag) {
		case DT_SYMTAB:
			tables->symbols = at(map, d);
			break;
		case DT_STRTAB:
			tables->strings = at(map, d);
			break;
		case DT_GNU_HASH:
			tables->hash = at(map, d);
			break;
		case DT_VERSYM:
			tables->versions = at(map, d);
			break;
		default:
			break;
		}
	}
	return tables->symbols && tables->strings && tables->hash;
}

static uint32_t hash_of(const char *name)
{
	uint32_t hash = 5381;

	for (; *name; name++)
		hash = hash * 33 + (uint8_t)*name;
	return hash;
}

static bool same(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return *a == *b;
}

/* Defined, seen from outside, and not an older version that new programs are not given. */
static bool is_offered(const struct tables *tables, uint32_t index)
{
	const ElfW(Sym) *symbol = &tables->symbols[index];
	unsigned binding = ELF64_ST_BIND(symbol->st_info);

	return symbol->st_shndx != SHN_UNDEF && symbol->st_value != 0 &&
	       (binding == STB_GLOBAL || binding == STB_WEAK) &&
	       !(tables->versions && (tables->versions[index] & HIDDEN_VERSION));
}

/* The number of the symbol, or 0. */
static uint32_t find(const struct tables *tables, const char *name, uint32_t hash)
{
	const uint32_t bucket_count = tables->hash[0], first = tables->hash[1];
	const uint32_t filter_count = tables->hash[2], shift = tables->hash[3];
	const ElfW(Addr) *filter = (const void *)(tables->hash + 4);
	const uint32_t *buckets = (const void *)(filter + filter_count);
	const uint32_t *chains = buckets + bucket_count;
	const unsigned bits = sizeof(*filter) * 8;
	ElfW(Addr) word = filter[hash / bits & (filter_count - 1)];
	uint32_t index = buckets[hash % bucket_count];

	if ((word >> hash % bits & word >> (hash >> shift) % bits & 1) == 0 || index < first)
		return 0;
	for (;; index++) {
		uint32_t entry = chains[index - first];

		if ((entry | 1) == (hash | 1) &&
		    same(tables->strings + tables->symbols[index].st_name, name) &&
		    is_offered(tables, index))
			return index;
		if (entry & 1)
			return 0;
	}
}

/* A function that chooses the function (STT_GNU_IFUNC) is the linker's to ask. */
static void *address_of(const struct tables *tables, uint32_t index)
{
	const ElfW(Sym) *symbol = &tables->symbols[index];

	if (ELF64_ST_TYPE(symbol->st_info) != STT_FUNC &&
	    ELF64_ST_TYPE(symbol->st_info) != STT_OBJECT)
		return NULL;
	return (void *)(tables->base + symbol->st_value);
}

void *rs_next_symbol(const char *name)
{
	const struct link_map *map = ourselves();
	uint32_t hash = hash_of(name);

	for (map = map ? map->l_next : NULL; map; map = map->l_next) {
		struct tables tables;
		uint32_t index;

		/* One with tables of another kind may have it, too. */
		if (!read_tables(map, &tables) || tables.hash[0] == 0)
			return NULL;
		index = find(&tables, name, hash);
		if (index)
			return address_of(&tables, index);
	}
	return NULL;
}

#else /* nothing is known of where another linker keeps its list */

bool rs_next_symbol_possible(void)
{
	return false;
}

void *rs_next_symbol(const char *name)
{
	(void)name;
	return NULL;
}

#endif
