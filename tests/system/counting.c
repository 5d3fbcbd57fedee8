#include "counting.h"
#include "server.h"

#include <stdio.h>

#define POLICY                                                                                     \
	"[policy default]\nmax_attempts = 3\nbase = 10ms\njitter = none\n"                         \
	"[rule busy]\nstatus = 503\n[rule refused]\nerror = refused\nquota = small\n"              \
	"[quota small]\ncapacity = 30\n"

const char *counters_path(void)
{
	static int count;
	char name[32];

	(void)snprintf(name, sizeof(name), "counters-%d", count++);
	return temp_path(name);
}

const char *counting_rules(const char *path)
{
	char text[1024];

	(void)snprintf(text, sizeof(text), "[retryshim]\nlog_level = info\nstats = %s\n" POLICY,
		       path);
	return rules_file(text);
}

struct run counting_stats(const char *option, const char *path)
{
	if (!option)
		return run_words(RUN_BARE, NULL, command_path(), "stats", path);
	return run_words(RUN_BARE, NULL, command_path(), "stats", option, path);
}

void counting_curl(const char *rules, const char *url)
{
	struct run run = run_words(RUN_SHIM, rules, "curl", "-sS", url);

	run_free(&run);
}

void counting_some(const char *rules)
{
	static const struct reply script[] = {
		{ .path = "/once", .status = 503, .times = 1 },
		{ .path = "/once", .body = "ok\n" },
		{ .path = "/well", .body = "ok\n" },
		{ .path = "/never", .status = 503 },
	};
	struct server *server = server_start(script, 4), *dead = server_start_refusing();

	counting_curl(rules, server_url(server, "/well"));
	counting_curl(rules, server_url(server, "/once"));
	counting_curl(rules, server_url(server, "/never"));
	counting_curl(rules, server_url(dead, "/")); /* 30 tokens are two retries */
	server_stop(server);
	server_stop(dead);
}
