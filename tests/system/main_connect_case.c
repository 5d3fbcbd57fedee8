/*
 * connect-case CASE PORT [PATH]: one way to use connect(), on 127.0.0.1:PORT or the Unix socket
 * PATH. Prints what came of it. A case that waits for SIGUSR1 is told when by the test.
 */
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../errno_name.h"

static struct sockaddr_in target;
static const char *path;

static const struct sockaddr *in_addr(const struct sockaddr_in *addr)
{
	return (const struct sockaddr *)addr;
}

static int tcp_socket(int flags)
{
	int fd = socket(AF_INET, SOCK_STREAM | flags, 0);

	if (fd < 0)
		abort();
	return fd;
}

static int connect_target(int fd)
{
	return connect(fd, in_addr(&target), sizeof(target));
}

static void tell(int result)
{
	printf("%s\n", result == 0 ? "connected" : errno_name(errno));
}

static void connect_path(int type)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };

	strncpy(addr.sun_path, path, sizeof(addr.sun_path) - 1);
	tell(connect(socket(AF_UNIX, type, 0), (struct sockaddr *)&addr, sizeof(addr)));
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
	tell(connect_target(tcp_socket(SOCK_NONBLOCK)));
	connect_path(SOCK_STREAM | SOCK_NONBLOCK);
}

static struct sockaddr_in free_port(void)
{
	struct sockaddr_in addr = { .sin_family = AF_INET };
	socklen_t len = sizeof(addr);
	int fd = tcp_socket(0);

	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (bind(fd, in_addr(&addr), len) != 0)
		abort();
	getsockname(fd, (struct sockaddr *)&addr, &len);
	close(fd);
	return addr;
}

/* The descriptor's options, flags and binding are afterwards what they were. A port that the
 * kernel chose is not bound in this sense: it gives it up when a connect() fails. */
static void bound(void)
{
	struct sockaddr_in before = free_port(), after = { 0 };
	socklen_t len = sizeof(before);
	int fd = tcp_socket(0), on = 1, flags = fcntl(fd, F_GETFL);

	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	if (bind(fd, in_addr(&before), sizeof(before)) != 0)
		abort();
	tell(connect_target(fd));
	getsockname(fd, (struct sockaddr *)&after, &len);
	on = 0;
	len = sizeof(on);
	getsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, &len);
	printf("port %s, option %s, flags %s\n",
	       before.sin_port == after.sin_port ? "kept" : "lost", on ? "kept" : "lost",
	       flags == fcntl(fd, F_GETFL) ? "kept" : "lost");
}

static void keeps_errno(void)
{
	int fd = tcp_socket(0);

	errno = EXDEV;
	if (connect_target(fd) == 0)
		tell(-1);
}

static void connect_twice(void)
{
	int fd = tcp_socket(0);

	tell(connect_target(fd));
	tell(connect_target(fd));
}

static void on_signal(int number)
{
	(void)number;
}

static void handle(void (*handler)(int))
{
	struct sigaction action = { .sa_handler = handler, .sa_flags = SA_RESTART };

	sigaction(SIGUSR1, &action, NULL);
}

static void interrupted(void)
{
	handle(on_signal);
	tell(connect_target(tcp_socket(0)));
}

static int open_descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int count = 0;

	while (readdir(dir))
		count++;
	closedir(dir);
	return count;
}

static sigjmp_buf way_out;

__attribute__((noreturn)) static void leave(int number)
{
	(void)number;
	siglongjmp(way_out, 1);
}

static void longjmp_out(void)
{
	static int fd, descriptors;

	fd = tcp_socket(0);
	descriptors = open_descriptors();
	handle(leave);
	if (sigsetjmp(way_out, 1) == 0)
		tell(connect_target(fd));
	else
		printf("left, descriptors %s\n",
		       open_descriptors() == descriptors ? "kept" : "leaked");
	handle(on_signal);
	fflush(stdout);
	tell(connect_target(fd)); /* retried like the first */
}

static void *connect_in_thread(void *fd)
{
	connect_target(*(int *)fd);
	return NULL;
}

static void block_signal(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGUSR1);
	pthread_sigmask(SIG_BLOCK, set, NULL);
}

static void cancelled(void)
{
	int number, fd = tcp_socket(0);
	sigset_t set;
	pthread_t thread;
	void *result;

	block_signal(&set);
	pthread_create(&thread, NULL, connect_in_thread, &fd);
	sigwait(&set, &number);
	pthread_cancel(thread);
	pthread_join(thread, &result);
	puts(result == PTHREAD_CANCELED ? "cancelled" : "not cancelled");
	tell(connect_target(fd));
}

static void *replace_descriptor(void *fd)
{
	int number;
	sigset_t set;

	block_signal(&set);
	sigwait(&set, &number);
	dup2(tcp_socket(0), *(int *)fd);
	return NULL;
}

static void reused(void)
{
	int fd = tcp_socket(0);
	struct sockaddr_in peer;
	socklen_t len = sizeof(peer);
	sigset_t set;
	pthread_t thread;

	block_signal(&set);
	pthread_create(&thread, NULL, replace_descriptor, &fd);
	tell(connect_target(fd));
	pthread_join(thread, NULL);
	tell(getpeername(fd, (struct sockaddr *)&peer, &len));
}

/* A listener of our own whose queue is full: the next connect to it hangs. */
static void fill_own_listener(void)
{
	socklen_t len = sizeof(target);
	int listener = tcp_socket(0);

	target.sin_port = 0;
	if (bind(listener, in_addr(&target), len) != 0 || listen(listener, 0) != 0 ||
	    getsockname(listener, (struct sockaddr *)&target, &len) != 0)
		abort();
	for (int i = 0; i < 4; i++)
		(void)connect_target(tcp_socket(SOCK_NONBLOCK));
}

