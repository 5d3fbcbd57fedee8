#include "connect/patience.h"

#include <stdbool.h>
#include <stddef.h>

static bool is_ignored(int number)
{
	struct sigaction action;

	if (sigaction(number, NULL, &action) != 0 || action.sa_handler == SIG_IGN)
		return true;
	return action.sa_handler == SIG_DFL &&
	       (number == SIGCHLD || number == SIGURG || number == SIGWINCH || number == SIGCONT);
}

static bool no_signal_waits(void *program_mask)
{
	sigset_t pending;

	sigpending(&pending);
	for (int number = 1; number < NSIG; number++) {
		if (sigismember(&pending, number) == 1 && sigismember(program_mask, number) == 0 &&
		    !is_ignored(number))
			return false;
	}
	return true;
}

struct rs_patience rs_connect_patience(sigset_t *program_mask)
{
	return (struct rs_patience){ no_signal_waits, program_mask };
}
