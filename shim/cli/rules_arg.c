#include "cli/rules_arg.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/complaint.h"
#include "rules/load.h"
#include "rules/where.h"

#define PATHS_LIMIT (16 * PATH_MAX)

int rs_cli_add_path(char **paths, const char *path)
{
	size_t used = *paths ? strlen(*paths) + 1 : 0;
	size_t len = strlen(path);
	char *grown;

	if (strchr(path, ':'))
		return -EINVAL;
	grown = realloc(*paths, used + len + 1);
	if (!grown)
		return -ENOMEM;
	if (used > 0)
		grown[used - 1] = ':';
	memcpy(grown + used, path, len + 1);
	*paths = grown;
	return 0;
}

int rs_cli_load_rules(const char *paths, struct rs_rules **rules)
{
	char in_force[PATHS_LIMIT];
	struct rs_load_request request = {
		.paths = paths ? paths : in_force,
		.options = getenv("RETRYSHIM_OPTIONS"),
		.want_all = true,
		.complain = rs_cli_print_complaint,
	};

	if (!paths && rs_rules_where(getenv("RETRYSHIM_RULES"), getenv("XDG_CONFIG_HOME"), in_force,
				     sizeof(in_force)) >= sizeof(in_force)) {
		fprintf(stderr, "RETRYSHIM_RULES: error: longer than %zu bytes\n",
			sizeof(in_force) - 1);
		return -ENAMETOOLONG;
	}
	return rs_rules_load(&request, rules);
}
