/*
 * What both kinds of commands have in common.
 */
#ifndef RS_OPS_COMMAND_RUN_H
#define RS_OPS_COMMAND_RUN_H

#include "ops/commands.h"
#include "ops/hook.h"

/* Run one of the rule's commands for an incident. The result is to be released. */
void rs_command_run(const struct rs_incident *incident, const char *const *argv,
		    const struct rs_patience *patience, struct rs_hook_result *result);

/* Begin to run it, for who cannot wait. */
void rs_command_start(const struct rs_incident *incident, const char *const *argv,
		      struct rs_hook_job *job);

/* Why a run counts as failed, as "exit status 3"; empty where it does not. */
void rs_command_why(const struct rs_hook_result *result, char *why, size_t size);

#endif
