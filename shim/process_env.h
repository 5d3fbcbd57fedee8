/*
 * What the environment said when the process started: for process.c, which notes it, and
 * process_rules.c, which goes by it.
 */
#ifndef RS_PROCESS_ENV_H
#define RS_PROCESS_ENV_H

#include <stdbool.h>

#include "process.h"

/*
 * Copies: programs that set their title write over the environment. They lie in BSS, so that a
 * program which never needs the rules never touches their pages.
 */
extern struct rs_process_env {
	char rules[RS_ENV_RULES_SIZE];
	char options[RS_ENV_OPTIONS_SIZE];
	char faults[RS_ENV_FAULTS_SIZE];
	char config_home[RS_ENV_PATH_SIZE]; /* this and the next as they stand: see
					       rs_process_directory() */
	char runtime_dir[RS_ENV_PATH_SIZE];
	bool disabled;
	const char *too_long; /* the variable that did not fit, or NULL */
} rs_process_env __attribute__((visibility("hidden")));

/* config_home or runtime_dir; "" under secure execution. */
const char *rs_process_directory(const char *directory);

#endif
