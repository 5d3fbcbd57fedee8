/*
 * connect-case: what its cases share.
 *
 *   main_connect_case.c      sockets and arguments of every kind; who has taken descriptor 2
 *   connect_case_hanging.c   attempts that nobody answers
 *   connect_case_signals.c   signals, threads and children in the middle of a connect()
 */
#ifndef TESTS_CONNECT_CASE_H
#define TESTS_CONNECT_CASE_H

#include <netinet/in.h>

extern struct sockaddr_in case_target;

/* A TCP socket with these flags; and what connect() to the target says to it. */
int case_socket(int flags);
int case_connect(int fd);

/* Print what came of a call: "connected", or errno. */
void case_tell(int result);

/* The target becomes a listener of our own whose queue is full: the next connect to it hangs. */
void case_fill_own_listener(void);
/* Print whether there is a time limit on the socket. */
void case_tell_limit(int fd);

/* Cases of connect_case_hanging.c */
void connect_send_timeout(void);
void connect_hanging(void);
void connect_slow_failure(void);
void connect_hanging_reused(void);
void connect_slow_failure_reused(void);

/* Cases of connect_case_signals.c */
void connect_interrupted(void);
void connect_longjmp_out(void);
void connect_cancelled(void);
void connect_hanging_cancelled(void);
void connect_reused(void);
void connect_reused_second(void);
void connect_shut_down(void);
void connect_hanging_longjmp(void);
void connect_hanging_interrupted(void);
void connect_in_vfork(void);
void connect_in_handler(void);

#endif
