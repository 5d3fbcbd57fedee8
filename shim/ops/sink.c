#include "ops/sink.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "at_start.h"
#include "ops/line.h"
#include "retry/ns.h"

#define STDERR_PATIENCE_MS 1000

/* A millisecond each. */
#define LOCK_TRIES 100

/* Which stream descriptor 2 was when the process began; mode 0: it was closed. */
static struct {
	mode_t mode;
	dev_t dev, rdev;
	ino_t ino;
} first_stderr RS_DATA_AT_START;

RS_CODE_AT_START void rs_sink_remember_stderr(void)
{
	struct stat now;

	if (fstat(STDERR_FILENO, &now) != 0) {
		errno = 0; /* as a program finds it */
		return;
	}
	first_stderr.mode = now.st_mode;
	first_stderr.dev = now.st_dev;
	first_stderr.rdev = now.st_rdev;
	first_stderr.ino = now.st_ino;
}

/* Daemons close descriptor 2, and it may then become anything: a database, a client's socket. */
static bool is_first_stderr(void)
{
	struct stat now;

	return first_stderr.mode != 0 && fstat(STDERR_FILENO, &now) == 0 &&
	       (now.st_mode & S_IFMT) == (first_stderr.mode & S_IFMT) &&
	       now.st_dev == first_stderr.dev && now.st_ino == first_stderr.ino &&
	       now.st_rdev == first_stderr.rdev;
}

static int write_all(int fd, const char *text, size_t len)
{
	while (len > 0) {
		ssize_t written = write(fd, text, len);

		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0)
			return written < 0 ? -errno : -EIO;
		text += written;
		len -= (size_t)written;
	}
	return 0;
}

/* The last line has no end: whoever wrote it could not finish, or is at it. */
static bool looks_torn(int fd)
{
	struct stat st;
	char last;

	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0 &&
	       pread(fd, &last, 1, st.st_size - 1) == 1 && last != '\n';
}

/* Not for ever: somebody else may have a use of their own for locks on the file. */
static void lock_shared(int fd)
{
	static const struct timespec pause = { .tv_nsec = 1000000 };

	for (int i = 0; i < LOCK_TRIES && flock(fd, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
	     i++)
		nanosleep(&pause, NULL);
}

/* Whoever writes holds a shared lock. An exclusive one says that nobody does: then a line that
 * looks torn is torn. */
static void mend(int fd)
{
	flock(fd, LOCK_UN);
	if (flock(fd, LOCK_EX | LOCK_NB) == 0 && looks_torn(fd))
		(void)write_all(fd, "\n", 1);
	flock(fd, LOCK_UN);
	lock_shared(fd);
}

/* A file that may be written but not read cannot be looked at, which is no reason not to write. */
static int open_to_append(const char *path)
{
	static const int flags = O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
	int fd = open(path, O_RDWR | flags, 0644);
	struct stat st;

	/* A FIFO opened for both would swallow the line where nobody reads. */
	if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		return fd;
	if (fd >= 0)
		close(fd);
	return open(path, O_WRONLY | flags, 0644);
}

static int append(const char *path, struct rs_span line)
{
	int fd = open_to_append(path);
	int rc;

	if (fd < 0)
		return -errno;
	lock_shared(fd);
	if (looks_torn(fd))
		mend(fd);
	rc = write_all(fd, line.at, line.len);
	close(fd);
	return rc;
}

/* Signals wait while we write, so a reader that does not read must not hold us for long. Past our
 * own hook, which would look after connects that are pending: this may speak of one that is held.
 */
static bool stderr_takes_a_line(void)
{
	struct pollfd fd = { .fd = STDERR_FILENO, .events = POLLOUT };
	struct timespec patience = { STDERR_PATIENCE_MS / 1000,
				     STDERR_PATIENCE_MS % 1000 * RS_NS_PER_MS };

	return syscall(SYS_ppoll, &fd, 1UL, &patience, NULL, 0UL) == 1;
}

/* Take back a signal that our own write raised. One that was pending before is the program's. */
static void take_back(int number, const sigset_t *pending_before)
{
	static const struct timespec at_once;
	sigset_t only, pending;

	if (sigismember(pending_before, number) || sigpending(&pending) != 0 ||
	    !sigismember(&pending, number))
		return;
	sigemptyset(&only);
	sigaddset(&only, number);
	while (sigtimedwait(&only, NULL, &at_once) < 0 && errno == EINTR)
		;
}

/* What was in force before a line is written, and is again after it. */
struct quiet {
	sigset_t mask, pending;
	int cancel_state;
};

/* A reader that has gone raises SIGPIPE, a file at its limit SIGXFSZ: neither may end a program
 * for a line of ours. All signals wait, so that no handler leaves while a file is open. */
static void begin_quiet(struct quiet *quiet)
{
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &quiet->mask);
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &quiet->cancel_state);
	sigpending(&quiet->pending);
}

static void end_quiet(const struct quiet *quiet)
{
	take_back(SIGPIPE, &quiet->pending);
	take_back(SIGXFSZ, &quiet->pending);
	pthread_setcancelstate(quiet->cancel_state, NULL);
	sigprocmask(SIG_SETMASK, &quiet->mask, NULL);
}

int rs_sink_file(const char *path, struct rs_span line)
{
	struct quiet quiet;
	int rc;

	begin_quiet(&quiet);
	rc = append(path, line);
	end_quiet(&quiet);
	return rc;
}

void rs_sink_stderr(struct rs_span line)
{
	struct quiet quiet;

	begin_quiet(&quiet);
	if (is_first_stderr() && stderr_takes_a_line())
		(void)write_all(STDERR_FILENO, line.at, line.len);
	end_quiet(&quiet);
}

/*
 * RFC 3164, without the time: local time takes a lock of libc's that a signal handler must not
 * wait for, and section 4.3.2 has whoever receives such a line put the time in.
 */
static size_t syslog_header(int severity, char *buf, size_t size)
{
	struct rs_line line = { .text = buf, .size = size };

	rs_line_text(&line, "<");
	rs_line_int(&line, LOG_USER | severity);
	rs_line_text(&line, ">retryshim[");
	rs_line_int(&line, getpid());
	rs_line_text(&line, "]: ");
	return line.len;
}

/* Not syslog(3): that keeps a descriptor, and a lock. A daemon that does not read loses lines. */
static int send_datagram(const struct iovec parts[2])
{
	struct sockaddr_un to = { .sun_family = AF_UNIX, .sun_path = RS_SYSLOG_PATH };
	struct msghdr message = {
		.msg_name = &to,
		.msg_namelen = sizeof(to),
		.msg_iov = (struct iovec *)parts,
		.msg_iovlen = 2,
	};
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int rc;

	if (fd < 0)
		return -errno;
	rc = sendmsg(fd, &message, MSG_NOSIGNAL) < 0 ? -errno : 0;
	close(fd);
	return rc;
}

int rs_sink_syslog(int severity, struct rs_span line)
{
	char header[64];
	struct iovec parts[2] = {
		{ header, syslog_header(severity, header, sizeof(header)) },
		{ (char *)line.at, line.len },
	};
	struct quiet quiet;
	int rc;

	begin_quiet(&quiet);
	rc = send_datagram(parts);
	end_quiet(&quiet);
	return rc;
}
