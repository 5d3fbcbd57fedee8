/*
 * connect-loop WAY PORT [COUNT]: an event loop that connects COUNT times to 127.0.0.1:PORT, one
 * after the other, and turns every few milliseconds. Prints what connect() said, the events that
 * ended each connect, its error, and whether the loop ever stalled.
 *
 * WAY is what it waits with. give-up: poll; closes the descriptor in the middle of it, and stays.
 * again: poll; connects a second time at once. ask: no wait at all, but SO_ERROR.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define TURN_MS    5
#define STALL_MS   450
#define GIVE_UP_MS 150
#define LIMIT_MS   15000

static struct sockaddr_in target;
static const char *way;
static int64_t turned_ms, longest_ms;

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static bool is_way(const char *name)
{
	return strcmp(way, name) == 0;
}

static const char *name_of(int error)
{
	return error ? strerrorname_np(error) : "0";
}

static void turn(void)
{
	int64_t now = now_ms();

	if (now - turned_ms > longest_ms)
		longest_ms = now - turned_ms;
	turned_ms = now;
}

/* ---- one turn's wait: the events, or 0 ---- */

static unsigned wait_poll(int fd)
{
	struct pollfd fds = { .fd = fd, .events = POLLOUT | POLLIN | POLLRDHUP };

	return poll(&fds, 1, TURN_MS) == 1 ? (unsigned)fds.revents : 0;
}

static unsigned wait_select(int fd)
{
	struct timeval limit = { .tv_usec = TURN_MS * 1000L };
	fd_set to_read, to_write;

	FD_ZERO(&to_read);
	FD_ZERO(&to_write);
	FD_SET(fd, &to_read);
	FD_SET(fd, &to_write);
	if (select(fd + 1, &to_read, &to_write, NULL, &limit) <= 0)
		return 0;
	return (FD_ISSET(fd, &to_read) ? 1u : 0u) | (FD_ISSET(fd, &to_write) ? 2u : 0u);
}

static uint32_t trigger(void)
{
	if (is_way("edge"))
		return EPOLLET;
	return is_way("one-shot") ? EPOLLONESHOT : 0;
}

static unsigned wait_epoll(int set)
{
	struct epoll_event event;

	return epoll_wait(set, &event, 1, TURN_MS) == 1 ? event.events : 0;
}

static unsigned wait_somehow(int fd, int set)
{
	if (set >= 0)
		return wait_epoll(set);
	return is_way("select") ? wait_select(fd) : wait_poll(fd);
}

/* ---- a connect ---- */

static int begin(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	errno = 0;
	(void)connect(fd, (struct sockaddr *)&target, sizeof(target));
	printf("%s", name_of(errno));
	if (is_way("again")) {
		(void)connect(fd, (struct sockaddr *)&target, sizeof(target));
		printf(" %s", name_of(errno));
	}
	return fd;
}

static int set_with(int fd)
{
	struct epoll_event event = { .events = EPOLLOUT | EPOLLIN | EPOLLRDHUP | trigger() };
	int set = epoll_create1(0);

	epoll_ctl(set, EPOLL_CTL_ADD, fd, &event);
	return set;
}

static unsigned loop(int fd)
{
	bool in_set = is_way("level") || is_way("edge") || is_way("one-shot");
	int set = in_set ? set_with(fd) : -1;
	int64_t since_ms = now_ms();
	unsigned events = 0;

	while (events == 0 && now_ms() - since_ms < LIMIT_MS) {
		turn();
		if (is_way("give-up") && now_ms() - since_ms > GIVE_UP_MS)
			return 0;
		events = wait_somehow(fd, set);
	}
	turn();
	if (in_set)
		close(set);
	return events;
}

static void tell_outcome(int fd)
{
	int error = -1, connected;
	struct sockaddr_in peer;
	socklen_t len = sizeof(error);

	getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len);
	len = sizeof(peer);
	connected = getpeername(fd, (struct sockaddr *)&peer, &len) == 0;
	printf(" %s %s\n", name_of(error), connected ? "connected" : "not connected");
}

static void once(void)
{
	int fd = begin();

	if (!is_way("ask"))
		printf(" %#x", loop(fd));
	if (is_way("give-up"))
		printf(" given up\n");
	else
		tell_outcome(fd);
	(void)fflush(stdout);
	close(fd);
}

int main(int argc, char **argv)
{
	long count = argc > 3 ? strtol(argv[3], NULL, 10) : 1;

	if (argc < 3)
		return 2;
	way = argv[1];
	target.sin_family = AF_INET;
	target.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	target.sin_port = htons((uint16_t)strtoul(argv[2], NULL, 10));
	for (turned_ms = now_ms(); count > 0; count--) {
		once();
		turn();
	}
	if (is_way("give-up"))
		pause(); /* until the test has seen what becomes of the rest */
	else if (longest_ms >= STALL_MS && !is_way("ask"))
		printf("stalled for %d ms\n", (int)longest_ms);
	return fflush(stdout) == 0 ? 0 : 2;
}
