/*
 * How long a blocking connect() waits for a command: until a signal comes that the program would
 * have had by now.
 */
#ifndef RS_CONNECT_PATIENCE_H
#define RS_CONNECT_PATIENCE_H

#include <signal.h>

#include "ops/commands.h"

/* While all signals wait; `program_mask` is that of before, and stays the caller's. The command is
 * ended then, so that the handler may run, and leave for good, when nothing of it is left. */
struct rs_patience rs_connect_patience(sigset_t *program_mask);

#endif
