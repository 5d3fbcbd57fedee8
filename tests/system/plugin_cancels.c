/*
 * Preloaded after the library under test: who makes the second attempt to connect has been
 * cancelled by then.
 */
#include <dlfcn.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>

#include "gnu.h"

#define EXPORT __attribute__((visibility("default")))

EXPORT int connect(int fd, RS_SOCKADDR_ARG addr, socklen_t len)
{
	static atomic_int attempts;
	int (*real)(int, const struct sockaddr *, socklen_t);

	*(void **)&real = dlsym(RTLD_NEXT, "connect");
	if (RS_SOCKADDR_OF(addr)->sa_family == AF_INET && atomic_fetch_add(&attempts, 1) == 1)
		pthread_cancel(pthread_self());
	return real(fd, RS_SOCKADDR_OF(addr), len);
}
