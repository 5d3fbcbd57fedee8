#include "contention.h"

void write_table(FILE *to, struct result results[POINTS][STRATEGIES], const int *clients, int count)
{
	fputs("| clients | |", to);
	for (int s = 0; s < STRATEGIES; s++)
		fprintf(to, " %s |", strategy_names[s]);
	fputs("\n| ---: | --- |", to);
	for (int s = 0; s < STRATEGIES; s++)
		fputs(" ---: |", to);
	for (int i = 0; i < count; i++) {
		const struct result *row = results[clients[i] / 10 - 1];

		fprintf(to, "\n| %d | calls |", clients[i]);
		for (int s = 0; s < STRATEGIES; s++)
			fprintf(to, " %.0f |", row[s].calls);
		fputs("\n| | completion, ms |", to);
		for (int s = 0; s < STRATEGIES; s++)
			fprintf(to, " %.0f |", row[s].end_ms);
	}
	fputc('\n', to);
}

/* ---- the plot ---- */

#define WIDTH  360
#define HEIGHT 240

static const char *const colours[STRATEGIES] = { "#888888", "#d95f02", "#1b9e77", "#7570b3",
						 "#e7298a" };

/* What a panel shows: calls, linear, or the time, by powers of ten. */
struct panel {
	const char *title;
	int left;
	double (*height)(const struct result *result); /* 0 … 1 */
	double marks[4];
	double (*mark)(double value);
};

static double calls_mark(double calls)
{
	return calls / 2500;
}

static double calls_height(const struct result *result)
{
	return calls_mark(result->calls);
}

/* log10(ms / 100) / 3, without a library: powers of ten, and straight lines between them. */
static double time_mark(double ms)
{
	double floor = 100;
	int power = 0;

	while (ms >= floor * 10) {
		floor *= 10;
		power++;
	}
	/* log10(x) for 1 <= x < 10, to 0.001: an even series in (x - r) / (x + r), r = sqrt(10) */
	{
		double x = ms / floor, r = 3.16227766, t = (x - r) / (x + r), t2 = t * t;

		return (power + 0.5 +
			0.8685889638 * t * (1 + t2 / 3 + t2 * t2 / 5 + t2 * t2 * t2 / 7)) /
		       3;
	}
}

static double time_height(const struct result *result)
{
	return time_mark(result->end_ms);
}

static double y_of(double height)
{
	return 60 + HEIGHT * (1 - height);
}

static void write_axes(FILE *to, const struct panel *panel)
{
	fprintf(to, "<text x=\"%d\" y=\"40\" class=\"title\">%s</text>\n", panel->left,
		panel->title);
	for (int i = 0; i < 4; i++) {
		double y = y_of(panel->mark(panel->marks[i]));

		fprintf(to, "<path d=\"M%d %.1fh%d\" class=\"grid\"/>", panel->left, y, WIDTH);
		fprintf(to, "<text x=\"%d\" y=\"%.1f\" class=\"y\">%.0f</text>\n", panel->left - 6,
			y + 4, panel->marks[i]);
	}
	for (int n = 0; n <= 100; n += 20)
		fprintf(to, "<text x=\"%.1f\" y=\"%d\" class=\"x\">%d</text>\n",
			panel->left + WIDTH * n / 100.0, 60 + HEIGHT + 18, n);
}

static void write_panel(FILE *to, const struct panel *panel,
			struct result results[POINTS][STRATEGIES])
{
	write_axes(to, panel);
	for (int s = 0; s < STRATEGIES; s++) {
		fprintf(to, "<polyline fill=\"none\" stroke-width=\"2\" stroke=\"%s\" points=\"",
			colours[s]);
		for (int i = 0; i < POINTS; i++)
			fprintf(to, "%.1f,%.1f ", panel->left + WIDTH * (i + 1) / 10.0,
				y_of(panel->height(&results[i][s])));
		fputs("\"/>\n", to);
	}
}

void write_plot(FILE *to, struct result results[POINTS][STRATEGIES])
{
	static const struct panel panels[] = {
		{ "calls of all clients", 60, calls_height, { 0, 500, 1500, 2500 }, calls_mark },
		{ "completion time, ms",
		  500,
		  time_height,
		  { 100, 1000, 10000, 100000 },
		  time_mark },
	};

	fputs("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 880 370\" "
	      "font-family=\"sans-serif\" font-size=\"12\">\n"
	      "<style>.title{font-size:14px}.y{text-anchor:end}.x{text-anchor:middle}"
	      ".grid{stroke:#dddddd}</style>\n"
	      "<rect width=\"880\" height=\"370\" fill=\"white\"/>\n",
	      to);
	for (int i = 0; i < 2; i++)
		write_panel(to, &panels[i], results);
	for (int s = 0; s < STRATEGIES; s++) {
		fprintf(to, "<path d=\"M%d 348h24\" stroke=\"%s\" stroke-width=\"2\"/>",
			60 + 130 * s, colours[s]);
		fprintf(to, "<text x=\"%d\" y=\"352\">%s</text>\n", 90 + 130 * s,
			strategy_names[s]);
	}
	fputs("<text x=\"860\" y=\"352\" class=\"y\">by number of clients</text>\n</svg>\n", to);
}
