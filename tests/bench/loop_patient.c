/*
 * A program that is patient: whatever libcurl has asked a server for is there when it looks.
 *
 * How often libcurl looks in vain, and in how many pieces an answer comes, otherwise depends on how
 * fast both are at the moment. Each look costs some thousand instructions, more than all that is to
 * be counted. libcurl itself does what it always does: its send() and recv() are these, which call
 * the kernel's and then wait.
 */
#include <poll.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "loop.h"

#define LONGEST_NS 50000000 /* for the end of an answer, which is less than is waited for */

bool loop_is_patient;

/* Until so much can be read. Not poll(), which the library counts as the program's. */
static void await(int fd, int least)
{
	static const int one = 1;
	struct timespec limit = { .tv_nsec = LONGEST_NS };
	struct pollfd socket = { .fd = fd, .events = POLLIN };

	(void)setsockopt(fd, SOL_SOCKET, SO_RCVLOWAT, &least, sizeof(least));
	(void)syscall(SYS_ppoll, &socket, 1, &limit, NULL, 0);
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVLOWAT, &one, sizeof(one));
}

/* In sight of libcurl, which finds them before the C library's. */
#define OURS __attribute__((visibility("default")))

OURS ssize_t send(int fd, const void *bytes, size_t len, int flags)
{
	ssize_t sent = sendto(fd, bytes, len, flags, NULL, 0);

	if (loop_is_patient && sent > 0)
		await(fd, 1);
	return sent;
}

/* What fills its buffer is followed by more, and that by more, as a rule. */
OURS ssize_t recv(int fd, void *bytes, size_t len, int flags)
{
	ssize_t got = recvfrom(fd, bytes, len, flags, NULL, NULL);

	if (loop_is_patient && got > 0 && (size_t)got == len)
		await(fd, (int)len);
	return got;
}
