/*
 * What programs wait with, where connects are pending: the failures that are retried stay hidden,
 * the attempts that are due are made, and the program's own limit holds.
 *
 * While all that is pending is plain (connect/pending.h) there is nothing to be done before a wait:
 * the program's own call is made, and what it returned is looked at. That takes no system call
 * unless something has failed.
 *
 * Each takes the place of the real call for one call of the program, and returns what that would:
 * a count, or -1 and errno. They may be cancelled, and left by siglongjmp, while they wait: nothing
 * is held then, but for the pages that an array of many descriptors is copied to.
 */
#ifndef RS_CONNECT_WAITS_H
#define RS_CONNECT_WAITS_H

#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <time.h>

struct rs_before;

/* How long, and under which signal mask. */
struct rs_limit {
	int64_t deadline_ns;            /* CLOCK_MONOTONIC; RS_FOREVER: none */
	const sigset_t *mask;           /* NULL: the thread's */
	const struct rs_before *before; /* what it held back; set by the wait itself */
};

/* How long until then, for the p-variants; NULL where that is never. */
const struct timespec *rs_time_left(int64_t until_ns, int64_t now_ns, struct timespec *left);

/* `ready` descriptors were reported by a wait that began when rs_pending_taken() was `since`.
 * False: any may be the failure of a pending connect, and rs_wait_poll() is to look again: poll()
 * takes nothing away. Those that have connected are pending no longer. No system call; signals need
 * not be held back. */
bool rs_poll_plainly(const struct pollfd *fds, int ready, uint32_t since);

/* Is any descriptor of the array that of a pending connect, or may it be a set that has one? */
bool rs_poll_concerned(const struct pollfd *fds, nfds_t count);
int rs_wait_poll(struct pollfd *fds, nfds_t count, struct rs_limit limit);

struct rs_fd_sets {
	int count;
	fd_set *sets[3]; /* to read, to write, exceptions; each may be NULL */
};
bool rs_select_concerned(const struct rs_fd_sets *sets);
int rs_wait_select(const struct rs_fd_sets *sets, struct rs_limit limit);

/* The program's own select() (`interval`, where the rest of it is left) or pselect(). */
struct rs_select_call {
	struct rs_fd_sets sets;
	struct timeval *interval;
	const struct timespec *timeout; /* pselect()'s; `interval` is NULL then */
	const sigset_t *mask;
	bool is_pselect;
};

/* It is made, while plain connects are pending. False: nothing has been reported to the program,
 * and rs_wait_select() is to do it in the time that is left. */
bool rs_select_plainly(const struct rs_select_call *call, int *ready);

/* Which one the program called. Those without a p have no mask, and the last a limit in
 * nanoseconds. */
enum rs_epoll_call { RS_EPOLL_WAIT, RS_EPOLL_PWAIT, RS_EPOLL_PWAIT2 };

/* `ready`: the real call has returned that many events already; 0: it is yet to be made. */
struct rs_epoll_wait {
	int epfd;
	struct epoll_event *events;
	int max;
	int ready;
	enum rs_epoll_call by;
};
int rs_wait_epoll(const struct rs_epoll_wait *call, struct rs_limit limit);

/* `call->ready` events were reported. False: any may be the failure of a pending connect, and
 * rs_wait_epoll() is to look at it. Which of them tell of a connection is not known. */
bool rs_epoll_plainly(const struct rs_epoll_wait *call);

#endif
