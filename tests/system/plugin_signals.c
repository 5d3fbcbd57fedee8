/*
 * Preloaded after the library under test: whenever an attempt to connect is made a child of the
 * process might have ended, or its terminal have got another size.
 */
#include <dlfcn.h>
#include <signal.h>
#include <sys/socket.h>

#include "gnu.h"

#define EXPORT __attribute__((visibility("default")))

EXPORT int connect(int fd, RS_SOCKADDR_ARG addr, socklen_t len)
{
	int (*real)(int, const struct sockaddr *, socklen_t);

	*(void **)&real = dlsym(RTLD_NEXT, "connect");
	(void)raise(SIGCHLD);
	(void)raise(SIGWINCH);
	return real(fd, RS_SOCKADDR_OF(addr), len);
}