static void send_timeout(void)
{
	struct timeval limit = { .tv_usec = 50000 };
	int fd = tcp_socket(0);

	fill_own_listener();
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	tell(connect_target(fd));
}

static void tell_limit(int fd)
{
	struct timeval limit = { .tv_sec = -1 };
	socklen_t len = sizeof(limit);

	getsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, &len);
	puts(limit.tv_sec == 0 && limit.tv_usec == 0 ? "no limit" : "limit");
}

static void hanging(void)
{
	int fd = tcp_socket(0);

	fill_own_listener();
	tell(connect_target(fd));
	tell_limit(fd);
}

/* An alarm leaves the attempt itself. */
static void hanging_longjmp(void)
{
	static int fd;
	struct sigaction action = { .sa_handler = leave };
	struct itimerval soon = { .it_value.tv_usec = 100000 };

	fd = tcp_socket(0);
	fill_own_listener();
	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &soon, NULL);
	if (sigsetjmp(way_out, 1) == 0)
		tell(connect_target(fd));
	tell_limit(fd);
}

static void hanging_interrupted(void)
{
	struct sigaction action = { .sa_handler = on_signal };
	struct itimerval soon = { .it_value.tv_usec = 100000 };
	int fd = tcp_socket(0);

	fill_own_listener();
	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &soon, NULL);
	tell(connect_target(fd));
	tell_limit(fd);
}

static void slow_failure(void)
{
	unsigned limit_ms = 300;
	int fd = tcp_socket(0);

	fill_own_listener();
	setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &limit_ms, sizeof(limit_ms));
	tell(connect_target(fd));
}

/* Descriptor 2 becomes a file that the program knows as something else. */
static void foreign_stderr(void)
{
	close(STDERR_FILENO);
	if (open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600) != STDERR_FILENO)
		abort();
	tell(connect_target(tcp_socket(0)));
}

static void closed_stderr(void)
{
	close(STDERR_FILENO);
	/* The socket takes its place: nobody's log may end there. */
	tell(connect_target(tcp_socket(0)));
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
	(void)snprintf(port, sizeof(port), "%u", ntohs(target.sin_port));
	execl("/proc/self/exe", "connect-case", "pipe-survivor", port, (char *)NULL);
	abort();
}

static void pipe_survivor(void)
{
	sigset_t pending;

	tell(connect_target(tcp_socket(0)));
	sigpending(&pending);
	puts(sigismember(&pending, SIGPIPE) ? "SIGPIPE pending" : "no signal");
}

static void in_vfork(void)
{
	int fd = tcp_socket(0), status;
	pid_t child = vfork(); /* NOLINT: what is tested */

	if (child == 0)
		_exit(connect_target(fd) == 0 ? 0 : errno); /* NOLINT */
	waitpid(child, &status, 0);
	printf("%s\n", WEXITSTATUS(status) ? errno_name(WEXITSTATUS(status)) : "connected");
}

static volatile sig_atomic_t handler_result;

static void connect_in_handler(int number)
{
	(void)number;
	handler_result = connect_target(tcp_socket(0)) == 0 ? 0 : errno;
}

static void in_handler(void)
{
	handle(connect_in_handler);
	raise(SIGUSR1);
	printf("%s\n", handler_result ? errno_name(handler_result) : "connected");
}

/* As programs do that show a title in ps: the memory of the environment is used for it. */
static void title(void)
{
	for (char **entry = environ; *entry; entry++)
		memset(*entry, 'x', strlen(*entry));
	environ = NULL;
	tell(connect_target(tcp_socket(0)));
}

static void bad_arguments(void)
{
	tell(connect(tcp_socket(0), NULL, sizeof(target)));
	tell(connect(tcp_socket(0), in_addr(&target), 1));
	tell(connect(-1, in_addr(&target), sizeof(target)));
	tell(connect(STDIN_FILENO, in_addr(&target), sizeof(target)));
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
		int fd = tcp_socket(SOCK_NONBLOCK);

		tell(connect(tcp_socket(0), bad[i], sizeof(target)));
		tell(connect(fd, bad[i], sizeof(target)));
		(void)connect_target(fd);
		tell(connect(fd, bad[i], sizeof(target)));
	}
}

static const struct {
	const char *name;
	void (*run)(void);
} cases[] = {
	{ "bad-arguments", bad_arguments },
	{ "bad-pointers", bad_pointers },
	{ "bound", bound },
	{ "cancelled", cancelled },
	{ "closed-stderr", closed_stderr },
	{ "connect-twice", connect_twice },
	{ "datagram", datagram },
	{ "deaf-stderr", deaf_stderr },
	{ "foreign-stderr", foreign_stderr },
	{ "in-handler", in_handler },
	{ "in-vfork", in_vfork },
	{ "interrupted", interrupted },
	{ "keeps-errno", keeps_errno },
	{ "longjmp-out", longjmp_out },
	{ "nonblocking", nonblocking },
	{ "pipe-survivor", pipe_survivor },
	{ "reused", reused },
	{ "send-timeout", send_timeout },
	{ "seqpacket", seqpacket },
	{ "slow-failure", slow_failure },
	{ "hanging", hanging },
	{ "hanging-longjmp", hanging_longjmp },
	{ "hanging-interrupted", hanging_interrupted },
	{ "title", title },
};

int main(int argc, char **argv)
{
	if (argc < 3)
		return 2;
	target.sin_family = AF_INET;
	target.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	target.sin_port = htons((uint16_t)strtoul(argv[2], NULL, 10));
	path = argc > 3 ? argv[3] : "";
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (strcmp(argv[1], cases[i].name) != 0)
			continue;
		cases[i].run();
		return fflush(stdout) == 0 ? 0 : 2;
	}
	return 2;
}
