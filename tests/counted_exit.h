/*
 * For make coverage alone, in front of every source: what a process has run is written down at
 * exit(3), which one that ends by _exit(2), as the helper between program and command does, or that
 * becomes another program, passes by.
 */
#ifndef RS_TESTS_COUNTED_EXIT_H
#define RS_TESTS_COUNTED_EXIT_H

#include <signal.h>
#include <unistd.h>

void __gcov_dump(void);
void __gcov_reset(void);

static volatile sig_atomic_t rs_exit_status __attribute__((unused));

static inline void rs_exit_uncounted(int signal)
{
	(void)signal;
	_exit(rs_exit_status);
}

/* To write it down takes memory, and in the child of a program with threads the allocator's lock
 * may be one that nobody will give back: then it is not written down. */
static inline void rs_gcov_dump(int status)
{
	const struct sigaction give_up = { .sa_handler = rs_exit_uncounted };
	struct sigaction before;
	sigset_t alarms, mask;

	rs_exit_status = status;
	(void)sigemptyset(&alarms);
	(void)sigaddset(&alarms, SIGALRM);
	(void)sigaction(SIGALRM, &give_up, &before);
	(void)sigprocmask(SIG_UNBLOCK, &alarms, &mask);
	(void)alarm(5);
	__gcov_dump();
	(void)alarm(0);
	(void)sigprocmask(SIG_SETMASK, &mask, NULL);
	(void)sigaction(SIGALRM, &before, NULL);
}

static inline __attribute__((noreturn)) void rs_counted_exit(int status)
{
	rs_gcov_dump(status);
	_exit(status);
}

static inline int rs_counted_execvp(const char *file, char *const *argv)
{
	int rc;

	rs_gcov_dump(127);
	rc = execvp(file, argv);
	__gcov_reset();
	return rc;
}

#define _exit(status)      rs_counted_exit(status)
#define execvp(file, argv) rs_counted_execvp(file, argv)

#endif
