/*
 * Event loops that connect, and the rules that they are run with.
 */
#include "looping.h"

#include <stdio.h>
#include <string.h>

#define INFO  "[retryshim]\nlog_level = info\n"
#define QUICK "[policy default]\nbase = 2ms\nbackoff = constant\njitter = none\nquota = none\n"

const char *const looped_ways[WAYS] = { "poll", "select", "level", "edge", "one-shot" };

/* Each test has texts and files of its own. */
static char text[2048];

const char *looped_rules(const char *settings, const char *rule)
{
	(void)snprintf(text, sizeof(text), INFO "%s\n" QUICK "%s\n", settings, rule);
	return rules_file(text);
}

const char *looped_rule(const char *class, const char *command)
{
	static char rule[1024];

	(void)snprintf(rule, sizeof(rule), "[rule it]\ncall = connect\nerror = refused\n%s\n%s\n",
		       class, command);
	return rule;
}

const char *looped_report(const char *path)
{
	static char settings[256];

	(void)snprintf(settings, sizeof(settings), "report = %s", path);
	return settings;
}

struct child *looped_start(const struct looped *looped, const struct server *server)
{
	char port[8], faults[256];
	const char *const argv[] = { helper_path("connect-loop"), looped->way, port, looped->count,
				     NULL };
	const char *const env[] = { faults, NULL };

	(void)snprintf(port, sizeof(port), "%u", server_port(server));
	(void)snprintf(faults, sizeof(faults), "RETRYSHIM_FAULTS=%s",
		       looped->fault ? looped->fault : "");
	return child_start(&(struct program){
		.argv = argv,
		.under = looped->under,
		.rules = looped->rules,
		.env = looped->fault ? env : NULL,
	});
}

struct run looped_run(const struct looped *looped, const struct server *server)
{
	return child_finish(looped_start(looped, server));
}

struct run looped_run_bare(const char *way, const struct server *server)
{
	return looped_run(&(struct looped){ .way = way, .under = RUN_BARE }, server);
}

struct server *looped_serve(void)
{
	static const struct reply script[] = { { .status = 200 } };

	return server_start(script, 1);
}

void looped_check_same(struct run run, struct run bare)
{
	assert_output(run, bare.out);
	run_free(&bare);
	run_free(&run);
}

char *looped_report_of(const char *path)
{
	size_t len;
	char *report = read_file(path, &len);

	assert_non_null(report);
	return report;
}
