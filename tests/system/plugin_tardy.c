/*
 * Preloaded after the library under test: of the threads that wait in epoll_pwait(), every other
 * one gets the processor late when it has been told of an end.
 */
#include <dlfcn.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/epoll.h>
#include <unistd.h>

#define EXPORT  __attribute__((visibility("default")))
#define LATE_US 7000

static bool is_tardy(void)
{
	static atomic_uint threads;
	static _Thread_local unsigned number;

	if (number == 0)
		number = 1 + atomic_fetch_add(&threads, 1);
	return number % 2 == 0;
}

EXPORT int epoll_pwait(int epfd, struct epoll_event *events, int max, int timeout,
		       const sigset_t *mask)
{
	int (*real)(int, struct epoll_event *, int, int, const sigset_t *);
	int ready;

	*(void **)&real = dlsym(RTLD_NEXT, "epoll_pwait");
	ready = real(epfd, events, max, timeout, mask);
	if (ready > 0 && (events[0].events & EPOLLHUP) && is_tardy())
		usleep(LATE_US);
	return ready;
}
