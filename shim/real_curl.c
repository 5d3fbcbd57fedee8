#include "at_start.h"
#include "real.h"

#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "gnu.h"

/* Two flavours in one process is usual at most (Debian ships three); a fourth and fifth is spare.
 */
#define FLAVOURS    16
#define CALLERS     256 /* power of two; call sites in a program that use libcurl are few */
#define PROBES      8
#define SEARCH_DEEP 4

/* A flavour, and what callers are told of it: as the program sees it, and as it sees itself. */
struct flavour {
	_Atomic(void *) library; /* its handle from dlopen(); NULL until the rest is filled in */
	struct rs_curl_api api;
	struct rs_curl_caller answers[2];
};

struct caller {
	_Atomic(const void *) address;
	_Atomic(const struct rs_curl_caller *) found;
};

static struct flavour flavours[FLAVOURS];
const char rs_flavour_tokens[FLAVOURS];
_Thread_local const void *rs_curl_bound;
_Thread_local const struct rs_curl_api *rs_curl_inside;
RS_DATA_AT_START static _Atomic size_t flavours_taken;
static struct caller callers[CALLERS];

static bool names_libcurl(const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *base = slash ? slash + 1 : path;

	return strncmp(base, "libcurl.so", 10) == 0 ||
	       (strncmp(base, "libcurl-", 8) == 0 && strstr(base, ".so") != NULL);
}

/* The string table of a loaded object, or NULL. glibc relocates the pointer in place, except on
 * machines where the dynamic section is read-only; there it is an offset. */
static const char *string_table(const struct link_map *map)
{
	for (const ElfW(Dyn) *d = map->l_ld; d->d_tag != DT_NULL; d++) {
		if (d->d_tag != DT_STRTAB)
			continue;
		if (d->d_un.d_ptr < map->l_addr)
			return (const char *)(map->l_addr + d->d_un.d_ptr);
		return (const char *)d->d_un.d_ptr;
	}
	return NULL;
}

/* A handle for the loaded library called `name`, without loading anything. It is kept: that the
 * library stays while its functions are cached is what the handle is for. */
static void *loaded(const char *name)
{
	return dlopen(name, RTLD_LAZY | RTLD_NOLOAD);
}

/* Breadth first through what `map` was linked with: the libcurl it names itself comes first. */
static void *libcurl_needed_by(const struct link_map *map, int depth)
{
	const char *strings = string_table(map);
	void *found = NULL;

	if (!strings)
		return NULL;
	for (const ElfW(Dyn) *d = map->l_ld; d->d_tag != DT_NULL && !found; d++) {
		if (d->d_tag == DT_NEEDED && names_libcurl(strings + d->d_un.d_val))
			found = loaded(strings + d->d_un.d_val);
	}
	for (const ElfW(Dyn) *d = map->l_ld; d->d_tag != DT_NULL && !found && depth > 0; d++) {
		struct link_map *needed = NULL;
		void *handle;

		if (d->d_tag != DT_NEEDED)
			continue;
		handle = loaded(strings + d->d_un.d_val);
		if (handle && dlinfo(handle, RTLD_DI_LINKMAP, &needed) == 0)
			found = libcurl_needed_by(needed, depth - 1);
		if (handle)
			rs_real_dlclose(handle);
	}
	return found;
}

/* The libcurl after us in the search order, for callers that name none themselves. */
static void *next_libcurl(void)
{
	void *symbol = rs_real_dlsym(RTLD_NEXT, "curl_easy_perform");
	const struct link_map *map = symbol ? rs_object_of(symbol) : NULL;

	return map ? loaded(map->l_name) : NULL;
}

static void *libcurl_of(const void *caller, bool *is_itself)
{
	const struct link_map *map = rs_object_of(caller);
	void *library = NULL;

	*is_itself = false;
	if (map) {
		*is_itself = names_libcurl(map->l_name);
		library = *is_itself ? loaded(map->l_name) : libcurl_needed_by(map, SEARCH_DEEP);
	}
	return library ? library : next_libcurl();
}

/* ISO C has no cast from object to function pointer; POSIX asks for their equal representation. */
static void look_up(void *library, const char *name, void *function_pointer)
{
	void *symbol = rs_real_dlsym(library, name);

	memcpy(function_pointer, &symbol, sizeof(symbol));
}

