#include "cli/bar.h"

#include <langinfo.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define LEAST_WIDTH   8
#define MOST_WIDTH    60
#define DEFAULT_WIDTH 80

static int terminal_columns(void)
{
	const char *columns = getenv("COLUMNS");
	long wanted = columns ? strtol(columns, NULL, 10) : 0;
	struct winsize size = { 0 };

	if (wanted > 0 && wanted < 10000)
		return (int)wanted;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
		return size.ws_col;
	return DEFAULT_WIDTH;
}

static bool terminal_is_utf8(void)
{
	return setlocale(LC_CTYPE, "") && strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

struct rs_bar rs_bar_for_stdout(int used, int64_t scale)
{
	struct rs_bar bar = { .scale = scale };
	int room;

	if (scale <= 0 || !isatty(STDOUT_FILENO))
		return bar;
	/* The last column stays free: some terminals break the line after it. */
	room = terminal_columns() - used - 1;
	if (room < LEAST_WIDTH)
		return bar;
	bar.width = room < MOST_WIDTH ? room : MOST_WIDTH;
	bar.blocks = terminal_is_utf8();
	return bar;
}

/* The length of `value` in eighths of a column; what is there at all shows. */
static int eighths(const struct rs_bar *bar, int64_t value)
{
	const unsigned __int128 whole = (unsigned __int128)value * (unsigned)bar->width * 8;

	return (int)((whole + (uint64_t)bar->scale - 1) / (uint64_t)bar->scale);
}

static void repeat(const char *cell, int count)
{
	for (int i = 0; i < count; i++)
		fputs(cell, stdout);
}

static void draw_blocks(int solid, int light)
{
	static const char *const parts[] = { "", "▏", "▎", "▍", "▌", "▋", "▊", "▉" };
	const int whole = solid / 8, begun = solid % 8 > 0;

	repeat("█", whole);
	fputs(parts[solid % 8], stdout);
	repeat("░", (light + 7) / 8 - whole - begun);
}

void rs_bar_draw(const struct rs_bar *bar, int64_t solid, int64_t light)
{
	int solid_eighths, light_eighths;

	if (bar->width == 0)
		return;
	solid_eighths = eighths(bar, solid);
	light_eighths = eighths(bar, light);
	if (bar->blocks) {
		draw_blocks(solid_eighths, light_eighths);
		return;
	}
	solid_eighths = (solid_eighths + 7) / 8;
	light_eighths = (light_eighths + 7) / 8;
	repeat("#", solid_eighths);
	repeat("-", light_eighths - solid_eighths);
}
