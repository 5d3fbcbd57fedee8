/*
 * connect-case CASE PORT [PATH]: one way to use connect(), on 127.0.0.1:PORT or the Unix socket
 * PATH. Prints what came of it. A case that waits for SIGUSR1 is told when by the test.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "../errno_name.h"
#include "connect_case.h"
#include "forbidding.h"

struct sockaddr_in case_target;
static const char *path;

static const struct sockaddr *in_addr(const struct sockaddr_in *addr)
{
	return (const struct sockaddr *)addr;
}

int case_socket(int flags)
{
	int fd = socket(AF_INET, SOCK_STREAM | flags, 0);

	if (fd < 0)
		abort();
	return fd;
}

int case_connect(int fd)
{
	return connect(fd, in_addr(&case_target), sizeof(case_target));
}

void case_tell(int result)
{
	printf("%s\n", result == 0 ? "connected" : errno_name(errno));
}

static void connect_path(int type)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };

	(void)snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", path);
	case_tell(connect(socket(AF_UNIX, type, 0), (struct sockaddr *)&addr, sizeof(addr)));
}

static void sandboxed(void)
{
	forbid(SYS_process_vm_readv);
	case_tell(case_connect(case_socket(0)));
	connect_path(SOCK_STREAM | SOCK_NONBLOCK);
}

static void seqpacket(void)
{
	connect_path(SOCK_SEQPACKET);
}

static void datagram(void)
{
	connect_path(SOCK_DGRAM);
}

/* A TCP connection is in progress; a Unix socket that is not there fails at once. */
static void nonblocking(void)
{
	case_tell(case_connect(case_socket(SOCK_NONBLOCK)));
	connect_path(SOCK_STREAM | SOCK_NONBLOCK);
}

static struct sockaddr_in free_port(void)
{
	struct sockaddr_in addr = { .sin_family = AF_INET };
	socklen_t len = sizeof(addr);
	int fd = case_socket(0);

	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (bind(fd, in_addr(&addr), len) != 0)
		abort();
	getsockname(fd, (struct sockaddr *)&addr, &len);
	close(fd);
	return addr;
}

/* The descriptor's options, flags and binding are afterwards what they were. */
static void connect_bound(struct sockaddr_in before)
{
	struct sockaddr_in after = { 0 };
	socklen_t len = sizeof(before);
	int fd = case_socket(0), on = 1, flags = fcntl(fd, F_GETFL);

	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	if (bind(fd, in_addr(&before), len) != 0 ||
	    getsockname(fd, (struct sockaddr *)&before, &len) != 0)
		abort();
	case_tell(case_connect(fd));
	getsockname(fd, (struct sockaddr *)&after, &len);
	on = 0;
	len = sizeof(on);
	getsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, &len);
	printf("port %s, option %s, flags %s\n",
	       before.sin_port == after.sin_port ? "kept" : "lost", on ? "kept" : "lost",
	       flags == fcntl(fd, F_GETFL) ? "kept" : "lost");
}

static void bound(void)
{
	connect_bound(free_port());
}

/* The kernel gives up a port that it has chosen when a connect() fails. */
static void bound_to_any_port(void)
{
	struct sockaddr_in addr = free_port();

	addr.sin_port = 0;
	connect_bound(addr);
}

static void keeps_errno(void)
{
	int fd = case_socket(0);

	errno = EXDEV;
	if (case_connect(fd) == 0)
		case_tell(-1);
}

static void connect_twice(void)
{
	int fd = case_socket(0);

	case_tell(case_connect(fd));
	case_tell(case_connect(fd));
}

/* Descriptor 2 becomes a file that the program knows as something else. */
static void foreign_stderr(void)
{
	close(STDERR_FILENO);
	if (open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600) != STDERR_FILENO)
		abort();
	case_tell(case_connect(case_socket(0)));
}

static void closed_stderr(void)
{
	close(STDERR_FILENO);
	/* The socket takes its place: nobody's log may end there. */
	case_tell(case_connect(case_socket(0)));
}

