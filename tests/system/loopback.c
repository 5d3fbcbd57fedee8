#include "loopback.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <sys/socket.h>

int loopback_bound(struct sockaddr_in *addr)
{
	socklen_t len = sizeof(*addr);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	*addr = (struct sockaddr_in){ .sin_family = AF_INET };
	addr->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (bind(fd, (struct sockaddr *)addr, len) != 0 ||
	    getsockname(fd, (struct sockaddr *)addr, &len) != 0)
		abort();
	return fd;
}
