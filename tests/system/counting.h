/*
 * Programs that count what they do in a file, and `retryshim stats`, which shows it.
 *
 * For cmocka programs.
 */
#ifndef TESTS_COUNTING_H
#define TESTS_COUNTING_H

#include "harness.h"

/* A path where nothing is yet, another one each time. */
const char *counters_path(void);

/* A rules file that has counters kept there: 503 and refused connections are retried twice, the
 * latter from a quota of 30. */
const char *counting_rules(const char *path);

/* `retryshim stats`; the option may be NULL. */
struct run counting_stats(const char *option, const char *path);

/* curl under the shim, whatever becomes of it. */
void counting_curl(const char *rules, const char *url);

/* One of each: a call that went well, one that recovered, one that got 503 to the end, one that was
 * refused to the end. */
void counting_some(const char *rules);

#endif
