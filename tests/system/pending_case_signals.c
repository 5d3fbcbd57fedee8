/*
 * Waits for a pending connect that end before it does: by a signal, or by a jump out of its
 * handler.
 */
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>

#include "pending_case.h"

static void on_signal(int number)
{
	(void)number;
}

static void handle(void (*handler)(int))
{
	struct sigaction action = { .sa_handler = handler, .sa_flags = SA_RESTART };

	sigaction(SIGUSR1, &action, NULL);
}

void pending_interrupted(void)
{
	struct pollfd fds = case_polled(POLLOUT);

	handle(on_signal);
	printf("%d ", poll(&fds, 1, 15000));
	printf("%s\n", case_error_name(errno));
}

void pending_interrupted_asking(void)
{
	int fd = case_begin();

	handle(on_signal);
	case_tell_outcome(fd);
}

static sigjmp_buf way_out;

static void leave(int number)
{
	(void)number;
	siglongjmp(way_out, 1);
}

/* Out of a wait; what is pending stays so. */
void pending_longjmp_out(void)
{
	static struct pollfd fds;
	sigset_t mask;

	fds = case_polled(POLLOUT);
	handle(leave);
	if (sigsetjmp(way_out, 1) == 0)
		printf("%d\n", poll(&fds, 1, 15000));
	sigprocmask(SIG_BLOCK, NULL, &mask);
	printf("left, %s, %d\n", sigismember(&mask, SIGUSR1) ? "blocked" : "mask kept", fds.fd > 0);
	printf("%d\n", poll(&fds, 1, 0));
}
