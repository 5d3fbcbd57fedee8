/*
 * What programs wait with, where connects are pending: the failures that are retried stay hidden,
 * the attempts that are due are made, and the program's own limit holds.
 *
 * Each takes the place of the real call for one call of the program, and returns what that would:
 * a count, or -1 and errno. They may be cancelled, and left by siglongjmp, while they wait: nothing
 * is held then.
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

/* How long, and under which signal mask. */
struct rs_limit {
	int64_t deadline_ns;  /* CLOCK_MONOTONIC; RS_FOREVER: none */
	const sigset_t *mask; /* NULL: the thread's */
};

int64_t rs_deadline_ms(int timeout_ms);                  /* < 0: none */
int64_t rs_deadline_timespec(const struct timespec *in); /* NULL: none */

/* How long until then, for the p-variants; NULL where that is never. */
const struct timespec *rs_time_left(int64_t until_ns, int64_t now_ns, struct timespec *left);

/* Is any descriptor of the array that of a pending connect? */
bool rs_poll_concerned(const struct pollfd *fds, nfds_t count);
int rs_wait_poll(struct pollfd *fds, nfds_t count, struct rs_limit limit);

struct rs_fd_sets {
	int count;
	fd_set *sets[3]; /* to read, to write, exceptions; each may be NULL */
};
bool rs_select_concerned(const struct rs_fd_sets *sets);
int rs_wait_select(const struct rs_fd_sets *sets, struct rs_limit limit);

/* `ready`: the real call has returned that many events already; 0: it is yet to be made. */
struct rs_epoll_wait {
	int epfd;
	struct epoll_event *events;
	int max;
	int ready;
	bool in_ns; /* the program's limit is one of nanoseconds, not milliseconds */
};
int rs_wait_epoll(const struct rs_epoll_wait *call, struct rs_limit limit);

/* The same for poll(), where `ready` has been returned. */
int rs_wait_poll_again(struct pollfd *fds, nfds_t count, int ready, struct rs_limit limit);

#endif
