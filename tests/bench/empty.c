/* The least that a library which needs libc can be: what a start under ours is compared with. */
#include <stdlib.h>

const char *empty(void);

__attribute__((visibility("default"))) const char *empty(void)
{
	return getenv("EMPTY");
}
