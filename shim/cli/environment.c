#include "cli/environment.h"

#include <err.h>
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/verbs.h"
#include "rules/fields.h"
#include "rules/keys.h"
#include "rules/values.h"

#define LIBRARY "libretryshim.so"

/* What separates the paths in LD_PRELOAD. */
#define PRELOAD_SEPARATORS ": "

__attribute__((format(printf, 1, 2))) static char *format(const char *text, ...)
{
	va_list args;
	char *made;

	va_start(args, text);
	if (vasprintf(&made, text, args) < 0)
		err(RS_EXIT_RUN_FAILED, NULL);
	va_end(args);
	return made;
}

static const char *inherited(const char *name)
{
	const char *value = getenv(name);

	return value ? value : "";
}

/* `list` and `item` with the separator between them, if there is something to separate. */
static char *joined(const char *list, const char *separator, const char *item)
{
	return format("%s%s%s", list, *list && *item ? separator : "", item);
}

const char *rs_environment_library(void)
{
	char self[PATH_MAX];
	ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);
	char *path, *slash;

	self[len > 0 ? len : 0] = '\0';
	slash = strrchr(self, '/');
	if (slash) {
		path = format("%.*s/" LIBRARY, (int)(slash - self), self);
		if (access(path, R_OK) == 0)
			return path;
	}
	return access(RS_LIBDIR "/" LIBRARY, R_OK) == 0 ? RS_LIBDIR "/" LIBRARY : NULL;
}

static const char *absolute(const char *path)
{
	char *here = *path == '/' ? NULL : getcwd(NULL, 0);

	if (*path != '/' && !here)
		err(RS_EXIT_RUN_FAILED, "cannot find out the current directory, for %s", path);
	return here ? format("%s/%s", here, path) : path;
}

void rs_environment_add_rules(struct rs_environment *env, const char *path)
{
	env->rules = joined(env->rules ? env->rules : "", ":", absolute(path));
}

void rs_environment_inherit_rules(struct rs_environment *env)
{
	char *next, *copy = format("%s", inherited("RETRYSHIM_RULES"));

	if (env->rules)
		return;
	for (char *path = strtok_r(copy, ":", &next); path; path = strtok_r(NULL, ":", &next))
		rs_environment_add_rules(env, path);
}

/* Is it the path of a file, and neither one of the words that may stand there nor a slip of one? */
static bool is_path(const struct rs_key *key, const char *value)
{
	struct rs_why why = { "" };
	unsigned choice;

	return *value && !rs_value_choice(value, key->choices, &choice, &why) &&
	       rs_value_place(value, key->choices, &why);
}

/* "key=value", where a path is meant as from here, whatever directory the program goes to. */
static const char *option_from_here(const char *option)
{
	const char *value = strchr(option, '=');
	char *name = format("%.*s", value ? (int)(value - option) : 0, option);
	const struct rs_key *key = rs_key_find(RS_SECTION_RETRYSHIM, rs_trim_text(name));
	const char *path;

	if (!value || !key || key->kind != RS_VALUE_LOG)
		return option;
	path = rs_trim_text(format("%s", value + 1));
	if (!is_path(key, path) || *path == '/')
		return option;
	path = absolute(path);
	if (strchr(path, ';'))
		errx(RS_EXIT_RUN_FAILED,
		     "%s: a path with ';' cannot be passed on in RETRYSHIM_OPTIONS; write it into a "
		     "rules file",
		     path);
	return format("%s=%s", key->name, path);
}

/* `options` without those that have the key of `option`. */
static char *without_key(const char *options, const char *option)
{
	size_t key = strcspn(option, "=");
	char *kept = format("%s", "");
	char *next, *copy = format("%s", options);

	for (char *word = strtok_r(copy, ";", &next); word; word = strtok_r(NULL, ";", &next)) {
		if (strncmp(word, option, key) != 0 || word[key] != '=')
			kept = joined(kept, ";", word);
	}
	return kept;
}

void rs_environment_add_option(struct rs_environment *env, const char *text)
{
	char *next, *copy = format("%s", text);

	if (!env->options)
		env->options = format("%s", inherited("RETRYSHIM_OPTIONS"));
	for (char *word = strtok_r(copy, ";", &next); word; word = strtok_r(NULL, ";", &next))
		env->options = joined(without_key(env->options, word), ";", option_from_here(word));
}

void rs_environment_add_fault(struct rs_environment *env, const char *text)
{
	env->faults = joined(env->faults ? env->faults : inherited("RETRYSHIM_FAULTS"), "\n", text);
}

/* Any copy of it, wherever it lies: two of them would multiply the retries. */
static bool is_library(const char *path)
{
	const char *slash = strrchr(path, '/');

	return strncmp(slash ? slash + 1 : path, LIBRARY, strlen(LIBRARY)) == 0;
}

static char *without_library(const char *preload)
{
	char *kept = format("%s", "");
	char *next, *copy = format("%s", preload);

	for (char *word = strtok_r(copy, PRELOAD_SEPARATORS, &next); word;
	     word = strtok_r(NULL, PRELOAD_SEPARATORS, &next)) {
		if (!is_library(word))
			kept = joined(kept, ":", word);
	}
	return kept;
}

void rs_environment_preload(struct rs_environment *env, const char *library, bool inherit)
{
	char *others = without_library(inherited("LD_PRELOAD"));

	env->preload = joined(library, ":", others);
	if (!inherit)
		env->no_inherit = format("%s%s", *others ? "LD_PRELOAD=" : "", others);
}

/* ---- giving it on ---- */

struct variable {
	const char *name;
	const char *value; /* NULL: leave it alone */
};

#define VARIABLES 6

static void list_variables(const struct rs_environment *env, struct variable list[VARIABLES])
{
	list[0] = (struct variable){ "LD_PRELOAD", env->preload };
	list[1] = (struct variable){ "RETRYSHIM_RULES", env->rules };
	list[2] = (struct variable){ "RETRYSHIM_OPTIONS", env->options };
	list[3] = (struct variable){ "RETRYSHIM_FAULTS", env->faults };
	list[4] = (struct variable){ "RETRYSHIM_NO_INHERIT", env->no_inherit };
	list[5] = (struct variable){ "RETRYSHIM_EARLY", env->early };
}

void rs_environment_apply(const struct rs_environment *env)
{
	struct variable list[VARIABLES];

	/* By that one a command of a rule is known, which is not guarded unless it asks for it. */
	unsetenv("RETRYSHIM_ATTEMPT");
	/* It may be that of a `run` which became this one. */
	unsetenv("RETRYSHIM_NO_INHERIT");
	list_variables(env, list);
	/* The program is going to be this very process. */
	if (env->no_inherit)
		list[4].value = format("%ld:%s", (long)getpid(), env->no_inherit);
	for (int i = 0; i < VARIABLES; i++) {
		if (list[i].value && setenv(list[i].name, list[i].value, 1) != 0)
			err(RS_EXIT_RUN_FAILED, NULL);
	}
}

static void print_quoted(const char *value)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				    "%+,-./:=@_";

	if (value[strspn(value, plain)] == '\0') {
		fputs(value, stdout);
		return;
	}
	putchar('\'');
	for (; *value; value++) {
		if (*value == '\'')
			fputs("'\\''", stdout);
		else
			putchar(*value);
	}
	putchar('\'');
}

void rs_environment_print(const struct rs_environment *env)
{
	struct variable list[VARIABLES];

	list_variables(env, list);
	for (int i = 0; i < VARIABLES; i++) {
		if (!list[i].value)
			continue;
		printf("%s=", list[i].name);
		print_quoted(list[i].value);
		putchar('\n');
	}
}
