/* retryshim stats: what programs under the shim have counted. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cli/output.h"
#include "cli/rules_arg.h"
#include "cli/stats_print.h"
#include "cli/verbs.h"
#include "rules/load.h"
#include "rules/names.h"

#define USAGE "retryshim stats [--json | --prometheus] [--watch] [FILE]"

enum format {
	FORMAT_TABLE,
	FORMAT_JSON,
	FORMAT_PROMETHEUS,
};

struct arguments {
	const char *file; /* NULL: that of the rules in force */
	enum format format;
	bool watch, help;
};

static int usage_error(const char *wrong, const char *what, const char *meant)
{
	fprintf(stderr, "retryshim: stats: %s%s%s; %s\n", wrong, what ? " " : "", what ? what : "",
		meant);
	return RS_EXIT_USAGE;
}

/* ---- arguments ---- */

enum {
	OPTION_JSON = 256,
	OPTION_PROMETHEUS,
	OPTION_WATCH,
	OPTION_HELP,
};

static int wrong_option(const char *given)
{
	static const char *const options[] = { "--json", "--prometheus", "--watch", "--help" };
	const char *near;
	char meant[64];

	if (optopt >= OPTION_JSON)
		return usage_error("an option that takes no value:", given, "usage: " USAGE);
	near = rs_nearest(given, options, sizeof(options) / sizeof(options[0]));
	if (!near)
		return usage_error("unknown option", given, "usage: " USAGE);
	snprintf(meant, sizeof(meant), "did you mean %s?", near);
	return usage_error("unknown option", given, meant);
}

static int set_format(struct arguments *args, enum format format)
{
	if (args->format != FORMAT_TABLE && args->format != format)
		return usage_error("either --json or --prometheus", NULL, "usage: " USAGE);
	args->format = format;
	return 0;
}

static int parse_arguments(int argc, char **argv, struct arguments *args)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, OPTION_JSON },
		{ "prometheus", no_argument, NULL, OPTION_PROMETHEUS },
		{ "watch", no_argument, NULL, OPTION_WATCH },
		{ "help", no_argument, NULL, OPTION_HELP },
		{ NULL, 0, NULL, 0 },
	};
	int option, error = 0;

	optind = 0;
	while (error == 0 && (option = getopt_long(argc, argv, ":", options, NULL)) != -1) {
		if (option == OPTION_JSON)
			error = set_format(args, FORMAT_JSON);
		else if (option == OPTION_PROMETHEUS)
			error = set_format(args, FORMAT_PROMETHEUS);
		else if (option == OPTION_WATCH)
			args->watch = true;
		else if (option == OPTION_HELP)
			args->help = true;
		else
			error = wrong_option(argv[optind - 1]);
	}
	if (error == 0 && optind < argc - 1)
		return usage_error("one file at a time, not also", argv[optind + 1],
				   "usage: " USAGE);
	if (error == 0 && optind < argc)
		args->file = argv[optind];
	return error;
}

/* ---- the file ---- */

static int complain(const char *file, const char *why)
{
	fprintf(stderr, "retryshim: stats: %s: %s\n", file, why);
	return EXIT_FAILURE;
}

static ssize_t read_all(int fd, void *bytes, size_t size)
{
	size_t len = 0;

	while (len < size) {
		ssize_t got = read(fd, (char *)bytes + len, size - len);

		if (got < 0)
			return -1;
		if (got == 0)
			break;
		len += (size_t)got;
	}
	return (ssize_t)len;
}

/* `is_known`: it has been there. One that is gone, or empty, is about to be made anew then. */
static int read_counters(const char *file, bool is_known, struct rs_counters *counters)
{
	static const char title[RS_TITLE_SIZE] = RS_COUNTERS_TITLE;
	int fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat about;
	ssize_t len;

	memset(counters, 0, sizeof(*counters));
	if (fd < 0 && errno == ENOENT && is_known)
		return 0;
	if (fd < 0)
		return complain(file, errno == ENOENT ? "no such file: nothing was counted yet"
						      : strerror(errno));
	/* One that was just begun may be short. */
	len = fstat(fd, &about) == 0 && S_ISREG(about.st_mode)
		      ? read_all(fd, counters, sizeof(*counters))
		      : 0;
	close(fd);
	if (len == 0 && is_known)
		return 0;
	if (len < (ssize_t)sizeof(title) || memcmp(counters->title, title, sizeof(title)) != 0)
		return complain(file, "is not a file of counters, or one of another version");
	return 0;
}

static int print_once(const struct arguments *args, bool is_known)
{
	static struct rs_counters counters;
	static struct rs_counted lines[RS_COUNTED_MOST];
	int error = read_counters(args->file, is_known, &counters);
	size_t count;

	if (error)
		return error;
	count = rs_counters_read(&counters, lines);
	if (args->format == FORMAT_JSON)
		rs_stats_print_json(args->file, lines, count);
	else if (args->format == FORMAT_PROMETHEUS)
		rs_stats_print_prometheus(lines, count);
	else
		rs_stats_print_table(lines, count);
	return rs_cli_flush("stats") ? 0 : EXIT_FAILURE;
}

/* Once a second, until interrupted: in place on a terminal, else one after the other. */
static int watch(const struct arguments *args)
{
	static const struct timespec second = { .tv_sec = 1 };
	bool terminal = isatty(STDOUT_FILENO) == 1;

	for (bool is_known = false;; is_known = true) {
		int error;

		if (terminal)
			fputs("\033[H\033[2J", stdout);
		error = print_once(args, is_known);
		if (error)
			return error;
		nanosleep(&second, NULL);
		if (!terminal && args->format != FORMAT_JSON)
			putchar('\n');
	}
}

static int show(const struct arguments *args)
{
	return args->watch ? watch(args) : print_once(args, false);
}

static int show_default(struct arguments *args)
{
	struct rs_rules *rules;
	int result;

	if (rs_cli_load_rules(NULL, &rules) != 0)
		return EXIT_FAILURE;
	if (strcmp(rules->settings.stats, "no") == 0) {
		result = usage_error("the rules in force have no stats = PATH", NULL,
				     "name a file: " USAGE);
	} else {
		args->file = rules->settings.stats;
		result = show(args);
	}
	rs_rules_free(rules);
	return result;
}

int rs_cli_stats(int argc, char **argv)
{
	struct arguments args = { 0 };
	int error = parse_arguments(argc, argv, &args);

	if (error)
		return error;
	if (args.help) {
		puts("usage: " USAGE);
		return rs_cli_flush("stats") ? 0 : EXIT_FAILURE;
	}
	return args.file ? show(&args) : show_default(&args);
}
