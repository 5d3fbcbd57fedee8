/*
 * What a command is told about the outcome that it runs for: the variables RETRYSHIM_RULE, CALL,
 * METHOD, URL, HOST, PORT, STATUS, ERROR, ATTEMPT, ELAPSED_MS, PROGRAM and PID, all of them always
 * there, empty where there is nothing to tell. No user info, query or request header. Pure.
 */
#ifndef RS_OPS_HOOK_ENV_H
#define RS_OPS_HOOK_ENV_H

#include "ops/hook.h"
#include "ops/incident.h"

/* Into buf as struct rs_hook wants it. */
struct rs_span rs_hook_env(const struct rs_incident *incident, int pid, char buf[RS_HOOK_ENV]);

#endif
