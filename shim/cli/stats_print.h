/*
 * Counters on stdout, for people and for programs.
 */
#ifndef RS_CLI_STATS_PRINT_H
#define RS_CLI_STATS_PRINT_H

#include <stddef.h>

#include "shared/counters.h"

void rs_stats_print_table(const struct rs_counted *lines, size_t count);

/* One object on one line, the keys of which are fixed. */
void rs_stats_print_json(const char *file, const struct rs_counted *lines, size_t count);

/* Prometheus' text format, version 0.0.4:
 * https://prometheus.io/docs/instrumenting/exposition_formats/ */
void rs_stats_print_prometheus(const struct rs_counted *lines, size_t count);

#endif
