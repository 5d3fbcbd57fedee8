/*
 * What env(1) makes of the words in a script's first line.
 */
#ifndef RS_CLI_ENV_LINE_H
#define RS_CLI_ENV_LINE_H

/* The program that env would run, inside `line`, which is rewritten; NULL: none, or a line that env
 * refuses. The options are those of GNU coreutils, -S with its quotes among them. */
const char *rs_env_program(char *line);

#endif
