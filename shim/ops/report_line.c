#include "ops/report.h"

#include <string.h>

#include "ops/target_text.h"
#include "retry/ns.h"

void rs_history_add(struct rs_history *history, const struct rs_cause *cause, int64_t wait_ns)
{
	int32_t at = history->count < RS_HISTORY_MOST ? history->count : RS_HISTORY_MOST - 1;

	history->at[at].cause = *cause;
	history->at[at].wait_ns = wait_ns;
	if (history->count < INT32_MAX)
		history->count++;
}

void rs_history_no_wait(struct rs_history *history)
{
	int32_t at = history->count < RS_HISTORY_MOST ? history->count : RS_HISTORY_MOST;

	if (at > 0)
		history->at[at - 1].wait_ns = 0;
}

static void put_key(struct rs_line *line, const char *key)
{
	rs_line_text(line, line->len > 1 && line->text[line->len - 1] != '{' ? ",\"" : "\"");
	rs_line_text(line, key);
	rs_line_text(line, "\":");
}

static void put_span(struct rs_line *line, const char *key, struct rs_span value)
{
	put_key(line, key);
	rs_line_text(line, "\"");
	rs_line_escaped(line, value);
	rs_line_text(line, "\"");
}

static void put_text(struct rs_line *line, const char *key, const char *value)
{
	put_span(line, key, (struct rs_span){ value, strlen(value) });
}

static void put_int(struct rs_line *line, const char *key, int64_t value)
{
	put_key(line, key);
	rs_line_int(line, value);
}

static void put_digits(char *to, int64_t value, int digits)
{
	while (digits-- > 0) {
		to[digits] = (char)('0' + value % 10);
		value /= 10;
	}
}

/* RFC 3339, UTC. By hand: gmtime(3) takes a lock. The date as in Howard Hinnant, "chrono-Compatible
 * Low-Level Date Algorithms", civil_from_days: years begin in March. */
static void put_time(struct rs_line *line, int64_t wall_ns)
{
	char text[] = "0000-00-00T00:00:00.000Z";
	int64_t ms = wall_ns / RS_NS_PER_MS, seconds = ms / 1000;
	int64_t days = seconds / 86400 + 719468, era = days / 146097, day_of_era = days % 146097;
	int64_t year =
		(day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
	int64_t day_of_year = day_of_era - (365 * year + year / 4 - year / 100);
	int64_t month = (5 * day_of_year + 2) / 153; /* 0 is March */

	put_digits(text, era * 400 + year + (month >= 10), 4);
	put_digits(text + 5, month < 10 ? month + 3 : month - 9, 2);
	put_digits(text + 8, day_of_year - (153 * month + 2) / 5 + 1, 2);
	put_digits(text + 11, seconds / 3600 % 24, 2);
	put_digits(text + 14, seconds / 60 % 60, 2);
	put_digits(text + 17, seconds % 60, 2);
	put_digits(text + 20, ms % 1000, 3);
	put_text(line, "time", text);
}

static void put_outcome(struct rs_line *line, const struct rs_cause *cause)
{
	char buf[RS_CAUSE_TEXT_SIZE];
	struct rs_line digits = { .text = buf, .size = sizeof(buf) };

	if (!rs_cause_is_status(cause)) {
		put_span(line, "outcome", rs_cause_text(cause, buf));
		return;
	}
	rs_line_int(&digits, cause->status);
	put_span(line, "outcome", (struct rs_span){ buf, digits.len });
}

static void put_attempts(struct rs_line *line, const struct rs_history *history)
{
	int32_t kept = history->count < RS_HISTORY_MOST ? history->count : RS_HISTORY_MOST;

	put_key(line, "attempts");
	rs_line_text(line, "[");
	for (int32_t i = 0; i < kept; i++) {
		rs_line_text(line, i > 0 ? ",{" : "{");
		put_outcome(line, &history->at[i].cause);
		put_int(line, "wait_ms", history->at[i].wait_ns / RS_NS_PER_MS);
		rs_line_text(line, "}");
	}
	rs_line_text(line, "]");
	if (history->count > kept)
		put_int(line, "attempts_left_out", history->count - kept);
}

static void put_output(struct rs_line *line, struct rs_span output)
{
	struct rs_span told = output;

	if (!output.at)
		return;
	if (told.len > RS_REPORT_OUTPUT)
		told.len = RS_REPORT_OUTPUT;
	put_span(line, "output", told);
	if (told.len < output.len) {
		put_key(line, "output_cut");
		rs_line_text(line, "true");
	}
}

static struct rs_span first_bytes(struct rs_span span, size_t most)
{
	return (struct rs_span){ span.at, span.len < most ? span.len : most };
}

void rs_report_compose(struct rs_line *line, const struct rs_report *report)
{
	const struct rs_incident *incident = report->incident;
	const struct rs_target *target = incident->target;
	int64_t elapsed_ns = incident->now_ns - incident->state->started_ns;
	char buf[RS_TARGET_TEXT_SIZE];

	rs_line_text(line, "{");
	put_time(line, report->wall_ns);
	put_text(line, "program", target->program);
	put_int(line, "pid", report->pid);
	put_text(line, "rule", incident->rule->name);
	put_text(line, "class", rs_class_name(incident->rule->class));
	put_text(line, "call", rs_call_name(target->call));
	if (target->method.len > 0)
		put_span(line, "method", first_bytes(target->method, 64));
	put_span(line, "target", rs_target_text(target, buf));
	put_attempts(line, report->history);
	put_int(line, "elapsed_ms", elapsed_ns / RS_NS_PER_MS);
	put_text(line, "reason", report->reason);
	put_output(line, report->output);
	rs_line_text(line, "}\n");
}

const char *rs_report_reason(const struct rs_incident *incident)
{
	if (incident->decision->action == RS_ACTION_EXHAUSTED)
		return rs_reason_name(incident->decision->reason);
	return rs_class_name(incident->rule->class);
}
