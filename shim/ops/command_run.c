#include "ops/command_run.h"

#include <unistd.h>

#include "ops/hook_env.h"
#include "rules/names.h"

static size_t put_env(const void *incident, char env[RS_HOOK_ENV])
{
	return rs_hook_env(incident, getpid(), env).len;
}

static struct rs_hook hook_of(const struct rs_incident *incident, const char *const *argv)
{
	return (struct rs_hook){
		.argv = argv,
		.put_env = put_env,
		.env_of = incident,
		.input = incident->outcome->body,
		.timeout_ns = incident->rules->settings.hook_timeout_ns,
	};
}

void rs_command_run(const struct rs_incident *incident, const char *const *argv,
		    const struct rs_patience *patience, struct rs_hook_result *result)
{
	struct rs_hook hook = hook_of(incident, argv);

	hook.go_on = patience->go_on;
	hook.arg = patience->arg;
	rs_hook_run(&hook, result);
}

void rs_command_start(const struct rs_incident *incident, const char *const *argv,
		      struct rs_hook_job *job)
{
	const struct rs_hook hook = hook_of(incident, argv);

	rs_hook_start(&hook, job);
}

static void put_not_started(struct rs_line *line, int error)
{
	const char *name = rs_error_name(RS_DOMAIN_ERRNO, error);

	rs_line_text(line, "cannot be started: ");
	rs_line_text(line, name ? name : "unknown");
}

void rs_command_why(const struct rs_hook_result *result, char *why, size_t size)
{
	struct rs_line line = { .text = why, .size = size - 1 };

	switch (result->end) {
	case RS_HOOK_EXITED:
		if (result->code != 0) {
			rs_line_text(&line, "exit status ");
			rs_line_int(&line, result->code);
		}
		break;
	case RS_HOOK_KILLED:
		rs_line_text(&line, "killed by signal ");
		rs_line_int(&line, result->code);
		break;
	case RS_HOOK_TIMED_OUT:
		rs_line_text(&line, "ran into hook_timeout");
		break;
	case RS_HOOK_CANCELLED:
		rs_line_text(&line, "cancelled");
		break;
	case RS_HOOK_NOT_STARTED:
		put_not_started(&line, result->code);
		break;
	}
	why[line.len] = '\0';
}
