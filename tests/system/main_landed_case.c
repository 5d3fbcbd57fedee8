/*
 * landed-case CASE [PORT]: a non-blocking connect that came about, or whose descriptor has become
 * another socket's, without the library having been told; and what the program sees of it later.
 */
#include <errno.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../errno_name.h"
#include "loopback.h"

#define MANY        1100
#define PATIENCE_MS 10000

static struct sockaddr_in here, closed;
static int listener;

/* ---- sockets ---- */

static void prepare(void)
{
	listener = loopback_bound(&here);
	(void)loopback_bound(&closed);
	if (listen(listener, 16) != 0)
		abort();
}

static int begin(const struct sockaddr_in *addr)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	if (connect(fd, (const struct sockaddr *)addr, sizeof(*addr)) != -1 || errno != EINPROGRESS)
		abort();
	return fd;
}

/* What comes in is dropped unread: to the other side it is a cable that was cut. */
static void cut(int fd)
{
	struct sock_filter drop = BPF_STMT(BPF_RET | BPF_K, 0);
	const struct sock_fprog program = { 1, &drop };

	if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) != 0)
		abort();
}

static void be_impatient(int fd)
{
	const unsigned limit_ms = 200;

	if (setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &limit_ms, sizeof(limit_ms)) != 0)
		abort();
}

static void reset(int fd)
{
	const struct linger at_once = { .l_onoff = 1 };

	(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	close(fd);
}

/* ---- what the program sees ---- */

static int error_of(int fd)
{
	int error = -1;
	socklen_t len = sizeof(error);

	(void)getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len);
	return error;
}

static void tell_error(int fd)
{
	int error = error_of(fd);
	char byte;

	printf("SO_ERROR %s", error ? errno_name(error) : "0");
	printf(", read %zd\n", recv(fd, &byte, 1, MSG_DONTWAIT));
}

static int set_with(int fd, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.u64 = UINT64_C(1) << 40 };
	int set = epoll_create1(0);

	(void)epoll_ctl(set, EPOLL_CTL_ADD, fd, &event);
	return set;
}

static void tell_event(int set)
{
	struct epoll_event event = { 0 };
	int ready = epoll_wait(set, &event, 1, PATIENCE_MS);

	printf("%d: %#x\n", ready, event.events);
}

/* It is connected, which the set has told; and from then on the program waits for an answer. */
static int connected(int *fd)
{
	struct epoll_event event = { .events = EPOLLIN };
	int set;

	*fd = begin(&here);
	set = set_with(*fd, EPOLLOUT);
	tell_event(set);
	(void)epoll_ctl(set, EPOLL_CTL_MOD, *fd, &event);
	return set;
}

/* ---- connections that end ---- */

static void is_reset(void)
{
	int fd, set = connected(&fd);

	reset(accept(listener, NULL, NULL));
	tell_event(set);
	tell_error(fd);
}

static int cut_off(int *fd)
{
	int set = connected(fd);

	cut(accept(listener, NULL, NULL));
	be_impatient(*fd);
	if (send(*fd, "x", 1, 0) != 1)
		abort();
	return set;
}

static void times_out(void)
{
	int fd, set = cut_off(&fd);

	tell_event(set);
	tell_error(fd);
}

/* Waited for in another way than it was begun. */
static void times_out_in_poll(void)
{
	struct pollfd fds = { .events = POLLIN };
	int ready;

	(void)cut_off(&fds.fd);
	ready = poll(&fds, 1, PATIENCE_MS);
	printf("%d: %#x\n", ready, (unsigned)fds.revents);
	tell_error(fds.fd);
}

static void times_out_unseen(void)
{
	int fd;

	(void)cut_off(&fd);
	usleep(900000);
	tell_error(fd);
}

/* ---- descriptors that are another one's ---- */

/* fclose() closes past the library. The number is the next socket's. */
static int leave_number(void)
{
	int fd = begin(&here);
	FILE *file = fdopen(fd, "r+");

	close(accept(listener, NULL, NULL));
	if (!file || fclose(file) != 0)
		abort();
	return fd;
}

/* One that was accepted, to which nothing was ever acknowledged. */
static void accepted_instead(void)
{
	int client = socket(AF_INET, SOCK_STREAM, 0), number = leave_number(), fd;

	if (connect(client, (struct sockaddr *)&here, sizeof(here)) != 0)
		abort();
	fd = accept(listener, NULL, NULL);
	if (fd != number)
		abort();
	be_impatient(fd);
	cut(client);
	if (send(fd, "x", 1, 0) != 1)
		abort();
	tell_event(set_with(fd, EPOLLIN));
	tell_error(fd);
}

/* One that connects to somewhere else, past the library. */
static void refused_instead(void)
{
	int number = leave_number(), fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	if (fd != number || syscall(SYS_connect, fd, &closed, sizeof(closed)) != -1 ||
	    errno != EINPROGRESS)
		abort();
	tell_event(set_with(fd, EPOLLOUT));
	tell_error(fd);
}

/* ---- many ---- */

static void connect_and_wait(int set, uint64_t number)
{
	struct epoll_event event = { .events = EPOLLOUT | EPOLLET, .data.u64 = number };

	(void)epoll_ctl(set, EPOLL_CTL_ADD, begin(&here), &event);
	if (epoll_wait(set, &event, 1, PATIENCE_MS) != 1 || event.data.u64 != number)
		abort();
	(void)accept(listener, NULL, NULL);
}

/* More than are noted at once, all of them connected; then one that is refused for a while. */
static void after_many(const char *port)
{
	struct sockaddr_in late = here;
	int set = epoll_create1(0), fd;

	for (uint64_t i = 0; i < MANY; i++)
		connect_and_wait(set, i);
	late.sin_port = htons((uint16_t)strtoul(port, NULL, 10));
	fd = begin(&late);
	tell_event(set_with(fd, EPOLLOUT));
	printf("SO_ERROR %d\n", error_of(fd));
}

static void raise_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		abort();
	limit.rlim_cur = limit.rlim_max;
	if (limit.rlim_max < 3 * MANY || setrlimit(RLIMIT_NOFILE, &limit) != 0)
		abort();
}

static const struct {
	const char *name;
	void (*run)(void);
} cases[] = {
	{ "is-reset", is_reset },
	{ "times-out", times_out },
	{ "times-out-in-poll", times_out_in_poll },
	{ "times-out-unseen", times_out_unseen },
	{ "accepted-instead", accepted_instead },
	{ "refused-instead", refused_instead },
};

int main(int argc, char **argv)
{
	prepare();
	if (argc == 3 && strcmp(argv[1], "after-many") == 0) {
		raise_limit();
		after_many(argv[2]);
		return fflush(stdout) == 0 ? 0 : 2;
	}
	for (size_t i = 0; argc == 2 && i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (strcmp(argv[1], cases[i].name) != 0)
			continue;
		cases[i].run();
		return fflush(stdout) == 0 ? 0 : 2;
	}
	return 2;
}