struct extent {
	const struct link_map *map;
	uintptr_t end;
};

static int find_extent(struct dl_phdr_info *info, size_t size, void *arg)
{
	struct extent *extent = arg;

	(void)size;
	if (info->dlpi_addr != extent->map->l_addr ||
	    strcmp(info->dlpi_name, extent->map->l_name) != 0)
		return 0;
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *part = &info->dlpi_phdr[i];
		uintptr_t end = info->dlpi_addr + part->p_vaddr + part->p_memsz;

		if (part->p_type == PT_LOAD && end > extent->end)
			extent->end = end;
	}
	return 1;
}

static void find_place(struct rs_curl_api *api, void *library)
{
	struct link_map *map = NULL;
	struct extent extent = { 0 };

	if (dlinfo(library, RTLD_DI_LINKMAP, &map) != 0)
		return;
	extent.map = map;
	dl_iterate_phdr(find_extent, &extent);
	api->loaded_at = map->l_addr;
	api->loaded_len = extent.end > map->l_addr ? extent.end - map->l_addr : 0;
}

static unsigned version_of(void *library)
{
	curl_version_info_data *(*version_info)(CURLversion);
	const curl_version_info_data *info;

	look_up(library, "curl_version_info", &version_info);
	info = version_info ? version_info(CURLVERSION_FIRST) : NULL;
	return info ? info->version_num : 0;
}

static void fill(struct rs_curl_api *api, void *library)
{
	api->version = version_of(library);
	find_place(api, library);
	look_up(library, "curl_easy_init", &api->easy_init);
	look_up(library, "curl_easy_setopt", &api->easy_setopt);
	look_up(library, "curl_easy_perform", &api->easy_perform);
	look_up(library, "curl_easy_cleanup", &api->easy_cleanup);
	look_up(library, "curl_easy_reset", &api->easy_reset);
	look_up(library, "curl_easy_duphandle", &api->easy_duphandle);
	look_up(library, "curl_easy_pause", &api->easy_pause);
	look_up(library, "curl_easy_getinfo", &api->easy_getinfo);
	look_up(library, "curl_easy_strerror", &api->easy_strerror);
	look_up(library, "curl_easy_header", &api->easy_header);
	look_up(library, "curl_easy_nextheader", &api->easy_nextheader);
	look_up(library, "curl_multi_add_handle", &api->multi_add_handle);
	look_up(library, "curl_multi_remove_handle", &api->multi_remove_handle);
	look_up(library, "curl_multi_perform", &api->multi_perform);
	look_up(library, "curl_multi_info_read", &api->multi_info_read);
	look_up(library, "curl_multi_wait", &api->multi_wait);
	look_up(library, "curl_multi_poll", &api->multi_poll);
	look_up(library, "curl_multi_timeout", &api->multi_timeout);
	look_up(library, "curl_multi_fdset", &api->multi_fdset);
	look_up(library, "curl_multi_socket_action", &api->multi_socket_action);
	look_up(library, "curl_multi_socket_all", &api->multi_socket_all);
	look_up(library, "curl_multi_setopt", &api->multi_setopt);
	look_up(library, "curl_multi_cleanup", &api->multi_cleanup);
	look_up(library, "curl_mime_data_cb", &api->mime_data_cb);
	look_up(library, "curl_mime_filedata", &api->mime_filedata);
	look_up(library, "curl_url_get", &api->url_get);
	look_up(library, "curl_free", &api->free);
	api->complete = api->easy_perform && api->easy_setopt && api->easy_getinfo;
	api->tells_headers = api->easy_header && api->easy_nextheader;
}

static const struct rs_curl_caller *known_flavour(const void *library, bool is_itself)
{
	for (size_t i = 0; i < FLAVOURS; i++) {
		if (atomic_load_explicit(&flavours[i].library, memory_order_acquire) == library)
			return &flavours[i].answers[is_itself];
	}
	return NULL;
}

