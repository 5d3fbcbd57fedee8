/*
 * What an epoll set has reported, where connects are pending: which of it the program may see.
 */
#ifndef RS_CONNECT_EPOLL_REPORT_H
#define RS_CONNECT_EPOLL_REPORT_H

#include <stdint.h>
#include <sys/epoll.h>

/* A connect that fails reports these, and any other descriptor whose end has come. */
#define RS_EPOLL_ENDED ((uint32_t)(EPOLLERR | EPOLLHUP))

/*
 * `count` events have been reported: what has failed and is tried again is hidden, and the set kept
 * quiet about it. Returns how many are left, which are the first. Signals are held back, and so is
 * cancellation.
 */
int rs_epoll_report(int epfd, struct epoll_event *events, int count, int64_t now_ns);

#endif
