/* How often the program has waited with select() or pselect(), which is what it can do with the
 * descriptors that libcurl gives it. */
#ifndef RS_HOOKS_SELECTS_H
#define RS_HOOKS_SELECTS_H

/* In this thread. */
extern _Thread_local unsigned rs_selects
	__attribute__((tls_model("initial-exec"), visibility("hidden")));

#endif
