/*
 * What plugin_scarce.c offers to the program that it is preloaded into, by dlsym(RTLD_DEFAULT):
 * memory, descriptors and processes that are refused to the library under test, and to nobody else.
 *
 * Everything is shared with the children of a fork, and counts them in.
 */
#ifndef TESTS_SCARCE_H
#define TESTS_SCARCE_H

#include <stdbool.h>

/* From now on the n-th thing (from 1) that is asked for is refused, and with `ever_after` all later
 * ones; 0: none. */
typedef void scarce_arm(long n, bool ever_after);

/* From now on everything is granted, and not counted. */
typedef void scarce_end(void);

/* How many things have been asked for between the two. */
typedef long scarce_asked(void);

/* Pieces of memory that the library holds now, in the calling process. */
typedef long scarce_held(void);

#endif
