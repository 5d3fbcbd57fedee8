#include "waiting.h"

#include <poll.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <unistd.h>

static bool by_poll(int fd, int timeout_ms)
{
	struct pollfd one = { .fd = fd, .events = POLLOUT };

	return poll(&one, 1, timeout_ms) == 1;
}

static bool by_select(int fd, int timeout_ms)
{
	struct timeval most = { .tv_sec = timeout_ms / 1000 };
	fd_set set;

	if (fd >= FD_SETSIZE)
		return false;
	FD_ZERO(&set);
	FD_SET(fd, &set);
	return select(fd + 1, NULL, &set, NULL, &most) == 1;
}

static bool by_epoll(int fd, int timeout_ms)
{
	struct epoll_event event = { .events = EPOLLOUT, .data.fd = fd };
	int epoll = epoll_create1(EPOLL_CLOEXEC), ready = -1;

	if (epoll >= 0 && epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0)
		ready = epoll_wait(epoll, &event, 1, timeout_ms);
	if (epoll >= 0)
		(void)close(epoll);
	return ready == 1 && event.data.fd == fd;
}

bool wait_writable(int fd, enum waiting waiting, int timeout_ms)
{
	switch (waiting) {
	case WAITS_BY_POLL:
		break;
	case WAITS_BY_SELECT:
		return by_select(fd, timeout_ms);
	case WAITS_BY_EPOLL:
		return by_epoll(fd, timeout_ms);
	}
	return by_poll(fd, timeout_ms);
}

int wait_connected(int fd, enum waiting waiting, int timeout_ms)
{
	int error = 0;
	socklen_t len = sizeof(error);

	if (!wait_writable(fd, waiting, timeout_ms) ||
	    getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0)
		return -1;
	return error;
}
