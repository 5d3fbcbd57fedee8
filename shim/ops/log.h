/*
 * The log: one event a line, written whole by one system call. A failure may take its time;
 * nothing here is reached on the successful path of a call.
 *
 * Async-signal-safe, from any thread, after fork; allocates nothing; preserves errno; keeps no
 * descriptor open. A log that cannot be written is dropped, which stderr is told once: the program
 * goes on.
 */
#ifndef RS_OPS_LOG_H
#define RS_OPS_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "ops/line.h"
#include "retry/rule.h"

/* One line being composed. Values that do not fit are cut and the line ends in "…", or in
 * "cut":true where it is JSON. Not to be copied: it points into itself. */
struct rs_log_line {
	bool wanted; /* false: the level is not logged, and every call below does nothing */
	enum rs_log_level level;
	enum rs_log_format format;
	const char *sink; /* "stderr", "syslog", "none" or a path */
	struct rs_line line;
	char text[2048];
};

/* Begin a line: "retryshim: event=<event>" or {"event":"<event>" … . `settings` may be NULL
 * (rules could not be loaded): then text, to stderr, at warn. */
void rs_log_begin(struct rs_log_line *line, const struct rs_settings *settings,
		  enum rs_log_level level, const char *event);
void rs_log_str(struct rs_log_line *line, const char *key, const char *value);
void rs_log_span(struct rs_log_line *line, const char *key, struct rs_span value);
void rs_log_int(struct rs_log_line *line, const char *key, int64_t value);
void rs_log_end(struct rs_log_line *line);

#endif
