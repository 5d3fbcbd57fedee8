/* retryshim explain: which rule would decide, and why the ones before it do not. */
#include "cli/explain.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/explain_case.h"
#include "cli/output.h"
#include "cli/rules_arg.h"
#include "cli/verbs.h"
#include "rules/load.h"
#include "rules/names.h"

static const char usage[] =
	"usage: retryshim explain [-r RULES]... [--json] --call curl|connect|resolve\n"
	"                         [--error NAME]... | [--status N [--header 'N: V']... "
	"[--body FILE|-]]\n"
	"                         [--method M] [--url URL] [--address ADDR] [--program NAME]\n"
	"\n"
	"  -r RULES          rules file; several read as one, in order\n"
	"  --json            print an object\n"
	"  --call CALL       what kind of call it was\n"
	"  --error NAME      how it failed: CURLE_…, E… or EAI_…; a second one is the errno behind\n"
	"  --status N        the status of the response, and with it\n"
	"  --header 'N: V'   … one of its headers\n"
	"  --body FILE       … its body; - is stdin\n"
	"  --method, --url, --address, --program\n"
	"                    what it was about, and who made it\n";

struct arguments {
	struct rs_explain_words words;
	char *paths;
	char *headers;
	bool json, help;
};

enum long_option {
	JSON = 256,
	HELP,
	CALL,
	ERROR,
	STATUS,
	HEADER,
	BODY,
	METHOD,
	URL,
	ADDRESS,
	PROGRAM,
};

static const struct option long_options[] = {
	{ "json", no_argument, NULL, JSON },
	{ "help", no_argument, NULL, HELP },
	{ "call", required_argument, NULL, CALL },
	{ "error", required_argument, NULL, ERROR },
	{ "status", required_argument, NULL, STATUS },
	{ "header", required_argument, NULL, HEADER },
	{ "body", required_argument, NULL, BODY },
	{ "method", required_argument, NULL, METHOD },
	{ "url", required_argument, NULL, URL },
	{ "address", required_argument, NULL, ADDRESS },
	{ "program", required_argument, NULL, PROGRAM },
	{ NULL, 0, NULL, 0 },
};
#define OPTION_COUNT (sizeof(long_options) / sizeof(long_options[0]) - 1)

static int wrong_option(const char *word)
{
	const char *names[OPTION_COUNT];
	const char *near;

	if (strncmp(word, "--", 2) != 0)
		return rs_explain_fail("unknown option '%s'; see retryshim explain --help", word);
	for (size_t i = 0; i < OPTION_COUNT; i++)
		names[i] = long_options[i].name;
	near = rs_nearest(word + 2, names, OPTION_COUNT);
	if (near)
		return rs_explain_fail("unknown option '%s'; did you mean '--%s'?", word, near);
	return rs_explain_fail("unknown option '%s'; see retryshim explain --help", word);
}

static int add_error(struct rs_explain_words *words, const char *name)
{
	if (words->error_count == RS_EXPLAIN_ERRORS)
		return rs_explain_fail("--error %s: two at most, an error and the errno behind it",
				       name);
	words->errors[words->error_count++] = name;
	return 0;
}

static int add_header(struct arguments *args, const char *line)
{
	size_t used = args->headers ? strlen(args->headers) : 0;
	size_t size = used + strlen(line) + sizeof("\r\n");
	char *grown;

	if (!strchr(line, ':') || line[0] == ':')
		return rs_explain_fail("--header '%s': 'Name: value' is meant", line);
	grown = realloc(args->headers, size);
	if (!grown)
		return EXIT_FAILURE;
	snprintf(grown + used, size - used, "%s\r\n", line);
	args->headers = grown;
	args->words.headers = grown;
	return 0;
}

static int add_rules(struct arguments *args, const char *path)
{
	int rc;

	if (!*path)
		return rs_explain_fail("-r needs the path of a rules file");
	rc = rs_cli_add_path(&args->paths, path);
	if (rc == -EINVAL)
		return rs_explain_fail("-r %s: ':' separates files and cannot stand in the name; "
				       "rename the file or link to it",
				       path);
	return rc == 0 ? 0 : EXIT_FAILURE;
}

/* An option that is taken once: the last one counts. */
static const char **place_of(struct rs_explain_words *words, int option)
{
	switch (option) {
	case CALL:
		return &words->call;
	case STATUS:
		return &words->status;
	case BODY:
		return &words->body;
	case METHOD:
		return &words->method;
	case URL:
		return &words->url;
	case ADDRESS:
		return &words->address;
	case PROGRAM:
		return &words->program;
	default:
		return NULL;
	}
}

static int take_option(struct arguments *args, int option, const char *word)
{
	const char **place = place_of(&args->words, option);

	if (place) {
		*place = optarg;
		return 0;
	}
	switch (option) {
	case 'r':
		return add_rules(args, optarg);
	case JSON:
		args->json = true;
		return 0;
	case HELP:
		args->help = true;
		return 0;
	case ERROR:
		return add_error(&args->words, optarg);
	case HEADER:
		return add_header(args, optarg);
	case ':':
		return rs_explain_fail("%s needs a value; see retryshim explain --help", word);
	default:
		return wrong_option(word);
	}
}

static int parse(struct arguments *args, int argc, char **argv)
{
	int option, status = 0;

	optind = 0;
	opterr = 0;
	while (status == 0 && (option = getopt_long(argc, argv, ":r:", long_options, NULL)) != -1)
		status = take_option(args, option, argv[optind - 1]);
	if (status == 0 && optind < argc)
		return rs_explain_fail("unexpected '%s'; see retryshim explain --help",
				       argv[optind]);
	return status;
}

static int explain(const struct arguments *args, const struct rs_rules *rules)
{
	struct rs_explain_memory memory = { .body = NULL };
	struct rs_explain_answer answer;
	struct rs_explain_case asked;
	int status = rs_explain_case(&args->words, rules->settings.body_limit, &memory, &asked);

	if (status == 0) {
		answer = rs_explain_answer(rules, &asked);
		if (args->json)
			rs_explain_print_json(rules, &answer, &asked);
		else
			rs_explain_print(rules, &answer, &asked);
	}
	free(memory.body);
	return status;
}

static int run(const struct arguments *args)
{
	struct rs_rules *rules;
	int status;

	if (args->help) {
		fputs(usage, stdout);
		return rs_cli_flush("explain") ? 0 : EXIT_FAILURE;
	}
	if (rs_cli_load_rules(args->paths, &rules) != 0)
		return EXIT_FAILURE;
	status = explain(args, rules);
	rs_rules_free(rules);
	return rs_cli_flush("explain") ? status : EXIT_FAILURE;
}

int rs_cli_explain(int argc, char **argv)
{
	struct arguments args = { .paths = NULL };
	int status = parse(&args, argc, argv);

	if (status == 0)
		status = run(&args);
	free(args.paths);
	free(args.headers);
	return status;
}
