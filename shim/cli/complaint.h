/*
 * How the command tells what is wrong with rules.
 */
#ifndef RS_CLI_COMPLAINT_H
#define RS_CLI_COMPLAINT_H

#include "rules/load.h"

/* For rs_load_request.complain: "file:line: error: text", or "warning", a line on stderr. */
void rs_cli_print_complaint(void *arg, const struct rs_complaint *complaint);

#endif
