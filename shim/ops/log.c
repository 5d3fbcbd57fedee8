#include "ops/log.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <syslog.h>

#include "ops/sink.h"
#include "rules/names.h"

/* Room that is kept for the end of a line. */
#define END_ROOM 16

#define TEXT_NAME "retryshim: "

static bool is_json(const struct rs_log_line *line)
{
	return line->format == RS_LOG_JSON;
}

static bool is_plain(struct rs_span value)
{
	for (size_t i = 0; i < value.len; i++) {
		unsigned char byte = (unsigned char)value.at[i];

		if (byte <= ' ' || byte >= 0x7f || byte == '"' || byte == '=' || byte == '\\')
			return false;
	}
	return value.len > 0;
}

static void put_key(struct rs_log_line *line, const char *key)
{
	rs_line_text(&line->line, is_json(line) ? ",\"" : " ");
	rs_line_text(&line->line, key);
	rs_line_text(&line->line, is_json(line) ? "\":" : "=");
}

static void put_quoted(struct rs_line *line, struct rs_span value)
{
	rs_line_escaped(line, value);
	rs_line_text(line, "\"");
	if (line->cut)
		line->text[line->len++] = '"'; /* from END_ROOM */
}

static void put_field(struct rs_log_line *log, const char *key, struct rs_span value, bool quoted)
{
	struct rs_line *line = &log->line;
	size_t start = line->len;

	if (!log->wanted || line->cut)
		return;
	put_key(log, key);
	if (quoted)
		rs_line_text(line, "\"");
	else
		rs_line_put(line, value.at, value.len);
	if (line->cut)
		line->len = start; /* not even a part of it fits */
	else if (quoted)
		put_quoted(line, value);
}

void rs_log_span(struct rs_log_line *line, const char *key, struct rs_span value)
{
	put_field(line, key, value, is_json(line) || !is_plain(value));
}

void rs_log_str(struct rs_log_line *line, const char *key, const char *value)
{
	rs_log_span(line, key, (struct rs_span){ value, strlen(value) });
}

void rs_log_int(struct rs_log_line *line, const char *key, int64_t value)
{
	char buf[24];
	struct rs_line digits = { .text = buf, .size = sizeof(buf) };

	rs_line_int(&digits, value);
	put_field(line, key, (struct rs_span){ buf, digits.len }, false);
}

static void start(struct rs_log_line *line, const char *event)
{
	line->line = (struct rs_line){ .text = line->text, .size = sizeof(line->text) - END_ROOM };
	rs_line_text(&line->line, is_json(line) ? "{\"event\":\"" : TEXT_NAME "event=");
	rs_line_text(&line->line, event);
	if (is_json(line))
		rs_line_text(&line->line, "\"");
}

void rs_log_begin(struct rs_log_line *line, const struct rs_settings *settings,
		  enum rs_log_level level, const char *event)
{
	enum rs_log_level most = settings ? settings->log_level : RS_LOG_WARN;

	line->sink = settings ? settings->log : "stderr";
	line->wanted = level <= most && strcmp(line->sink, "none") != 0;
	line->level = level;
	line->format = settings ? settings->log_format : RS_LOG_TEXT;
	if (line->wanted)
		start(line, event);
}

static struct rs_span ended(struct rs_log_line *log)
{
	struct rs_line *line = &log->line;
	bool was_cut = line->cut;

	line->size = sizeof(log->text);
	line->cut = false;
	if (was_cut)
		rs_line_text(line, is_json(log) ? ",\"cut\":true" : "…");
	rs_line_text(line, is_json(log) ? "}\n" : "\n");
	return (struct rs_span){ line->text, line->len };
}

/* The system's log has its own place for the name, and needs no line end. */
static int to_syslog(const struct rs_log_line *line, struct rs_span text)
{
	static const int severities[] = {
		[RS_LOG_ERROR] = LOG_ERR,
		[RS_LOG_WARN] = LOG_WARNING,
		[RS_LOG_INFO] = LOG_INFO,
		[RS_LOG_DEBUG] = LOG_DEBUG,
	};
	size_t name = is_json(line) ? 0 : strlen(TEXT_NAME);

	text.len--;
	return rs_sink_syslog(severities[line->level],
			      (struct rs_span){ text.at + name, text.len - name });
}

/* The line could not be written to where it should. That is said where it can be, once. */
static void say_dropped(struct rs_log_line *line, const char *path, int error)
{
	static atomic_bool told;
	const char *name = rs_error_name(RS_DOMAIN_ERRNO, error);

	if (atomic_exchange(&told, true))
		return;
	start(line, "log");
	rs_log_str(line, "action", "dropped");
	rs_log_str(line, "file", path);
	rs_log_str(line, "error", name ? name : "unknown");
	rs_sink_stderr(ended(line));
}

void rs_log_end(struct rs_log_line *line)
{
	const bool is_syslog = strcmp(line->sink, "syslog") == 0;
	int saved_errno = errno, rc = 0;
	struct rs_span text;

	if (!line->wanted)
		return;
	text = ended(line);
	if (strcmp(line->sink, "stderr") == 0)
		rs_sink_stderr(text);
	else
		rc = is_syslog ? to_syslog(line, text) : rs_sink_file(line->sink, text);
	if (rc != 0)
		say_dropped(line, is_syslog ? RS_SYSLOG_PATH : line->sink, -rc);
	errno = saved_errno;
}
