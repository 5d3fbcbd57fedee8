#include <dlfcn.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>

#include "at_start.h"
#include "gnu.h"
#include "next_symbol.h"
#include "real.h"

#if RS_DL_HOOKS

unsigned rs_dl_open_mask = ~(unsigned)RTLD_DEEPBIND;

/* The versions that the functions looked up here have had; the oldest is still there. */
#if defined(__x86_64__)
static const char versions[][12] = { "GLIBC_2.2.5", "GLIBC_2.34" };
#else
static const char versions[][12] = { "GLIBC_2.17", "GLIBC_2.34" };
#endif

/* dlsym() is a hook of ours where dlvsym() can go round it. */
void *rs_real_symbol(const char *name)
{
	void *found = rs_next_symbol(name);

	for (size_t i = 0; i < sizeof(versions) / sizeof(versions[0]) && !found; i++)
		found = dlvsym(RTLD_NEXT, name, versions[i]);
	return found;
}

void *rs_real_dlsym(void *handle, const char *name)
{
	RS_DATA_AT_START static _Atomic(void *) real;
	void *(*call)(void *, const char *);
	void *found = atomic_load_explicit(&real, memory_order_relaxed);

	if (!found) {
		found = rs_real_symbol("dlsym");
		atomic_store_explicit(&real, found, memory_order_relaxed);
	}
	memcpy(&call, &found, sizeof(call));
	return call ? call(handle, name) : NULL;
}

int rs_real_dlclose(void *handle)
{
	static _Atomic(void *) real;
	int (*call)(void *);
	void *found = atomic_load_explicit(&real, memory_order_relaxed);

	if (!found) {
		found = rs_real_symbol("dlclose");
		atomic_store_explicit(&real, found, memory_order_relaxed);
	}
	memcpy(&call, &found, sizeof(call));
	return call ? call(handle) : -1;
}

#else

unsigned rs_dl_open_mask = ~0U; /* dlopen() is no hook: nothing looks at it */

void *rs_real_symbol(const char *name)
{
	return dlsym(RTLD_NEXT, name);
}

void *rs_real_dlsym(void *handle, const char *name)
{
	return dlsym(handle, name);
}

int rs_real_dlclose(void *handle)
{
	return dlclose(handle);
}

#endif