/* Start again with a stderr whose reader has gone. */
__attribute__((noreturn)) static void deaf_stderr(void)
{
	char port[16];
	int ends[2];

	if (pipe(ends) != 0)
		abort();
	close(ends[0]);
	dup2(ends[1], STDERR_FILENO);
	signal(SIGPIPE, SIG_DFL);
	(void)snprintf(port, sizeof(port), "%u", ntohs(case_target.sin_port));
	execl("/proc/self/exe", "connect-case", "pipe-survivor", port, (char *)NULL);
	abort();
}

static void pipe_survivor(void)
{
	sigset_t pending;

	case_tell(case_connect(case_socket(0)));
	sigpending(&pending);
	puts(sigismember(&pending, SIGPIPE) ? "SIGPIPE pending" : "no signal");
}

/* As programs do that show a title in ps: the memory of the environment is used for it. */
static void title(void)
{
	for (char **entry = environ; *entry; entry++)
		memset(*entry, 'x', strlen(*entry));
	environ = NULL;
	case_tell(case_connect(case_socket(0)));
}

static void bad_arguments(void)
{
	case_tell(connect(case_socket(0), NULL, sizeof(case_target)));
	case_tell(connect(case_socket(0), in_addr(&case_target), 1));
	case_tell(connect(-1, in_addr(&case_target), sizeof(case_target)));
	case_tell(connect(STDIN_FILENO, in_addr(&case_target), sizeof(case_target)));
}

/* Pointers that lead nowhere, or out of the last page there is: to every kind of socket, and to one
 * that is connecting. */
static void bad_pointers(void)
{
	long page = sysconf(_SC_PAGESIZE);
	char *pages = mmap(NULL, 2 * (size_t)page, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	const struct sockaddr *const bad[] = { NULL, (void *)(pages + page),
					       (void *)(pages + page - 8) };

	if (munmap(pages + page, (size_t)page) != 0)
		abort();
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		int fd = case_socket(SOCK_NONBLOCK);

		case_tell(connect(case_socket(0), bad[i], sizeof(case_target)));
		case_tell(connect(fd, bad[i], sizeof(case_target)));
		(void)case_connect(fd);
		case_tell(connect(fd, bad[i], sizeof(case_target)));
	}
}

static const struct {
	const char *name;
	void (*run)(void);
} cases[] = {
	{ "bad-arguments", bad_arguments },
	{ "bad-pointers", bad_pointers },
	{ "bound", bound },
	{ "bound-to-any-port", bound_to_any_port },
	{ "cancelled", connect_cancelled },
	{ "closed-stderr", closed_stderr },
	{ "connect-twice", connect_twice },
	{ "datagram", datagram },
	{ "deaf-stderr", deaf_stderr },
	{ "foreign-stderr", foreign_stderr },
	{ "in-handler", connect_in_handler },
	{ "in-vfork", connect_in_vfork },
	{ "interrupted", connect_interrupted },
	{ "keeps-errno", keeps_errno },
	{ "longjmp-out", connect_longjmp_out },
	{ "nonblocking", nonblocking },
	{ "pipe-survivor", pipe_survivor },
	{ "reused", connect_reused },
	{ "reused-second", connect_reused_second },
	{ "shut-down", connect_shut_down },
	{ "send-timeout", connect_send_timeout },
	{ "sandboxed", sandboxed },
	{ "seqpacket", seqpacket },
	{ "slow-failure", connect_slow_failure },
	{ "hanging", connect_hanging },
	{ "hanging-reused", connect_hanging_reused },
	{ "slow-failure-reused", connect_slow_failure_reused },
	{ "hanging-cancelled", connect_hanging_cancelled },
	{ "hanging-longjmp", connect_hanging_longjmp },
	{ "hanging-interrupted", connect_hanging_interrupted },
	{ "title", title },
};

int main(int argc, char **argv)
{
	if (argc < 3)
		return 2;
	case_target.sin_family = AF_INET;
	case_target.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	case_target.sin_port = htons((uint16_t)strtoul(argv[2], NULL, 10));
	path = argc > 3 ? argv[3] : "";
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (strcmp(argv[1], cases[i].name) != 0)
			continue;
		cases[i].run();
		return fflush(stdout) == 0 ? 0 : 2;
	}
	return 2;
}
