#include "gnu.h"

#include <dlfcn.h>
#include <link.h>

/* In <link.h> with glibc 2.35 and later. */
#ifdef DLFO_STRUCT_HAS_EH_DBASE

struct link_map *rs_object_of(const void *address)
{
	struct dl_find_object found;

	return _dl_find_object((void *)address, &found) == 0 ? found.dlfo_link_map : NULL;
}

#elif defined(__GLIBC__)

struct link_map *rs_object_of(const void *address)
{
	struct link_map *map = NULL;
	Dl_info info;

	return dladdr1(address, &info, (void **)&map, RTLD_DL_LINKMAP) ? map : NULL;
}

#else

/* musl's list only ever grows, at its end; a name in it is the very one that dladdr() gives. */
struct link_map *rs_object_of(const void *address)
{
	struct link_map *map = NULL;
	void *program;
	Dl_info info;

	if (!dladdr(address, &info))
		return NULL;
	program = dlopen(NULL, RTLD_LAZY);
	if (!program || dlinfo(program, RTLD_DI_LINKMAP, &map) != 0)
		return NULL;
	while (map && map->l_name != info.dli_fname)
		map = map->l_next;
	return map;
}

#endif
