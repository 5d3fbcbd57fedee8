#include "ops/hook_env.h"

#include <string.h>

#include "ops/cause_text.h"
#include "ops/line.h"
#include "ops/target_text.h"
#include "retry/ns.h"

#define VALUE_MOST 2048

static void put_name(struct rs_line *line, const char *name)
{
	rs_line_text(line, "RETRYSHIM_");
	rs_line_text(line, name);
	rs_line_text(line, "=");
}

/* A NUL inside a value would end it, and begin another variable. */
static void put_span(struct rs_line *line, const char *name, struct rs_span value)
{
	size_t len = value.at ? strnlen(value.at, value.len) : 0;

	put_name(line, name);
	rs_line_put(line, value.at, len < VALUE_MOST ? len : VALUE_MOST);
	rs_line_put(line, "", 1);
}

static void put_text(struct rs_line *line, const char *name, const char *value)
{
	put_span(line, name, (struct rs_span){ value, strlen(value) });
}

static void put_int(struct rs_line *line, const char *name, int64_t value)
{
	put_name(line, name);
	rs_line_int(line, value);
	rs_line_put(line, "", 1);
}

static struct rs_span without_query(struct rs_span url)
{
	size_t len = 0;

	while (len < url.len && url.at[len] != '?' && url.at[len] != '#')
		len++;
	url.len = len;
	return url;
}

/* A URL's host, or a socket's address. */
static void put_host(struct rs_line *line, const struct rs_target *target)
{
	struct rs_target alone = *target;
	char buf[RS_TARGET_TEXT_SIZE];
	struct rs_span text;

	alone.port = 0;
	text = rs_target_text(&alone, buf);
	if (text.len > 1 && text.at[0] == '[')
		text = (struct rs_span){ text.at + 1, text.len - 2 };
	put_span(line, "HOST", text);
}

static void put_ending(struct rs_line *line, const struct rs_incident *incident)
{
	const struct rs_outcome *outcome = incident->outcome;
	const struct rs_cause cause = rs_cause_of(incident->target->call, outcome);

	if (outcome->status)
		put_int(line, "STATUS", outcome->status);
	else
		put_text(line, "STATUS", "");
	put_text(line, "ERROR", rs_cause_error(&cause));
}

struct rs_span rs_hook_env(const struct rs_incident *incident, int pid, char buf[RS_HOOK_ENV])
{
	const struct rs_target *target = incident->target;
	const struct rs_call_state *state = incident->state;
	struct rs_line line = { .text = buf, .size = RS_HOOK_ENV };

	put_text(&line, "RULE", incident->rule->name);
	put_text(&line, "CALL", rs_call_name(target->call));
	put_span(&line, "METHOD", target->method);
	put_span(&line, "URL", without_query(target->url));
	put_host(&line, target);
	if (target->port)
		put_int(&line, "PORT", target->port);
	else
		put_text(&line, "PORT", "");
	put_ending(&line, incident);
	put_int(&line, "ATTEMPT", state->attempts);
	put_int(&line, "ELAPSED_MS", (incident->now_ns - state->started_ns) / RS_NS_PER_MS);
	put_text(&line, "PROGRAM", target->program);
	put_int(&line, "PID", pid);
	return (struct rs_span){ buf, line.len };
}
