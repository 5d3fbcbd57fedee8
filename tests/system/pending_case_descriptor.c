/*
 * The descriptor of a pending connect: what a program asks of it, and does with it.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "pending_case.h"

/* ---- asking ---- */

static void ask_error_after(useconds_t pause_us)
{
	int fd = case_begin(), error = -1;
	socklen_t len = sizeof(error);

	usleep(pause_us);
	getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len);
	printf("%s\n", case_error_name(error));
	case_tell_outcome(fd);
}

/* On loopback an answer comes at once; this makes sure that it was there. */
void pending_ask_error(void)
{
	ask_error_after(1000);
}

void pending_ask_late(void)
{
	ask_error_after(200000);
}

void pending_ask_connect(void)
{
	int fd = case_begin(), status;

	usleep(1000);
	errno = 0;
	status = connect(fd, (struct sockaddr *)&case_target, sizeof(case_target));
	printf("%d %s\n", status, case_error_name(errno));
	case_tell_outcome(fd);
}

void pending_told_by_connect(void)
{
	struct pollfd fds = case_polled(POLLOUT);

	poll(&fds, 1, 15000);
	errno = 0;
	printf("%d ", connect(fds.fd, (struct sockaddr *)&case_target, sizeof(case_target)));
	printf("%s\n", case_error_name(errno));
	case_tell_outcome(fds.fd);
}

/* Told so, it tries once more: by itself. */
void pending_tried_anew(void)
{
	struct pollfd fds = case_polled(POLLOUT);

	for (int i = 0; i < 4; i++) {
		poll(&fds, 1, 15000);
		errno = 0;
		printf("%d ",
		       connect(fds.fd, (struct sockaddr *)&case_target, sizeof(case_target)));
		printf("%s\n", case_error_name(errno));
	}
}

/* By the first thing that it does with the connection, and not by asking. */
static void tell_first(int fd, ssize_t status)
{
	printf("%zd %s\n", status, case_error_name(status < 0 ? errno : 0));
	case_tell_outcome(fd);
}

static int ended(void)
{
	struct pollfd fds = case_polled(POLLOUT);

	(void)signal(SIGPIPE, SIG_IGN);
	poll(&fds, 1, 15000);
	return fds.fd;
}

void pending_told_by_read(void)
{
	int fd = ended();
	char byte;

	tell_first(fd, read(fd, &byte, 1));
}

void pending_told_by_recv(void)
{
	int fd = ended();
	char byte;

	tell_first(fd, recv(fd, &byte, 0, 0));
}

/* Of a silent port the kernel gives up a second later. */
void pending_told_late(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), limit_ms = 100;
	struct pollfd fds = { .fd = fd, .events = POLLOUT };
	char byte;

	setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &limit_ms, sizeof(limit_ms));
	(void)connect(fd, (struct sockaddr *)&case_target, sizeof(case_target));
	poll(&fds, 1, 15000);
	tell_first(fd, recv(fd, &byte, 1, 0));
}

void pending_told_by_write(void)
{
	int fd = ended();

	tell_first(fd, write(fd, "x", 1));
}

void pending_told_by_send(void)
{
	int fd = ended();

	tell_first(fd, send(fd, "x", 1, MSG_NOSIGNAL));
}

/* ---- bad pointers ---- */

static void tell_status(const char *call, int status)
{
	printf("%s %d %s\n", call, status, case_error_name(status < 0 ? errno : 0));
}

void pending_bad_pointers(void)
{
	struct pollfd fds = case_polled(POLLOUT), *bad;
	int error;
	socklen_t len = sizeof(error), no_len = (socklen_t)-1;
	volatile nfds_t too_many = (nfds_t)-1; /* no compiler is to see it */

	bad = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	(void)poll(&fds, 1, 20);
	tell_status("poll", poll(bad, 1, 20));
	tell_status("poll many", poll(bad, 40, 20));
	tell_status("poll too many", poll(&fds, too_many, 20));
	tell_status("SO_ERROR", getsockopt(fds.fd, SOL_SOCKET, SO_ERROR, bad, &len));
	tell_status("no length", getsockopt(fds.fd, SOL_SOCKET, SO_ERROR, &error, (void *)bad));
	tell_status("bad length", getsockopt(fds.fd, SOL_SOCKET, SO_ERROR, &error, &no_len));
}

/* ---- its options ---- */

static void tell_options(int fd)
{
	static const int names[] = { TCP_MAXSEG, TCP_WINDOW_CLAMP };

	for (int i = 0; i < 2; i++) {
		int value = -1;
		socklen_t len = sizeof(value);

		getsockopt(fd, IPPROTO_TCP, names[i], &value, &len);
		printf("%d ", value);
	}
}

