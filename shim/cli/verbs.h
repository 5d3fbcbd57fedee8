/*
 * The verbs of the command. argv[0] is the verb itself; the result is the exit status.
 */
#ifndef RS_CLI_VERBS_H
#define RS_CLI_VERBS_H

int rs_cli_run(int argc, char **argv);
int rs_cli_check(int argc, char **argv);
int rs_cli_plan(int argc, char **argv);

#endif
