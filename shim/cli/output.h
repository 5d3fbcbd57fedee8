/*
 * The end of what a verb prints.
 */
#ifndef RS_CLI_OUTPUT_H
#define RS_CLI_OUTPUT_H

#include <stdbool.h>

/* Write out what stdout still holds. False where it, or something before it, could not be written:
 * that is said on stderr, in the name of `verb` ("": of the command). */
bool rs_cli_flush(const char *verb);

#endif
