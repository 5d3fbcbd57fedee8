#include "connect/registrations.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "real.h"

/* What a one-shot registration keeps when it has fired. */
#define LASTING   ((uint32_t)(EPOLLWAKEUP | EPOLLONESHOT | EPOLLET) | EPOLLEXCLUSIVE)
#define NOT_ASKED ((uint32_t)(EPOLLERR | EPOLLHUP)) /* always reported */

/* ---- reading ---- */

static void put_number(char *text, size_t *len, unsigned number)
{
	if (number >= 10)
		put_number(text, len, number / 10);
	text[(*len)++] = (char)('0' + number % 10);
}

/* Not open(), read() and close(): those are cancellation points. */
static int open_numbered(const char *directory, int number)
{
	char path[32];
	size_t len = strlen(directory);
	long fd;

	memcpy(path, directory, len);
	put_number(path, &len, (unsigned)number);
	path[len] = '\0';
	fd = syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -errno : (int)fd;
}

/* The process is its first thread to /proc, which may have ended, and has no descriptors then.
 * Kernels before 3.17 know of no other. */
static int open_fdinfo(int epfd)
{
	int fd = open_numbered("/proc/thread-self/fdinfo/", epfd);

	return fd == -ENOENT ? open_numbered("/proc/self/fdinfo/", epfd) : fd;
}

/* A number that was closed stays in the set while another process, or another number, has what it
 * was; and may be another one's by now. Kernels before 4.13 do not say of whom they speak. */
static bool is_of(int fd, const char *rest)
{
	const char *inode = strstr(rest, " ino:");
	struct stat st;

	return !inode || (fstat(fd, &st) == 0 && st.st_ino == (ino_t)strtoull(inode + 5, NULL, 16));
}

/* "tfd:        3 events:       1c data:                3  pos:0 ino:3f sdev:8" */
static void take_line(const char *line, rs_registered_fn each, void *arg)
{
	char *rest;
	long fd;
	unsigned long events;
	unsigned long long data;

	if (strncmp(line, "tfd:", 4) != 0)
		return;
	fd = strtol(line + 4, &rest, 10);
	if (strncmp(rest, " events:", 8) != 0)
		return;
	events = strtoul(rest + 8, &rest, 16);
	if (strncmp(rest, " data:", 6) != 0)
		return;
	data = strtoull(rest + 6, NULL, 16);
	each(arg, is_of((int)fd, rest) ? (int)fd : -1, (uint32_t)events, data);
}

/* The whole lines of `text`; how many bytes they are. */
static size_t take_lines(char *text, rs_registered_fn each, void *arg)
{
	char *line = text, *end;

	while ((end = strchr(line, '\n'))) {
		*end = '\0';
		take_line(line, each, arg);
		line = end + 1;
	}
	return (size_t)(line - text);
}

int rs_registrations_read(int epfd, rs_registered_fn each, void *arg)
{
	char text[1024]; /* several lines; a thread's stack may be small */
	size_t kept = 0, taken;
	long got;
	int fd = open_fdinfo(epfd);

	if (fd < 0)
		return fd;
	while ((got = syscall(SYS_read, fd, text + kept, sizeof(text) - 1 - kept)) > 0) {
		kept += (size_t)got;
		text[kept] = '\0';
		taken = take_lines(text, each, arg);
		kept -= taken;
		memmove(text, text + taken, kept);
	}
	syscall(SYS_close, fd);
	return got < 0 ? -EIO : 0;
}

/* ---- the mark ---- */

static int modify(int epfd, int fd, uint32_t events, uint64_t data)
{
	struct epoll_event event = { .events = events, .data.u64 = data };
	int saved_errno = errno;
	long status = syscall(SYS_epoll_ctl, epfd, EPOLL_CTL_MOD, fd, &event);

	errno = saved_errno;
	return (int)status;
}

static uint64_t mark_of(const struct rs_pending *pending)
{
	return (uintptr_t)pending;
}

bool rs_registrations_has(const struct rs_pending *pending, int epfd)
{
	struct epoll_event mark = { .events = EPOLLONESHOT, .data.u64 = mark_of(pending) };
	int saved_errno = errno;
	bool has = false;

	if (syscall(SYS_epoll_ctl, epfd, EPOLL_CTL_ADD, pending->fd, &mark) != 0)
		has = errno == EEXIST;
	else
		syscall(SYS_epoll_ctl, epfd, EPOLL_CTL_DEL, pending->fd, &mark);
	errno = saved_errno;
	return has;
}

struct search {
	int fd;
	const struct rs_registration *wanted;
	uint32_t compared; /* which of its events */
	bool found;
};

static void find(void *arg, int fd, uint32_t events, uint64_t data)
{
	struct search *search = arg;

	if (fd == search->fd && data == search->wanted->data &&
	    ((events ^ search->wanted->events) & search->compared) == 0)
		search->found = true;
}

/* Where the set cannot be read it is taken to be as it was: a registration that is not put back
 * tells nothing ever again. */
static bool is_as_it_was(struct search *search)
{
	return rs_registrations_read(search->wanted->epfd, find, search) != 0 || search->found;
}

