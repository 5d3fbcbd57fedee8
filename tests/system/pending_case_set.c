/*
 * Epoll sets as they are read: one in which two descriptors have the same data, or had the same
 * number, many one after the other, one that has reported before, one that another thread waits
 * for, one that cannot be read, since no descriptor is left, one that holds many; and one
 * that is waited for in a sandbox.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "forbidding.h"
#include "pending_case.h"

static void add(int set, int fd)
{
	struct epoll_event event = { .events = EPOLLOUT, .data.fd = fd };

	if (epoll_ctl(set, EPOLL_CTL_ADD, fd, &event) != 0)
		abort();
}

static int set_of(int fd)
{
	int set = epoll_create1(0);

	add(set, fd);
	return set;
}

/* ---- two descriptors with the same data ---- */

static void add_as(int set, int fd, uint32_t events, uint64_t data)
{
	struct epoll_event event = { .events = events, .data.u64 = data };

	if (epoll_ctl(set, EPOLL_CTL_ADD, fd, &event) != 0)
		abort();
}

/* The peer of one goes away while the other is between two attempts. */
static void tell_of_namesakes(uint32_t mode)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), ends[2], set = epoll_create1(0);
	struct epoll_event events[4] = { 0 };

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0)
		abort();
	add_as(set, ends[0], EPOLLIN | mode, 7);
	(void)connect(fd, (struct sockaddr *)&case_target, sizeof(case_target));
	add_as(set, fd, EPOLLOUT | mode, 7);
	printf("%d", epoll_wait(set, events, 4, 50));
	close(ends[1]);
	for (int i = 0; i < 3; i++) {
		int ready = epoll_wait(set, events, 4, i == 0 ? 10000 : 20);

		printf(", %d: %#x", ready, ready > 0 ? events[0].events : 0);
	}
	printf("\n");
}

void pending_namesakes(void)
{
	tell_of_namesakes(0);
	tell_of_namesakes(EPOLLET);
}

/* ---- a number that was another descriptor's ---- */

#define EARLIER 20

/* What has it under another number keeps such a one in the set. */
static void add_and_close(int set, int number)
{
	int ends[2];

	if (pipe(ends) != 0 || dup2(ends[0], number) != number)
		abort();
	add_as(set, number, EPOLLIN | EPOLLET, 8);
	close(number);
}

void pending_number_twice(void)
{
	int number = dup(STDIN_FILENO), set = epoll_create1(0), fd;
	struct epoll_event event = { 0 };

	for (int i = 0; i < EARLIER; i++)
		add_and_close(set, number);
	fd = case_begin();
	if (fd != number)
		abort();
	add_as(set, fd, EPOLLOUT, 7);
	printf("%d: ", epoll_wait(set, &event, 1, 15000));
	printf("%#x for %d\n", event.events, (int)event.data.u64);
	case_tell_outcome(fd);
}

/* ---- one after the other ---- */

#define SETS 10

/* Each has another number. */
void pending_set_by_set(void)
{
	struct epoll_event event = { 0 };
	int fd = case_begin(), ready = 0;

	for (int i = 0; i < SETS && ready == 0; i++) {
		int set = set_of(fd);

		ready = epoll_wait(set, &event, 1, i < SETS - 1 ? 20 : 15000);
		close(set);
		(void)dup(STDIN_FILENO);
	}
	printf("%d: %#x\n", ready, event.events);
	case_tell_outcome(fd);
}

/* ---- one that reports it only once ---- */

/* That a new socket has ended it says when it is added, and not again. */
void pending_reported_before(void)
{
	const struct sockaddr_un nowhere = { .sun_family = AF_UNIX, .sun_path = "/nowhere/at/all" };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0), set = epoll_create1(0);
	struct epoll_event event = { 0 };

	add_as(set, fd, EPOLLOUT | EPOLLET, 7);
	(void)epoll_wait(set, &event, 1, 0);
	(void)connect(fd, (const struct sockaddr *)&nowhere, sizeof(nowhere));
	printf("%d: ", epoll_wait(set, &event, 1, 15000));
	case_tell_outcome(fd);
}

/* ---- one that another thread waits for, and changes nothing of ---- */

static int begin_nowhere(void)
{
	const struct sockaddr_un nowhere = { .sun_family = AF_UNIX, .sun_path = "/nowhere/at/all" };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);

	(void)connect(fd, (const struct sockaddr *)&nowhere, sizeof(nowhere));
	return fd;
}

static atomic_bool is_over;

