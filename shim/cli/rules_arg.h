/*
 * The rules that a verb speaks about: those of its -r options, else those in force.
 */
#ifndef RS_CLI_RULES_ARG_H
#define RS_CLI_RULES_ARG_H

#include "retry/rule.h"

/* Append `path` to the colon-separated list in *paths (NULL: begin one), which the caller frees.
 * 0; -ENOMEM; or -EINVAL, since a path that has a colon would be two. */
int rs_cli_add_path(char **paths, const char *path);

/* Load the rules of `paths`, or, where that is NULL, the rules in force, with the options of the
 * environment, as `run` does. What is wrong with them goes to stderr. 0 and *rules, which
 * rs_rules_free() frees; or -errno. */
int rs_cli_load_rules(const char *paths, struct rs_rules **rules);

#endif
