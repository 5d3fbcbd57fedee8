/* Everything is hidden but what stands in symbols.map; both say so. */
#ifndef RS_HOOKS_EXPORT_H
#define RS_HOOKS_EXPORT_H

#define RS_EXPORT __attribute__((visibility("default")))

/*
 * The caller of a hook, to find its libcurl by: the return address; or, where the hook was fetched
 * with dlsym(), a token for the libcurl that it was fetched from. Taken once, at the hook's entry.
 */
#define RS_CALLER rs_take_caller(__builtin_return_address(0))

/* A second, hidden name for the hook, which the entry points behind dlsym() jump to. */
#define RS_BINDABLE(function)                                                                      \
	extern __typeof__(function) rs_hook_##function                                             \
		__attribute__((alias(#function), visibility("hidden"), used))

/* Or a function of its own, to be defined: then what is called without dlsym() looks for no token.
 */
#define RS_BEHIND_DLSYM(function)                                                                  \
	extern __typeof__(function) rs_hook_##function __attribute__((visibility("hidden"), used))

#endif
