/* retryshim plan: what a policy's waits would be. */
#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/output.h"
#include "cli/plan_math.h"
#include "cli/plan_print.h"
#include "cli/rules_arg.h"
#include "cli/verbs.h"
#include "rules/load.h"
#include "rules/names.h"

#define USAGE "retryshim plan [-r RULES]... [-n N] [--json] [POLICY|RULE]"

#define EXIT_USAGE    2
#define MOST_ATTEMPTS 10000
#define NAMES_LISTED  12 /* of each kind, where what was meant cannot be guessed */
#define A_SCREEN_MUCH 20 /* of a policy without a limit, where -n says nothing */

struct arguments {
	char *paths;
	const char *name;
	int attempts; /* at most so many; 0: -n says nothing */
	bool json, help;
};

static int usage_error(const char *wrong, const char *what, const char *meant)
{
	fprintf(stderr, "retryshim: plan: %s%s%s; %s\n", wrong, what ? " " : "", what ? what : "",
		meant);
	return EXIT_USAGE;
}

static int parse_attempts(const char *text, int *attempts)
{
	char *end;
	long value;

	errno = 0;
	value = strtol(text, &end, 10);
	if (end == text || *end != '\0' || errno != 0 || value < 1 || value > MOST_ATTEMPTS)
		return usage_error("-n takes a number of attempts from 1 to 10000, not", text,
				   "as in -n 20");
	*attempts = (int)value;
	return 0;
}

static int bad_option(const char *option)
{
	static const char *const options[] = { "--json", "--help" };
	const char *near = rs_nearest(option, options, 2);
	char meant[64];

	if (!near)
		return usage_error("unknown option", option, "usage: " USAGE);
	snprintf(meant, sizeof(meant), "did you mean %s?", near);
	return usage_error("unknown option", option, meant);
}

static int bad_short_option(int option)
{
	const char name[] = { '-', (char)option, '\0' };

	return bad_option(name);
}

/* Beyond every character, so that an error can tell which it was. */
enum {
	OPTION_JSON = 256,
	OPTION_HELP,
};

static int wrong_option(const char *given)
{
	if (optopt >= OPTION_JSON)
		return usage_error("an option that takes no value:", given, "usage: " USAGE);
	return optopt ? bad_short_option(optopt) : bad_option(given);
}

static int missing_value(int option)
{
	return usage_error(option == 'r' ? "-r without a rules file" : "-n without a number", NULL,
			   "usage: " USAGE);
}

static int add_rules(struct arguments *args, const char *path)
{
	int rc = *path ? rs_cli_add_path(&args->paths, path) : missing_value('r');

	if (rc == -EINVAL)
		return usage_error("':' separates files and cannot stand in the name", path,
				   "rename the file or link to it");
	return rc;
}

static int parse_options(int argc, char **argv, struct arguments *args)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, OPTION_JSON },
		{ "help", no_argument, NULL, OPTION_HELP },
		{ NULL, 0, NULL, 0 },
	};
	int option, error = 0;

	optind = 0;
	while (error == 0 && (option = getopt_long(argc, argv, ":r:n:", options, NULL)) != -1) {
		if (option == 'r')
			error = add_rules(args, optarg);
		else if (option == 'n')
			error = parse_attempts(optarg, &args->attempts);
		else if (option == OPTION_JSON)
			args->json = true;
		else if (option == OPTION_HELP)
			args->help = true;
		else if (option == ':')
			error = missing_value(optopt);
		else
			error = wrong_option(argv[optind - 1]);
	}
	return error;
}

static int parse_arguments(int argc, char **argv, struct arguments *args)
{
	int error = parse_options(argc, argv, args);

	if (error == 0 && optind < argc - 1)
		return usage_error("one policy or rule at a time, not also", argv[optind + 1],
				   "usage: " USAGE);
	if (error == 0 && optind < argc)
		args->name = argv[optind];
	return error;
}

/* What the user asked about. */
struct subject {
	const struct rs_policy *policy;
	const struct rs_rule *rule; /* NULL: a policy as such */
};

/* Policies come before rules of the same name. */
static struct subject find_subject(const struct rs_rules *rules, const char *name)
{
	for (size_t i = 0; i < rules->policy_count; i++) {
		if (strcmp(rules->policies[i].name, name) == 0)
			return (struct subject){ &rules->policies[i], NULL };
	}
	for (size_t i = 0; i < rules->rule_count; i++) {
		if (strcmp(rules->rules[i].name, name) == 0)
			return (struct subject){ &rules->rules[i].policy, &rules->rules[i] };
	}
	return (struct subject){ NULL, NULL };
}

