#include "ops/report.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "ops/log.h"
#include "ops/sink.h"
#include "process.h"
#include "rules/names.h"

static void log_dropped(const struct rs_settings *settings, int error)
{
	static atomic_bool told;
	const char *name = rs_error_name(RS_DOMAIN_ERRNO, error);
	struct rs_log_line line;

	if (atomic_exchange(&told, true))
		return;
	rs_log_begin(&line, settings, RS_LOG_ERROR, "report");
	rs_log_str(&line, "action", "dropped");
	rs_log_str(&line, "file", settings->report);
	rs_log_str(&line, "error", name ? name : "unknown");
	rs_log_end(&line);
}

/* Not on the stack: a thread's may be small, and so may be a signal handler's. */
static int compose_and_append(const char *path, const struct rs_report *report)
{
	struct rs_line line = { .size = RS_REPORT_LINE };
	int rc;

	line.text =
		mmap(NULL, line.size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (line.text == MAP_FAILED)
		return -ENOMEM;
	rs_report_compose(&line, report);
	rc = rs_sink_file(path, (struct rs_span){ line.text, line.len });
	munmap(line.text, line.size);
	return rc;
}

void rs_report_write(const struct rs_incident *incident, const struct rs_history *history,
		     const char *reason, struct rs_span output)
{
	const struct rs_settings *settings = &incident->rules->settings;
	int saved_errno = errno;
	const struct rs_report report = {
		.incident = incident,
		.history = history,
		.reason = reason,
		.output = output,
		.wall_ns = rs_wall_now_ns(),
		.pid = getpid(),
	};
	int rc;

	if (strcmp(settings->report, "none") == 0 || settings->mode == RS_MODE_OBSERVE)
		return;
	rc = compose_and_append(settings->report, &report);
	if (rc)
		log_dropped(settings, -rc);
	errno = saved_errno;
}
