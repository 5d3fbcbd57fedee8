#include "pause.h"

#include "real_libc.h"
#include "retry/ns.h"

void rs_signals_hold(sigset_t *before)
{
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, before);
}

void rs_signals_let(const sigset_t *before)
{
	sigprocmask(SIG_SETMASK, before, NULL);
}

bool rs_pause(int64_t ns, const sigset_t *mask)
{
	struct timespec wait = { .tv_sec = ns / RS_NS_PER_S, .tv_nsec = ns % RS_NS_PER_S };

	return rs_real_ppoll(NULL, 0, &wait, mask) == 0;
}