static const char *nearest_subject(const struct rs_rules *rules, const char *name)
{
	const size_t count = rules->policy_count + rules->rule_count;
	const char **names = calloc(count + 1, sizeof(*names));
	const char *near;

	if (!names)
		return NULL;
	for (size_t i = 0; i < rules->policy_count; i++)
		names[i] = rules->policies[i].name;
	for (size_t i = 0; i < rules->rule_count; i++)
		names[rules->policy_count + i] = rules->rules[i].name;
	near = rs_nearest(name, names, count);
	free(names);
	return near;
}

static void list_name(size_t i, const char *name)
{
	if (i <= NAMES_LISTED)
		fprintf(stderr, " %s", i < NAMES_LISTED ? name : "…");
}

static void list_subjects(const struct rs_rules *rules)
{
	fputs("; policies:", stderr);
	for (size_t i = 0; i < rules->policy_count; i++)
		list_name(i, rules->policies[i].name);
	if (rules->rule_count > 0)
		fputs("; rules:", stderr);
	for (size_t i = 0; i < rules->rule_count; i++)
		list_name(i, rules->rules[i].name);
}

static int no_such_subject(const struct rs_rules *rules, const char *name)
{
	const char *near = nearest_subject(rules, name);

	fprintf(stderr, "retryshim: plan: no policy or rule is called %s", name);
	if (near)
		fprintf(stderr, "; did you mean %s?", near);
	else
		list_subjects(rules);
	fputc('\n', stderr);
	return EXIT_USAGE;
}

static int attempts_wanted(const struct rs_policy *policy, const struct arguments *args)
{
	if (args->attempts > 0)
		return args->attempts;
	return policy->max_attempts == RS_UNLIMITED && !args->json ? A_SCREEN_MUCH : MOST_ATTEMPTS;
}

static struct rs_plan plan_of(const struct subject *subject, struct rs_plan_wait *waits,
			      size_t limit)
{
	static const struct rs_plan none;

	if (subject->rule && !rs_plan_retries(subject->rule->class))
		return none;
	return rs_plan_make(subject->policy, NULL, waits, limit);
}

static int print_plan(const struct subject *subject, const struct arguments *args)
{
	const size_t limit = (size_t)attempts_wanted(subject->policy, args) - 1;
	struct rs_plan_wait *waits = calloc(limit + 1, sizeof(*waits));
	struct rs_plan plan;

	if (!waits)
		return -ENOMEM;
	plan = plan_of(subject, waits, limit);
	if (args->json)
		rs_plan_print_json(subject->policy, &plan);
	else
		rs_plan_print_table(subject->policy, subject->rule, &plan);
	free(waits);
	return rs_cli_flush("plan") ? 0 : EXIT_FAILURE;
}

static int plan_with_rules(const struct rs_rules *rules, const struct arguments *args)
{
	const char *name = args->name ? args->name : "default";
	struct subject subject = find_subject(rules, name);

	if (!subject.policy)
		return no_such_subject(rules, name);
	return print_plan(&subject, args);
}

static int run(const struct arguments *args)
{
	struct rs_rules *rules;
	int result;

	if (args->help) {
		puts("usage: " USAGE "\n"
		     "\n"
		     "  -r RULES  rules file; several read as one, in order\n"
		     "  -n N      attempts at most, 1 to 10000 (20 where the policy sets no limit)\n"
		     "  --json    print an object\n"
		     "\n"
		     "Without a name: the policy default.");
		return rs_cli_flush("plan") ? 0 : EXIT_FAILURE;
	}
	if (rs_cli_load_rules(args->paths, &rules) != 0)
		return EXIT_FAILURE;
	result = plan_with_rules(rules, args);
	rs_rules_free(rules);
	return result;
}

int rs_cli_plan(int argc, char **argv)
{
	struct arguments args = { 0 };
	int result = parse_arguments(argc, argv, &args);

	if (result == 0)
		result = run(&args);
	free(args.paths);
	if (result >= 0)
		return result;
	fprintf(stderr, "retryshim: plan: %s\n", strerror(-result));
	return EXIT_FAILURE;
}
