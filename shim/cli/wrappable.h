/*
 * Will the dynamic linker take the shim into this program?
 */
#ifndef RS_CLI_WRAPPABLE_H
#define RS_CLI_WRAPPABLE_H

#include <stdbool.h>

struct rs_wrappable {
	const char *why_not; /* NULL: it will; else a phrase for "cannot be wrapped: …" */
	bool refuses;        /* its linker would complain of the shim, or not start */
};

/*
 * Look at `program`, a path or a name to be searched in PATH as execvp(3) does; a script is judged
 * by its interpreter. What cannot be found or read counts as wrappable: exec will say what is
 * wrong with it.
 */
struct rs_wrappable rs_wrappable(const char *program);

#endif
