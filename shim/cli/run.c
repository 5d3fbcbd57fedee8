/* retryshim run: check the rules, preload the shim, become the program. */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/complaint.h"
#include "cli/environment.h"
#include "cli/output.h"
#include "cli/program_file.h"
#include "cli/verbs.h"
#include "cli/wrappable.h"
#include "process.h"
#include "retry/rule.h"
#include "rules/load.h"
#include "rules/names.h"
#include "rules/where.h"

/* With RS_EXIT_RUN_FAILED, as env(1), nohup(1) and timeout(1) do. */
#define EXIT_NOT_EXECUTABLE 126
#define EXIT_NOT_FOUND      127

static const char usage[] =
	"usage: retryshim run [-v|-q] [-r RULES]... [-o KEY=VALUE]... [-f KEY=VALUE[,KEY=VALUE]...]...\n"
	"                     [--no-inherit] [--print-env] [--] PROGRAM [ARG...]\n"
	"\n"
	"  -v             log every retry (log_level=info)\n"
	"  -q             log nothing (log=none)\n"
	"  -r RULES       rules file; several read as one, in order\n"
	"  -o KEY=VALUE   set a key of [retryshim] or of [policy default]\n"
	"  -f KEY=VALUE,… add a fault: keys as in a [fault] section\n"
	"  --no-inherit   keep the shim from the program's children\n"
	"  --print-env    print the environment assignments instead of running\n";

__attribute__((format(printf, 1, 2))) static int fail(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fputs("retryshim: ", stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);
	return RS_EXIT_RUN_FAILED;
}

/* ---- options ---- */

enum long_option {
	NO_INHERIT = 256,
	PRINT_ENV,
	HELP,
};

static const struct option long_options[] = {
	{ "no-inherit", no_argument, NULL, NO_INHERIT },
	{ "print-env", no_argument, NULL, PRINT_ENV },
	{ "help", no_argument, NULL, HELP },
	{ NULL, 0, NULL, 0 },
};

struct run {
	struct rs_environment env;
	bool no_inherit;
	bool print_env;
	bool help;
	char **program;
};

static int unknown_option(const char *word, int letter)
{
	static const char *const names[] = { "--no-inherit", "--print-env", "--help" };
	const char *near = word ? rs_nearest(word, names, sizeof(names) / sizeof(names[0])) : NULL;

	if (letter != 0 && strchr("rof", letter))
		return fail("run: -%c needs a value: %s", letter,
			    letter == 'r'   ? "-r RULES"
			    : letter == 'o' ? "-o KEY=VALUE"
					    : "-f KEY=VALUE,KEY=VALUE");
	if (letter != 0 && letter < NO_INHERIT)
		return fail(
			"run: unknown option '-%c'; a program's own options come after its name",
			letter);
	if (near)
		return fail("run: unknown option '%s'; did you mean '%s'?", word, near);
	return fail("run: unknown option '%s'; a program's own options come after its name", word);
}

static int add_rules(struct run *run, const char *path)
{
	if (*path == '\0')
		return fail("run: -r needs the path of a rules file");
	if (strchr(path, ':'))
		return fail(
			"run: -r %s: a path with ':' cannot be passed on in RETRYSHIM_RULES; rename "
			"the file or link to it",
			path);
	rs_environment_add_rules(&run->env, path);
	return 0;
}

static int add_option(struct run *run, const char *text)
{
	if (!strchr(text, '='))
		return fail("run: -o %s: KEY=VALUE is meant, as in -o max_attempts=6", text);
	rs_environment_add_option(&run->env, text);
	return 0;
}

static int add_fault(struct run *run, const char *text)
{
	if (!strchr(text, '=') || strchr(text, '\n'))
		return fail("run: -f %s: KEY=VALUE,KEY=VALUE is meant, as in "
			    "-f status=503,probability=0.3",
			    text);
	rs_environment_add_fault(&run->env, text);
	return 0;
}

static int take_option(struct run *run, int option, const char *word)
{
	switch (option) {
	case 'v':
		return add_option(run, "log_level=info");
	case 'q':
		return add_option(run, "log=none");
	case 'r':
		return add_rules(run, optarg);
	case 'o':
		return add_option(run, optarg);
	case 'f':
		return add_fault(run, optarg);
	case NO_INHERIT:
		run->no_inherit = true;
		return 0;
	case PRINT_ENV:
		run->print_env = true;
		return 0;
	case HELP:
		run->help = true;
		return 0;
	default:
		return unknown_option(word, optopt);
	}
}

