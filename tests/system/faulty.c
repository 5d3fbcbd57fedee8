#include "faulty.h"

struct run run_faulty(const char *rules, const char *fault, const char *const *env,
		      const char *const *program)
{
	const char *argv[32] = {
		command_path(), "run", "-v", "-r", rules_file(rules), "-f", fault
	};
	size_t count = 7;

	while (*program && count < 31)
		argv[count++] = *program++;
	return run_program(&(struct program){ .argv = argv, .env = env });
}

struct server *serve(void)
{
	static const struct reply script[] = { { .body = "object\n" } };

	return server_start(script, 1);
}