static void *look_at(void *set)
{
	struct epoll_event event;

	while (!atomic_load(&is_over))
		(void)epoll_wait(*(int *)set, &event, 1, 0);
	return NULL;
}

static bool is_past(const struct timespec *end)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec > end->tv_sec ||
	       (now.tv_sec == end->tv_sec && now.tv_nsec >= end->tv_nsec);
}

/* The time of its next attempt comes, and it never is in the set. */
void pending_elsewhere(void)
{
	struct epoll_event event = { .events = EPOLLOUT };
	int set = epoll_create1(0), fd = begin_nowhere(), found = 0;
	struct timespec end;
	pthread_t another;

	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec++;
	pthread_create(&another, NULL, look_at, &set);
	while (!is_past(&end))
		found += epoll_ctl(set, EPOLL_CTL_MOD, fd, &event) == 0;
	atomic_store(&is_over, true);
	pthread_join(another, NULL);
	printf("found %d times\n", found);
}

/* ---- one that cannot be read ---- */

static void leave_no_descriptor(void)
{
	int next = dup(STDIN_FILENO);
	struct rlimit limit = { .rlim_cur = (rlim_t)next, .rlim_max = (rlim_t)next };

	close(next);
	if (setrlimit(RLIMIT_NOFILE, &limit) != 0 || dup(STDIN_FILENO) >= 0)
		abort();
}

/* Who waits longer is ended by the alarm. */
static void tell_end(int set, int fd)
{
	struct epoll_event event = { 0 };
	int ready = epoll_wait(set, &event, 1, 15000);

	printf("%d: %#x, ", ready, event.events);
	case_tell_outcome(fd);
}

/* For which the rules files are opened. */
static void have_the_rules_read(void)
{
	struct pollfd fds = case_polled(POLLOUT);

	if (poll(&fds, 1, 20) != 0)
		abort();
	close(fds.fd);
}

void pending_unread(void)
{
	int fd, set;

	have_the_rules_read();
	fd = case_begin();
	set = set_of(fd);
	leave_no_descriptor();
	alarm(20);
	tell_end(set, fd);
}

/* Its first failure is hidden by then, and the next attempt is yet to come. */
void pending_unread_later(void)
{
	int fd = case_begin(), set = set_of(fd);
	struct epoll_event event;

	alarm(20);
	if (epoll_wait(set, &event, 1, 20) != 0)
		abort();
	leave_no_descriptor();
	tell_end(set, fd);
}

/* ---- one that holds many ---- */

#define MANY 300

/* How much this process has read; 0 where the kernel does not count. */
static unsigned long long bytes_read(void)
{
	FILE *file = fopen("/proc/self/io", "r");
	char line[64] = "";

	if (file) {
		(void)fgets(line, sizeof(line), file);
		(void)fclose(file);
	}
	return strncmp(line, "rchar: ", 7) == 0 ? strtoull(line + 7, NULL, 10) : 0;
}

static int await_ends(int set, int ends)
{
	struct epoll_event events[MANY];
	int ended = 0, ready;

	while (ended < ends && (ready = epoll_wait(set, events, MANY, 15000)) > 0) {
		for (int i = 0; i < ready; i++)
			close(events[i].data.fd);
		ended += ready;
	}
	return ended;
}

static void *idle(void *unused)
{
	pause();
	return unused;
}

/* Which another thread might change. */
void pending_many_in_a_set(void)
{
	int set = epoll_create1(0), ended;
	unsigned long long before;
	pthread_t another;

	pthread_create(&another, NULL, idle, NULL);
	for (int i = 0; i < MANY; i++)
		add(set, case_begin());
	before = bytes_read();
	ended = await_ends(set, MANY);
	printf("%d told, %llu KiB read\n", ended, (bytes_read() - before) / 1024);
}

static void *wait_in_sandbox(void *unused)
{
	struct epoll_event event = { .events = EPOLLOUT };
	int fd = case_begin(), set = epoll_create1(0), ready;

	epoll_ctl(set, EPOLL_CTL_ADD, fd, &event);
	ready = epoll_wait(set, &event, 1, 15000);
	printf("%d: %#x\n", ready, event.events);
	case_tell_outcome(fd);
	return unused;
}

/* Of the system calls that wait for a set, where there is more than one, only its own is allowed.
 */
void pending_sandboxed(void)
{
	pthread_t thread;

#ifdef SYS_epoll_wait
	forbid(SYS_epoll_pwait);
#endif
	(void)wait_in_sandbox(NULL);
	pthread_create(&thread, NULL, wait_in_sandbox, NULL);
	pthread_join(thread, NULL);
}