/* The program may have changed or deleted it meanwhile, or the set be another one. */
static bool is_marked(const struct rs_pending *pending, int epfd)
{
	const struct rs_registration mark = { .epfd = epfd, .data = mark_of(pending) };

	return is_as_it_was(&(struct search){ .fd = pending->fd, .wanted = &mark });
}

/* Is a registration of the program's still what it was when it was read? That may be a while ago,
 * and another thread have been here since. */
static bool is_unchanged(int fd, const struct rs_registration *registered)
{
	return is_as_it_was(&(struct search){ fd, registered, ~0U, false });
}

/* Its place in what is known; -1: it has none. */
static int index_of(const struct rs_pending *pending, int epfd)
{
	for (int i = 0; i < pending->registrations; i++) {
		if (pending->registered[i].epfd == epfd)
			return i;
	}
	return -1;
}

/* For one more: of a set that is not quiet about it any more, or is gone, nothing has to be known.
 * -1: there is no room. */
static int free_index(struct rs_pending *pending)
{
	if (pending->registrations < RS_REGISTRATIONS)
		return pending->registrations++;
	for (int i = 0; i < RS_REGISTRATIONS; i++) {
		const struct rs_registration *known = &pending->registered[i];

		if (!known->marked || !rs_registrations_has(pending, known->epfd))
			return i;
	}
	return -1;
}

static bool know(struct rs_pending *pending, const struct rs_registration *registered)
{
	int index = index_of(pending, registered->epfd);

	if (index < 0)
		index = free_index(pending);
	if (index < 0)
		return false;
	pending->registered[index] = *registered;
	pending->absent = -1;
	return true;
}

static bool has_fired(const struct rs_registration *registered)
{
	return (registered->events & ~LASTING) == 0;
}

static struct rs_registration whole(const struct rs_registration *registered, uint32_t reported)
{
	struct rs_registration whole = *registered;

	if (!has_fired(registered))
		return whole;
	whole.events |= reported | NOT_ASKED;
	/* One that has not been connected yet tells who asked for EPOLLOUT, and nobody else. */
	if ((reported & ~NOT_ASKED) == 0)
		whole.events |= EPOLLIN;
	return whole;
}

/* It fires into one thread's hands. No attempt may be made before that thread has come: it would
 * take for old news what nobody is told again. */
static void leave_to_that_thread(struct rs_pending *pending, int epfd)
{
	if (rs_registrations_marked(pending, epfd) && !is_marked(pending, epfd))
		pending->registered[index_of(pending, epfd)].marked = false;
}

uint32_t rs_registrations_events(const struct rs_pending *pending,
				 const struct rs_registration *registered)
{
	int index = index_of(pending, registered->epfd);

	if (index < 0 || !has_fired(registered) || !pending->registered[index].noted ||
	    pending->registered[index].data != registered->data)
		return registered->events;
	return pending->registered[index].events;
}

bool rs_registrations_mark(struct rs_pending *pending, const struct rs_registration *registered,
			   uint32_t reported)
{
	struct rs_registration program = *registered;

	if (program.data == mark_of(pending))
		return true;
	if ((registered->events & EPOLLONESHOT) && reported == 0) {
		leave_to_that_thread(pending, registered->epfd);
		return true;
	}
	program.events = rs_registrations_events(pending, registered);
	program = whole(&program, reported);
	program.marked = true;
	pending->is_left = true;
	return know(pending, &program) &&
	       modify(program.epfd, pending->fd, EPOLLONESHOT, mark_of(pending)) == 0;
}

static void see_mark(struct rs_pending *pending, int epfd)
{
	int index = index_of(pending, epfd);

	if (index >= 0)
		pending->registered[index].seen = true;
}

void rs_registrations_see(struct rs_pending *pending, const struct rs_registration *registered)
{
	struct rs_registration program = *registered;

	program.noted = true;
	if (program.data == mark_of(pending))
		see_mark(pending, program.epfd);
	else if (pending->stage == RS_PENDING_FLYING && !has_fired(&program))
		(void)know(pending, &program);
}

void rs_registrations_all_seen(struct rs_pending *pending, int epfd)
{
	int index = index_of(pending, epfd);

	if (index >= 0 && !pending->registered[index].seen)
		pending->registered[index].marked = false;
}

bool rs_registrations_marked(const struct rs_pending *pending, int epfd)
{
	int index = index_of(pending, epfd);

	return index >= 0 && pending->registered[index].marked;
}

uint64_t rs_registrations_data(const struct rs_pending *pending, int epfd)
{
	int index = index_of(pending, epfd);

	return index >= 0 ? pending->registered[index].data : mark_of(pending);
}

void rs_registrations_rearm(int fd, const struct rs_registration *registered, uint32_t reported)
{
	struct rs_registration program = whole(registered, reported);

	if (has_fired(registered) && reported != 0 && !rs_pending_is_place(program.data) &&
	    is_unchanged(fd, registered))
		(void)modify(program.epfd, fd, program.events, program.data);
}

void rs_registrations_restore(struct rs_pending *pending)
{
	for (int i = 0; i < pending->registrations; i++) {
		struct rs_registration *r = &pending->registered[i];

		if (r->marked && (r->seen || is_marked(pending, r->epfd)))
			(void)modify(r->epfd, pending->fd, r->events, r->data);
		r->marked = r->seen = r->noted = false;
	}
}
