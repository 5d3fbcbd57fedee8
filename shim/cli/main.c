/* The `retryshim` command: finds the verb and hands over. */
#include <stdio.h>
#include <string.h>

#include "cli/output.h"
#include "cli/verbs.h"
#include "rules/names.h"

struct verb {
	const char *name;
	int (*run)(int argc, char **argv);
};

static const struct verb verbs[] = {
	{ "run", rs_cli_run },         { "check", rs_cli_check },   { "plan", rs_cli_plan },
	{ "explain", rs_cli_explain }, { "doctor", rs_cli_doctor }, { "stats", rs_cli_stats },
};
#define VERB_COUNT (sizeof(verbs) / sizeof(verbs[0]))

static const char help[] =
	"usage: retryshim VERB [ARGUMENT...]\n"
	"       retryshim --help | --version\n"
	"\n"
	"Gives unmodified programs retries on libcurl transfers, connect() and name look-ups.\n"
	"\n"
	"  run [-v|-q] [-r RULES]... [-o KEY=VALUE]... [-f KEY=VALUE,...]... [--no-inherit]\n"
	"      [--print-env] [--] PROGRAM [ARG...]\n"
	"                  run a program under the shim\n"
	"  check [RULES...]\n"
	"                  tell what is wrong with rules files\n"
	"  plan [-r RULES]... [-n N] [--json] [POLICY|RULE]\n"
	"                  list the waits of a policy\n"
	"  explain [-r RULES]... [--json] --call CALL (--error NAME | --status N) [...]\n"
	"                  tell which rule decides, and why the ones before it do not\n"
	"  doctor [--json] PROGRAM\n"
	"                  tell whether a program can be wrapped\n"
	"  stats [--json | --prometheus] [--watch] [FILE]\n"
	"                  show what programs under the shim have counted\n"
	"\n"
	"retryshim VERB --help tells more of one.\n";

static int usage(FILE *to, int status)
{
	fputs(help, to);
	return rs_cli_flush("") ? status : RS_EXIT_USAGE;
}

static int version(void)
{
	puts("retryshim " RS_VERSION);
	return rs_cli_flush("") ? 0 : RS_EXIT_USAGE;
}

static int unknown(const char *word)
{
	const char *names[VERB_COUNT];
	const char *near;

	for (size_t i = 0; i < VERB_COUNT; i++)
		names[i] = verbs[i].name;
	near = rs_nearest(word, names, VERB_COUNT);
	if (near)
		fprintf(stderr, "retryshim: unknown verb '%s'; did you mean '%s'?\n", word, near);
	else
		fprintf(stderr, "retryshim: unknown verb '%s'; see retryshim --help\n", word);
	return RS_EXIT_USAGE;
}

int main(int argc, char **argv)
{
	if (argc < 2) {
		fputs("retryshim: a verb is missing\n", stderr);
		return usage(stderr, RS_EXIT_USAGE);
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)
		return usage(stdout, 0);
	if (strcmp(argv[1], "--version") == 0)
		return version();
	for (size_t i = 0; i < VERB_COUNT; i++) {
		if (strcmp(argv[1], verbs[i].name) == 0)
			return verbs[i].run(argc - 1, argv + 1);
	}
	return unknown(argv[1]);
}