static int parse(struct run *run, int argc, char **argv)
{
	int option, status = 0;

	opterr = 0;
	while (status == 0 && optind < argc) {
		const char *word = argv[optind];

		option = getopt_long(argc, argv, "+vqr:o:f:", long_options, NULL);
		if (option == -1)
			break;
		status = take_option(run, option, word);
	}
	run->program = argv + optind;
	if (status == 0 && !*run->program && !run->print_env && !run->help)
		return fail("run: PROGRAM is missing; see retryshim run --help");
	return status;
}

/* ---- rules ---- */

/* The rules that the program would get must be good, and short enough for the shim to keep. Where
 * they limit attempts it needs them before the first one. */
static int check_rules(struct rs_environment *env)
{
	const char *options = env->options ? env->options : getenv("RETRYSHIM_OPTIONS");
	const char *faults = env->faults ? env->faults : getenv("RETRYSHIM_FAULTS");
	char found[RS_ENV_RULES_SIZE];
	struct rs_rules *rules;
	struct rs_load_request request = {
		.paths = found,
		.options = options,
		.faults = faults,
		.want_all = true,
		.complain = rs_cli_print_complaint,
	};

	rs_environment_inherit_rules(env);
	if (rs_rules_where(env->rules, getenv("XDG_CONFIG_HOME"), found, sizeof(found)) >=
	    sizeof(found))
		return fail("run: the paths of the rules files are too long for RETRYSHIM_RULES");
	if (options && strlen(options) >= RS_ENV_OPTIONS_SIZE)
		return fail("run: the options are too long; write them into a rules file");
	if (faults && strlen(faults) >= RS_ENV_FAULTS_SIZE)
		return fail("run: the faults are too long; write them into a rules file");
	if (rs_rules_load(&request, &rules) != 0)
		return RS_EXIT_RUN_FAILED;
	if (rules->limits)
		env->early = "1";
	if (!faults && rules->fault_calls & ~(1u << RS_CALL_CURL))
		rs_environment_add_fault(env, "");
	rs_rules_free(rules);
	return 0;
}

/* ---- running ---- */

static int find_library(const char **library)
{
	*library = rs_environment_library();
	if (!*library)
		return fail("run: libretryshim.so is neither beside this command nor in " RS_LIBDIR
			    "; run 'make', or 'make install'");
	if ((*library)[strcspn(*library, ": ")] != '\0')
		return fail(
			"run: %s: a path with ':' or a space cannot be passed on in LD_PRELOAD; "
			"install retryshim elsewhere",
			*library);
	return 0;
}

/* What the kernel does not execute execvp() gives to the shell, as a text. One for another machine
 * is none. Returns only an errno. */
static int execute(const char *name, char **argv, bool is_other)
{
	char path[PATH_MAX], interpreter[PATH_MAX];

	if (is_other && rs_program_find(name, path) && !rs_program_interpreter(path, interpreter))
		execv(path, argv);
	else
		execvp(name, argv);
	return errno;
}

/* Replace this process. Returns only what went wrong. */
static int become(const struct run *run)
{
	const char *name = run->program[0];
	const struct rs_wrappable wrappable = rs_wrappable(name);
	const bool refuses = wrappable.refuses;
	int error;

	if (wrappable.why_not)
		fprintf(stderr,
			"retryshim: warning: %s cannot be wrapped: %s; it runs without retries\n",
			name, wrappable.why_not);
	if (!refuses)
		rs_environment_apply(&run->env);
	error = execute(name, run->program, refuses);
	fprintf(stderr, "retryshim: run: %s: %s\n", name, strerror(error));
	return error == ENOENT ? EXIT_NOT_FOUND : EXIT_NOT_EXECUTABLE;
}

static int print_environment(const struct run *run)
{
	rs_environment_print(&run->env);
	return rs_cli_flush("run") ? 0 : RS_EXIT_RUN_FAILED;
}

int rs_cli_run(int argc, char **argv)
{
	struct run run = { 0 };
	const char *library;
	int status = parse(&run, argc, argv);

	if (status == 0 && run.help) {
		fputs(usage, stdout);
		return rs_cli_flush("run") ? 0 : RS_EXIT_RUN_FAILED;
	}
	if (status == 0)
		status = check_rules(&run.env);
	if (status == 0)
		status = find_library(&library);
	if (status != 0)
		return status;
	rs_environment_preload(&run.env, library, !run.no_inherit);
	return run.print_env ? print_environment(&run) : become(&run);
}
