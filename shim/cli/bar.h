/*
 * Bars in a terminal: a solid part up to one value, a light part up to another.
 */
#ifndef RS_CLI_BAR_H
#define RS_CLI_BAR_H

#include <stdbool.h>
#include <stdint.h>

struct rs_bar {
	int width;     /* columns for the largest value; 0: no bars */
	bool blocks;   /* block characters, which need UTF-8 */
	int64_t scale; /* the largest value */
};

/* What suits stdout, beside `used` columns of text: no bars unless it is a terminal with room. */
struct rs_bar rs_bar_for_stdout(int used, int64_t scale);

/* Draw on stdout, without a line end. 0 <= solid <= light <= scale. */
void rs_bar_draw(const struct rs_bar *bar, int64_t solid, int64_t light);

#endif
