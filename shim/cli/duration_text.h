/*
 * Durations as people read them. Pure.
 */
#ifndef RS_CLI_DURATION_TEXT_H
#define RS_CLI_DURATION_TEXT_H

#include <stdint.h>

/* Long enough for each of the forms. */
struct rs_duration_text {
	char text[48];
};

/* One unit: "250 ms" below a second, else "39366 s", at most three decimals, but below a
 * microsecond all; "forever". */
struct rs_duration_text rs_duration_plain(int64_t ns);

/* "16 h 24 m 8 s"; the same as rs_duration_plain() below a minute. Days are the largest unit. */
struct rs_duration_text rs_duration_human(int64_t ns);

/* A number of milliseconds for JSON, exact: "250", "0.5", "0.000001". */
struct rs_duration_text rs_duration_ms(int64_t ns);

/* A number that is kept in millionths, exact: "1.234567". */
struct rs_duration_text rs_millionths(int64_t value);

#endif
