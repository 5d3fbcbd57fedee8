/*
 * The verbs of the `retryshim` command, a file each. argv[0] is the verb's own name; the answer is
 * the command's exit status.
 */
#ifndef RS_CLI_VERBS_H
#define RS_CLI_VERBS_H

int rs_cli_check(int argc, char **argv);
int rs_cli_doctor(int argc, char **argv);
int rs_cli_explain(int argc, char **argv);
int rs_cli_plan(int argc, char **argv);
int rs_cli_run(int argc, char **argv);
int rs_cli_stats(int argc, char **argv);

/* Exit status of a usage error; and of all that goes wrong in `run` itself, so that it cannot be
 * taken for the program's own. */
#define RS_EXIT_USAGE      2
#define RS_EXIT_RUN_FAILED 125

#endif
