/* retryshim check [RULES...]: are these rules, or those in force, right? */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/complaint.h"
#include "cli/output.h"
#include "cli/verbs.h"
#include "rules/load.h"
#include "rules/where.h"

#define EXIT_USAGE 2

#define USAGE "retryshim check [RULES...]"

static int usage(const char *wrong, const char *what)
{
	fprintf(stderr, "retryshim: check: %s '%s'; usage: " USAGE "\n", wrong, what);
	return EXIT_USAGE;
}

static int check(const char *paths, const char *options, const char *faults)
{
	struct rs_load_request request = {
		.paths = paths,
		.options = options,
		.faults = faults,
		.want_warnings = true,
		.want_all = true,
		.complain = rs_cli_print_complaint,
	};
	struct rs_rules *rules;

	if (rs_rules_load(&request, &rules) != 0)
		return EXIT_FAILURE;
	printf("ok: %zu rules, %zu policies\n", rules->rule_count, rules->policy_count);
	rs_rules_free(rules);
	return rs_cli_flush("check") ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int check_in_force(void)
{
	char paths[PATH_MAX + 32];
	const char *given = getenv("RETRYSHIM_RULES");

	if (given && given[0])
		return check(given, getenv("RETRYSHIM_OPTIONS"), getenv("RETRYSHIM_FAULTS"));
	if (rs_rules_where(NULL, getenv("XDG_CONFIG_HOME"), paths, sizeof(paths)) >= sizeof(paths))
		return usage("the path is too long in", "XDG_CONFIG_HOME");
	return check(paths, getenv("RETRYSHIM_OPTIONS"), getenv("RETRYSHIM_FAULTS"));
}

/* The files as one colon-separated list, as RETRYSHIM_RULES has them; to be freed. */
static char *join(int count, char **files)
{
	size_t size = 1;
	char *joined, *at;

	for (int i = 0; i < count; i++)
		size += strlen(files[i]) + 1;
	joined = malloc(size);
	if (!joined)
		return NULL;
	at = joined;
	for (int i = 0; i < count; i++) {
		size_t len = strlen(files[i]);

		memcpy(at, files[i], len);
		at += len;
		*at++ = i + 1 < count ? ':' : '\0';
	}
	return joined;
}

static int check_files(int count, char **files)
{
	char *paths;
	int status;

	for (int i = 0; i < count; i++) {
		if (!files[i][0])
			return usage("a file's name is expected, not", files[i]);
		if (strchr(files[i], ':'))
			return usage("':' separates files and cannot stand in the name", files[i]);
	}
	paths = join(count, files);
	if (!paths) {
		fputs("retryshim: check: out of memory\n", stderr);
		return EXIT_FAILURE;
	}
	status = check(paths, NULL, NULL);
	free(paths);
	return status;
}

static int help(void)
{
	puts("usage: " USAGE "\n"
	     "\n"
	     "Tells every mistake in these rules files, or in those that would be used, with file, line\n"
	     "and cause; and warns of rules that can never be reached. Without a mistake: ok.");
	return rs_cli_flush("check") ? EXIT_SUCCESS : EXIT_FAILURE;
}

int rs_cli_check(int argc, char **argv)
{
	int first = 1;

	if (argc > 1 && strcmp(argv[1], "--") == 0)
		first = 2;
	else if (argc > 1 && strcmp(argv[1], "--help") == 0)
		return help();
	else if (argc > 1 && argv[1][0] == '-' && argv[1][1])
		return usage("unknown option", argv[1]);
	return first < argc ? check_files(argc - first, argv + first) : check_in_force();
}