/* Threads that come at the same time may fill a place each; nobody waits, and either serves. */
static const struct rs_curl_caller *new_flavour(void *library, bool is_itself)
{
	size_t place = atomic_fetch_add(&flavours_taken, 1);
	struct flavour *f;

	if (place >= FLAVOURS)
		return NULL;
	f = &flavours[place];
	fill(&f->api, library);
	f->answers[false] = (struct rs_curl_caller){ &f->api, false };
	f->answers[true] = (struct rs_curl_caller){ &f->api, true };
	atomic_store_explicit(&f->library, library, memory_order_release);
	return &f->answers[is_itself];
}

static const struct rs_curl_caller *flavour_of(void *library, bool is_itself)
{
	const struct rs_curl_caller *known = known_flavour(library, is_itself);

	return known ? known : new_flavour(library, is_itself);
}

static const struct rs_curl_caller *find(const void *caller)
{
	int saved_errno = errno;
	bool is_itself;
	void *library = libcurl_of(caller, &is_itself);
	const struct rs_curl_caller *found = library ? flavour_of(library, is_itself) : NULL;

	errno = saved_errno;
	return found;
}

static size_t slot_of(const void *address)
{
	return (size_t)(((uintptr_t)address * UINT64_C(0x9E3779B97F4A7C15)) >> 40) & (CALLERS - 1);
}

static void remember(const void *caller, const struct rs_curl_caller *found)
{
	size_t slot = slot_of(caller);

	for (size_t i = 0; i < PROBES; i++) {
		struct caller *c = &callers[(slot + i) & (CALLERS - 1)];
		const void *vacant = NULL;

		if (atomic_compare_exchange_strong(&c->address, &vacant, caller) ||
		    vacant == caller) {
			atomic_store_explicit(&c->found, found, memory_order_release);
			return;
		}
	}
}

/* The addresses keep their places: a reader never meets another one's answer. */
void rs_real_curl_forget(void)
{
	for (size_t i = 0; i < CALLERS; i++) {
		if (atomic_load_explicit(&callers[i].found, memory_order_relaxed))
			atomic_store_explicit(&callers[i].found, NULL, memory_order_relaxed);
	}
}

__attribute__((noinline)) static const struct rs_curl_caller *find_and_remember(const void *caller)
{
	const struct rs_curl_caller *found = find(caller);

	if (found)
		remember(caller, found);
	return found;
}

const struct rs_curl_caller *rs_real_curl(const void *caller)
{
	size_t slot = slot_of(caller);
	const struct rs_curl_caller *found;

	if ((uintptr_t)caller - (uintptr_t)rs_flavour_tokens < FLAVOURS)
		return &flavours[(const char *)caller - rs_flavour_tokens].answers[false];
	for (size_t i = 0; i < PROBES; i++) {
		struct caller *c = &callers[(slot + i) & (CALLERS - 1)];

		if (atomic_load_explicit(&c->address, memory_order_relaxed) != caller)
			continue;
		found = atomic_load_explicit(&c->found, memory_order_acquire);
		if (found)
			return found;
	}
	return find_and_remember(caller);
}

/* The last of the program's own callers, as most are: unlike a library it is never unloaded. */
static _Atomic(const void *) own_caller;

__attribute__((noinline)) static bool look_at_caller(const void *caller)
{
	const struct link_map *map = rs_object_of(caller);

	if (!map || !map->l_name)
		return false;
	/* The program itself has no name. */
	if (map->l_name[0] == '\0')
		atomic_store_explicit(&own_caller, caller, memory_order_relaxed);
	return names_libcurl(map->l_name);
}

bool rs_is_libcurl(const void *caller)
{
	return caller != atomic_load_explicit(&own_caller, memory_order_relaxed) &&
	       look_at_caller(caller);
}

int rs_real_flavour_of(const void *function, const char *name)
{
	const struct link_map *map = rs_object_of(function);
	const struct rs_curl_caller *found;
	void *library;

	if (!map || !names_libcurl(map->l_name))
		return -1;
	library = loaded(map->l_name);
	if (!library || rs_real_dlsym(library, name) != function)
		return -1;
	found = flavour_of(library, false);
	for (int i = 0; found && i < FLAVOURS; i++) {
		if (found == &flavours[i].answers[false])
			return i;
	}
	return -1;
}
