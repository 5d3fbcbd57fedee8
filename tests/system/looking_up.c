#include "looking_up.h"

#include <stdio.h>

static char preload[1024], script[64];
static const char *const environment[] = { preload, script, NULL };

struct program looking_up(const char *rules, const char *lookups, const char *const *argv)
{
	(void)snprintf(preload, sizeof(preload), "LD_PRELOAD=%s %s", library_path(),
		       helper_path("plugin-lookups.so"));
	(void)snprintf(script, sizeof(script), "LOOKUPS=%s", lookups);
	return (struct program){ .argv = argv,
				 .under = RUN_SHIM,
				 .rules = rules,
				 .options = "log_level=info",
				 .env = environment };
}

struct child *start_look_up(const char *rules, const char *lookups, const char *function,
			    const char *times)
{
	const char *const argv[] = { helper_path("lookup"), function, times, NULL };
	struct program program = looking_up(rules, lookups, argv);

	return child_start(&program);
}

struct run look_up(const char *rules, const char *lookups, const char *function, const char *times)
{
	struct run run = child_finish(start_look_up(rules, lookups, function, times));

	assert_exit(run, 0);
	return run;
}