static void with_options(int fd)
{
	struct pollfd fds = { .fd = fd, .events = POLLOUT };

	(void)connect(fd, (struct sockaddr *)&case_target, sizeof(case_target));
	poll(&fds, 1, 15000);
	tell_options(fd);
	case_tell_outcome(fd);
}

void pending_options(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), segment = 600, clamp = 9000;

	setsockopt(fd, IPPROTO_TCP, TCP_MAXSEG, &segment, sizeof(segment));
	setsockopt(fd, IPPROTO_TCP, TCP_WINDOW_CLAMP, &clamp, sizeof(clamp));
	with_options(fd);
}

void pending_defaults(void)
{
	with_options(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
}

/* What the kernel forgets when a connect fails. */
void pending_bound(void)
{
	struct pollfd fds = { .fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0),
			      .events = POLLOUT };
	struct sockaddr_in addr = case_target;
	int window = 8192, ready;
	socklen_t len = sizeof(window);
	in_port_t port;

	addr.sin_port = 0;
	if (setsockopt(fds.fd, IPPROTO_TCP, TCP_WINDOW_CLAMP, &window, len) != 0 ||
	    bind(fds.fd, (struct sockaddr *)&addr, sizeof(addr)) != 0)
		abort();
	port = case_port(fds.fd);
	(void)connect(fds.fd, (struct sockaddr *)&case_target, sizeof(case_target));
	ready = poll(&fds, 1, 15000);
	window = 0;
	getsockopt(fds.fd, IPPROTO_TCP, TCP_WINDOW_CLAMP, &window, &len);
	printf("port %s, window %d\n", case_port(fds.fd) == port ? "kept" : "lost", window);
	case_tell_poll(ready, &fds);
}

/* ---- what becomes of it ---- */

/* Closed in the middle of it; its number becomes a pipe's, which must see nothing of it. */
void pending_reused(void)
{
	struct pollfd fds = case_polled(POLLOUT);
	int ends[2], ready;
	char byte = 0;

	(void)poll(&fds, 1, 20);
	close(fds.fd);
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0 || ends[0] != fds.fd)
		abort();
	fds.events = POLLIN;
	ready = poll(&fds, 1, 100);
	printf("%d\n", ready);
	if (write(ends[1], "y", 1) != 1)
		abort();
	ready = poll(&fds, 1, 100);
	printf("%d: %#x\n", ready, (unsigned)fds.revents);
	if (read(ends[0], &byte, 1) != 1)
		abort();
	printf("%c\n", byte);
}

/* Likewise, but nobody saw it closed, and nothing has failed: of a pipe that has data. */
void pending_reused_unseen(void)
{
	int fd = case_begin(), ends[2], ready;
	struct pollfd fds = { .fd = fd, .events = POLLIN };
	struct timeval limit = { .tv_sec = 5 };
	fd_set to_read;

	syscall(SYS_close, fd);
	if (pipe(ends) != 0 || ends[0] != fd || write(ends[1], "y", 1) != 1)
		abort();
	FD_ZERO(&to_read);
	FD_SET(fd, &to_read);
	ready = select(fd + 1, &to_read, NULL, NULL, &limit);
	printf("%d: %d\n", ready, FD_ISSET(fd, &to_read) != 0);
	ready = poll(&fds, 1, 5000);
	printf("%d: %#x\n", ready, (unsigned)fds.revents);
}

/* Likewise; and while that comes out, another thread connects with the same number. */
void pending_reused_at_once(void)
{
	struct pollfd fds = case_polled(POLLOUT);
	int set = epoll_create1(0);
	struct epoll_event event;

	(void)poll(&fds, 1, 20);
	usleep(100000);
	fds.fd = case_begin();
	syscall(SYS_close, fds.fd);
	(void)epoll_wait(set, &event, 1, 0);
	case_tell_poll(poll(&fds, 1, 15000), &fds);
}

void pending_given_up(void)
{
	const struct sockaddr nowhere = { .sa_family = AF_UNSPEC };
	struct pollfd fds = case_polled(POLLOUT);
	int ready;

	(void)poll(&fds, 1, 20);
	(void)connect(fds.fd, &nowhere, sizeof(nowhere));
	ready = poll(&fds, 1, 100);
	printf("%d: %#x\n", ready, (unsigned)fds.revents);
}

/* As another thread would, so that this one need not wait any longer. */
void pending_shut_down(void)
{
	struct pollfd fds = case_polled(POLLOUT);

	(void)poll(&fds, 1, 20);
	(void)shutdown(fds.fd, SHUT_RDWR);
	case_tell_poll(poll(&fds, 1, 15000), &fds);
}
