#include "cli/stats_print.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "cli/duration_text.h"
#include "cli/json.h"
#include "retry/decide.h"
#include "retry/ns.h"

#define SECOND_NS ((uint64_t)RS_NS_PER_S)

static int64_t waited_ns(const struct rs_counted *line)
{
	uint64_t ns = line->amounts.at[RS_COUNT_WAIT_NS];

	return ns < (uint64_t)RS_FOREVER ? (int64_t)ns : RS_FOREVER;
}

/* Calls that no rule had to decide. */
static const char *shown_rule(const struct rs_counted *line)
{
	return line->rule[0] ? line->rule : "-";
}

static int rule_width(const struct rs_counted *lines, size_t count)
{
	size_t width = sizeof("RULE") - 1;

	for (size_t i = 0; i < count; i++) {
		size_t len = strlen(shown_rule(&lines[i]));

		width = len > width ? len : width;
	}
	return (int)width;
}

void rs_stats_print_table(const struct rs_counted *lines, size_t count)
{
	int width = rule_width(lines, count);

	printf("%-8s %-*s %10s %10s %10s %10s %10s  %s\n", "CALL", width, "RULE", "CALLS",
	       "RETRIES", "RECOVERED", "EXHAUSTED", "REFUSED", "WAITED");
	for (size_t i = 0; i < count; i++) {
		const uint64_t *at = lines[i].amounts.at;

		printf("%-8s %-*s %10" PRIu64 " %10" PRIu64 " %10" PRIu64 " %10" PRIu64
		       " %10" PRIu64 "  %s\n",
		       rs_call_name(lines[i].call), width, shown_rule(&lines[i]),
		       at[RS_COUNT_CALLS], at[RS_COUNT_RETRIES], at[RS_COUNT_RECOVERED],
		       at[RS_COUNT_EXHAUSTED], at[RS_COUNT_QUOTA_REFUSED],
		       rs_duration_human(waited_ns(&lines[i]) / RS_NS_PER_MS * RS_NS_PER_MS).text);
	}
	if (count == 0)
		puts("nothing was counted yet");
}

static void print_line_json(const struct rs_counted *line)
{
	const uint64_t *at = line->amounts.at;

	printf("{\"call\":\"%s\",\"rule\":", rs_call_name(line->call));
	rs_json_text(line->rule[0] ? line->rule : NULL);
	printf(",\"calls\":%" PRIu64 ",\"retries\":%" PRIu64 ",\"recovered\":%" PRIu64
	       ",\"exhausted\":%" PRIu64 ",\"quota_refused\":%" PRIu64 ",\"wait_ms\":%s}",
	       at[RS_COUNT_CALLS], at[RS_COUNT_RETRIES], at[RS_COUNT_RECOVERED],
	       at[RS_COUNT_EXHAUSTED], at[RS_COUNT_QUOTA_REFUSED],
	       rs_duration_ms(waited_ns(line)).text);
}

void rs_stats_print_json(const char *file, const struct rs_counted *lines, size_t count)
{
	printf("{\"file\":");
	rs_json_text(file);
	printf(",\"counters\":[");
	for (size_t i = 0; i < count; i++) {
		if (i > 0)
			putchar(',');
		print_line_json(&lines[i]);
	}
	puts("]}");
}

/* ---- Prometheus ---- */

static const struct {
	enum rs_counter counter;
	const char *name;
	const char *help;
} metrics[] = {
	{ RS_COUNT_CALLS, "retryshim_calls_total",
	  "Calls, under the rule that decided their first attempt; no rule where none did." },
	{ RS_COUNT_RETRIES, "retryshim_retries_total", "Retries that were begun." },
	{ RS_COUNT_RECOVERED, "retryshim_recovered_total", "Calls that succeeded after retries." },
	{ RS_COUNT_EXHAUSTED, "retryshim_exhausted_total", "Calls that were given up." },
	{ RS_COUNT_QUOTA_REFUSED, "retryshim_quota_refused_total",
	  "Calls that were given up because the quota had too few tokens." },
	{ RS_COUNT_WAIT_NS, "retryshim_wait_seconds_total", "Time of the waits before retries." },
};

static void print_sample(const char *name, const struct rs_counted *line, enum rs_counter counter)
{
	uint64_t value = line->amounts.at[counter];

	/* No byte of a rule's name has to be escaped: shared/counters.h. */
	printf("%s{call=\"%s\",rule=\"%s\"} ", name, rs_call_name(line->call), line->rule);
	if (counter == RS_COUNT_WAIT_NS)
		printf("%" PRIu64 ".%09" PRIu64 "\n", value / SECOND_NS, value % SECOND_NS);
	else
		printf("%" PRIu64 "\n", value);
}

void rs_stats_print_prometheus(const struct rs_counted *lines, size_t count)
{
	for (size_t m = 0; m < sizeof(metrics) / sizeof(metrics[0]); m++) {
		printf("# HELP %s %s\n", metrics[m].name, metrics[m].help);
		printf("# TYPE %s counter\n", metrics[m].name);
		for (size_t i = 0; i < count; i++)
			print_sample(metrics[m].name, &lines[i], metrics[m].counter);
	}
}
