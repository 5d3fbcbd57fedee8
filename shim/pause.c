#include "pause.h"

#include <pthread.h>
#include <time.h>

#include "real_libc.h"
#include "retry/ns.h"

void rs_signals_hold(struct rs_before *before)
{
	sigset_t all;

	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before->cancel_state);
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &before->mask);
}

void rs_signals_let(const struct rs_before *before)
{
	sigprocmask(SIG_SETMASK, &before->mask, NULL);
	pthread_setcancelstate(before->cancel_state, NULL);
}

void rs_signals_hold_to_wait(struct rs_before *before)
{
	pthread_testcancel();
	rs_signals_hold(before);
}

bool rs_signal_is_ignored(int number)
{
	struct sigaction action;

	if (sigaction(number, NULL, &action) != 0 || action.sa_handler == SIG_IGN)
		return true;
	return action.sa_handler == SIG_DFL &&
	       (number == SIGCHLD || number == SIGURG || number == SIGWINCH || number == SIGCONT);
}

void rs_signals_drop_ignored(const sigset_t *mask)
{
	static const struct timespec at_once;
	sigset_t pending, ignored;
	bool any = false;

	sigemptyset(&ignored);
	if (sigpending(&pending) != 0)
		return;
	for (int number = 1; number < NSIG; number++) {
		if (sigismember(&pending, number) != 1 || sigismember(mask, number) != 0 ||
		    !rs_signal_is_ignored(number))
			continue;
		sigaddset(&ignored, number);
		any = true;
	}
	while (any && sigtimedwait(&ignored, NULL, &at_once) > 0)
		continue;
}

void rs_cancel_let(const struct rs_before *before)
{
	pthread_setcancelstate(before->cancel_state, NULL);
}

void rs_cancel_hold(void)
{
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
}

bool rs_pause(int64_t ns, const struct rs_before *before)
{
	struct timespec wait = { .tv_sec = ns / RS_NS_PER_S, .tv_nsec = ns % RS_NS_PER_S };
	bool passed;

	if (!before)
		return rs_real_ppoll(NULL, 0, &wait, NULL) == 0;
	rs_cancel_let(before);
	passed = rs_real_ppoll(NULL, 0, &wait, &before->mask) == 0;
	rs_cancel_hold();
	return passed;
}
