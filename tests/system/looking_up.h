/*
 * Programs whose name look-ups end as a script says.
 */
#ifndef TESTS_LOOKING_UP_H
#define TESTS_LOOKING_UP_H

#include "harness.h"

/* `argv` under the shim, with the rules in this file (NULL: the built-in ones), logging at info;
 * its look-ups end as $LOOKUPS in plugin_lookups.c says. One at a time. */
struct program looking_up(const char *rules, const char *lookups, const char *const *argv);

/* The helper `lookup`, which looks "service.test" up with this function, so many times. */
struct child *start_look_up(const char *rules, const char *lookups, const char *function,
			    const char *times);
struct run look_up(const char *rules, const char *lookups, const char *function, const char *times);

#endif
