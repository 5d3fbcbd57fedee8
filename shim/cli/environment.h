/*
 * The environment that puts a program under the shim. For a command that lives shortly: what is
 * allocated is never freed, and no memory ends the command.
 */
#ifndef RS_CLI_ENVIRONMENT_H
#define RS_CLI_ENVIRONMENT_H

#include <stdbool.h>

struct rs_environment {
	char *preload;     /* LD_PRELOAD: the library, then what was there before */
	char *rules;       /* RETRYSHIM_RULES; NULL: as inherited */
	char *options;     /* RETRYSHIM_OPTIONS; NULL: as inherited */
	char *faults;      /* RETRYSHIM_FAULTS; NULL: as inherited */
	char *no_inherit;  /* RETRYSHIM_NO_INHERIT: the entry that LD_PRELOAD was; NULL: not set.
			      Applied, it begins with the process that is to be the program */
	const char *early; /* RETRYSHIM_EARLY; NULL: as inherited */
};

/* The shim beside this command, else in its installed place; NULL where it is in neither. Never
 * in the current directory. */
const char *rs_environment_library(void);

/* Add a rules file, made absolute. */
void rs_environment_add_rules(struct rs_environment *env, const char *path);

/* Where no rules file was added: take those of the environment, made absolute, too. */
void rs_environment_inherit_rules(struct rs_environment *env);

/* Add "key=value" (or several, with ';') to the options, inherited ones included; a key that was
 * there takes the new value, and a relative path is one from the current directory. */
void rs_environment_add_option(struct rs_environment *env, const char *text);

/* Add a fault, "key=value,key=value", to those there are. With "": only see to it that the rules'
 * own faults strike from the first call on. */
void rs_environment_add_fault(struct rs_environment *env, const char *text);

/* Preload `library`, once and no other copy of it, before what LD_PRELOAD holds. With `inherit`
 * false the program's children will get LD_PRELOAD without it. */
void rs_environment_preload(struct rs_environment *env, const char *library, bool inherit);

/* Make it this process's environment. */
void rs_environment_apply(const struct rs_environment *env);

/* Print it, NAME=value a line, quoted for a shell where need be. */
void rs_environment_print(const struct rs_environment *env);

#endif
