#include "hooks/dl.h"

#include <dlfcn.h>
#include <string.h>

#include "at_start.h"
#include "gnu.h"
#include "hooks/export.h"
#include "process.h"
#include "real.h"

#if RS_DL_HOOKS

/* Used by dl_entry.c alone. */
extern void *rs_dl_real_open, *rs_dl_real_sym;
RS_DATA_AT_START void *rs_dl_real_open __attribute__((visibility("hidden")));
RS_DATA_AT_START void *rs_dl_real_sym __attribute__((visibility("hidden")));
extern char rs_curl_stubs[] __attribute__((visibility("hidden")));
void *rs_dl_find_open(void);
void *rs_dl_find_sym(void);
void *rs_dl_curl_symbol(void *handle, const char *name);

void *rs_dl_find_open(void)
{
	rs_dl_real_open = rs_real_symbol("dlopen");
	return rs_dl_real_open;
}

void *rs_dl_find_sym(void)
{
	rs_dl_real_sym = rs_real_symbol("dlsym");
	return rs_dl_real_sym;
}

/* After, because what is unloaded may call libcurl to the last. */
RS_EXPORT int dlclose(void *handle)
{
	int result = rs_real_dlclose(handle);

	rs_real_curl_forget();
	return result;
}

#define NAME(name) "curl_" #name,
static const char hooked[][32] = { RS_CURL_HOOKS(NAME, NAME) };
#define HOOKED (sizeof(hooked) / sizeof(hooked[0]))

/* The hook for a function, bound to the libcurl that it is of; or the function itself. */
static void *bound(const char *name, void *function)
{
	int flavour;

	for (size_t i = 0; i < HOOKED; i++) {
		if (strcmp(hooked[i], name) != 0)
			continue;
		flavour = rs_real_flavour_of(function, name);
		if (flavour < 0 || flavour >= RS_BOUND_FLAVOURS)
			return function;
		return rs_curl_stubs + ((size_t)flavour * HOOKED + i) * RS_STUB_SIZE;
	}
	return function;
}

void *rs_dl_curl_symbol(void *handle, const char *name)
{
	void *function = rs_real_dlsym(handle, name);

	return function ? bound(name, function) : NULL;
}

#endif
