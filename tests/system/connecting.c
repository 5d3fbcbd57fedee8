/*
 * Programs that connect, and the rules that they are run with.
 */
#include "connecting.h"

#include <stdio.h>

const char connecting_few[] = INFO QUICK "max_attempts = 3" RULE;
const char connecting_hour[] =
	INFO "[policy default]\nbase = 1h\ncap = none\njitter = none\nmax_elapsed = none" RULE;

const char *connecting_port(const struct server *server)
{
	static char text[8];

	(void)snprintf(text, sizeof(text), "%u", server_port(server));
	return text;
}

struct program connecting_under(const char *rules, const char *const *argv)
{
	return (struct program){ .argv = argv, .under = RUN_SHIM, .rules = rules_file(rules) };
}

struct child *connecting_start(const char *rules, const char *name, const struct server *server)
{
	const char *const argv[] = { helper_path("connect-case"), name, connecting_port(server),
				     NULL };
	struct program program = connecting_under(rules, argv);

	return child_start(&program);
}

struct run connecting_run(const char *rules, const char *name, const char *path)
{
	struct server *server = server_start_refusing();
	const char *const argv[] = { helper_path("connect-case"), name, connecting_port(server),
				     path, NULL };
	struct program program = connecting_under(rules, argv);
	struct run run = run_program(&program);

	server_stop(server);
	assert_exit(run, 0);
	return run;
}
