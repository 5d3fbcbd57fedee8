#include "connect/socket.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>

#include "real.h"
#include "real_libc.h"

uint64_t rs_socket_cookie(int fd)
{
	uint64_t cookie = 0;
	socklen_t len = sizeof(cookie);

	return rs_real_getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &len) == 0 ? cookie : 0;
}

bool rs_socket_connects(int fd)
{
	int type = 0;
	socklen_t len = sizeof(type);

	return rs_real_getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) == 0 &&
	       (type == SOCK_STREAM || type == SOCK_SEQPACKET);
}

bool rs_socket_is_nonblocking(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	return flags >= 0 && (flags & O_NONBLOCK) != 0;
}

/* Of sockets that connect only these are hung up without having ended. */
bool rs_socket_is_fresh(int fd)
{
	struct pollfd now = { .fd = fd, .events = POLLIN | POLLRDHUP };

	return rs_socket_connects(fd) && rs_real_poll(&now, 1, 0) == 1 && now.revents == POLLHUP;
}

bool rs_socket_blocks(int fd)
{
	return rs_socket_connects(fd) && !rs_socket_is_nonblocking(fd);
}

void rs_socket_dissolve(int fd)
{
	static const struct sockaddr nowhere = { .sa_family = AF_UNSPEC };
	int before;

	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before);
	(void)rs_real_connect()(fd, &nowhere, sizeof(nowhere));
	pthread_setcancelstate(before, NULL);
}

void rs_socket_call_off(int fd)
{
	int error;
	socklen_t len = sizeof(error);

	rs_socket_dissolve(fd);
	(void)rs_real_getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len);
}
