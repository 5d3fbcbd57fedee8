/*
 * pending-case: what its cases share.
 *
 *   main_pending_case.c        epoll, and timeouts
 *   pending_case_poll.c        poll and select
 *   pending_case_descriptor.c  the descriptor, asked and used in the middle of it
 *   pending_case_kept.c        calls that look like its end, and are not
 *   pending_case_set.c         epoll sets as they are read
 *   pending_case_nested.c      waiting for a set that has it, or for a signal
 *   pending_case_fork.c        two processes that have it
 *   pending_case_signals.c     waits that a signal ends
 *   pending_case_cancel.c      threads that are cancelled
 */
#ifndef TESTS_PENDING_CASE_H
#define TESTS_PENDING_CASE_H

#include <netinet/in.h>
#include <poll.h>
#include <time.h>

extern struct sockaddr_in case_target;
extern const struct timespec case_patience; /* 15 s */

/* A socket that connects to the target, and has not been answered; and one as poll() takes it.
 */
int case_begin(void);
struct pollfd case_polled(short events);

/* The port that it is bound to, of this machine. */
in_port_t case_port(int fd);

/* "0", or as errno_name(). */
const char *case_error_name(int error);

/* What a program asks once it was told that the connect is over. */
void case_tell_outcome(int fd);
/* The same, and what poll() had told. */
void case_tell_poll(int ready, const struct pollfd *fds);

/* Cases of pending_case_poll.c */
void pending_poll(void);
void pending_poll_for_all(void);
void pending_ppoll(void);
void pending_poll_chk(void);
void pending_ppoll_chk(void);
void pending_poll_among(void);
void pending_many(void);
void pending_select(void);
void pending_select_large(void);
void pending_pselect(void);
void pending_errno(void);

/* Cases of pending_case_descriptor.c */
void pending_ask_error(void);
void pending_ask_late(void);
void pending_ask_connect(void);
void pending_told_by_connect(void);
void pending_tried_anew(void);
void pending_bound(void);
void pending_told_by_read(void);
void pending_told_by_recv(void);
void pending_told_late(void);
void pending_told_by_write(void);
void pending_told_by_send(void);
void pending_options(void);
void pending_defaults(void);
void pending_reused(void);
void pending_bad_pointers(void);
void pending_reused_unseen(void);
void pending_reused_at_once(void);
void pending_given_up(void);
void pending_shut_down(void);

/* Cases of pending_case_kept.c */
void pending_vfork_closes(void);
void pending_vfork_replaces(void);
void pending_fork_closes(void);
void pending_dup_fails(void);

/* Cases of pending_case_set.c */
void pending_namesakes(void);
void pending_number_twice(void);
void pending_set_by_set(void);
void pending_reported_before(void);
void pending_elsewhere(void);
void pending_unread(void);
void pending_unread_later(void);
void pending_many_in_a_set(void);
void pending_sandboxed(void);

/* Cases of pending_case_nested.c */
void pending_in_a_set(void);
void pending_in_a_poll(void);
void pending_in_a_select(void);
void pending_signalled(void);

/* Cases of pending_case_fork.c */
void pending_forked_at_once(void);
void pending_forked(void);
void pending_forked_both(void);
void pending_forked_aside(void);

/* Cases of pending_case_signals.c */
void pending_interrupted(void);
void pending_interrupted_asking(void);
void pending_longjmp_out(void);

/* Cases of pending_case_cancel.c */
void pending_cancelled(void);
void pending_cancelled_at_work(void);
void pending_cancelled_before(void);

#endif
