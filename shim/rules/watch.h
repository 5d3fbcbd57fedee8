/*
 * Have the rules files changed, and are they whole?
 */
#ifndef RS_RULES_WATCH_H
#define RS_RULES_WATCH_H

#include <stdbool.h>
#include <stdint.h>

/* A number that is another one when one of the files (colon-separated) has changed, was replaced,
 * has appeared or has gone. Opens nothing. */
uint64_t rs_watch_sum(const char *paths);

/*
 * Does nobody have one of the files open to write it? Where the kernel does not tell us (the file
 * is another user's), one that was left alone for a second counts as whole.
 *
 * All signals have to wait meanwhile.
 */
bool rs_watch_at_rest(const char *paths);

#endif
