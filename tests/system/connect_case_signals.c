/*
 * Signals, threads and children in the middle of a connect().
 */
#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../errno_name.h"
#include "connect_case.h"

static void on_signal(int number)
{
	(void)number;
}

static void handle(void (*handler)(int))
{
	struct sigaction action = { .sa_handler = handler, .sa_flags = SA_RESTART };

	sigaction(SIGUSR1, &action, NULL);
}

void connect_interrupted(void)
{
	handle(on_signal);
	case_tell(case_connect(case_socket(0)));
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

void connect_longjmp_out(void)
{
	static int fd, descriptors;

	fd = case_socket(0);
	descriptors = open_descriptors();
	handle(leave);
	if (sigsetjmp(way_out, 1) == 0)
		case_tell(case_connect(fd));
	else
		printf("left, descriptors %s\n",
		       open_descriptors() == descriptors ? "kept" : "leaked");
	handle(on_signal);
	fflush(stdout);
	case_tell(case_connect(fd)); /* retried like the first */
}

static void *connect_in_thread(void *fd)
{
	case_connect(*(int *)fd);
	return NULL;
}

static void block_signal(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGUSR1);
	pthread_sigmask(SIG_BLOCK, set, NULL);
}

void connect_cancelled(void)
{
	int number, fd = case_socket(0);
	sigset_t set;
	pthread_t thread;
	void *result;

	block_signal(&set);
	pthread_create(&thread, NULL, connect_in_thread, &fd);
	sigwait(&set, &number);
	pthread_cancel(thread);
	pthread_join(thread, &result);
	puts(result == PTHREAD_CANCELED ? "cancelled" : "not cancelled");
	case_tell(case_connect(fd));
}

/* Its destructor runs as a cleanup handler does. */
static pthread_key_t at_end;

static void tell_mask(void *unused)
{
	sigset_t mask;

	(void)unused;
	pthread_sigmask(SIG_BLOCK, NULL, &mask);
	printf("%s, ", sigismember(&mask, SIGTERM) ? "blocked" : "mask kept");
}

static void *connect_cancelled_before(void *fd)
{
	pthread_setspecific(at_end, fd);
	pthread_cancel(pthread_self());
	return connect_in_thread(fd);
}

void connect_hanging_cancelled(void)
{
	int fd = case_socket(0);
	pthread_t thread;

	case_fill_own_listener();
	pthread_key_create(&at_end, tell_mask);
	pthread_create(&thread, NULL, connect_cancelled_before, &fd);
	pthread_join(thread, NULL);
	case_tell_limit(fd);
}

static void *replace_descriptor(void *fd)
{
	int number;
	sigset_t set;

	block_signal(&set);
	sigwait(&set, &number);
	dup2(case_socket(0), *(int *)fd);
	return NULL;
}

static void *shut_down(void *fd)
{
	int number;
	sigset_t set;

	block_signal(&set);
	sigwait(&set, &number);
	shutdown(*(int *)fd, SHUT_RDWR);
	return NULL;
}

void connect_shut_down(void)
{
	int fd = case_socket(0);
	sigset_t set;
	pthread_t thread;

	block_signal(&set);
	pthread_create(&thread, NULL, shut_down, &fd);
	case_tell(case_connect(fd));
	pthread_join(thread, NULL);
}

void connect_reused(void)
{
	int fd = case_socket(0);
	struct sockaddr_in peer;
	socklen_t len = sizeof(peer);
	sigset_t set;
	pthread_t thread;

	block_signal(&set);
	pthread_create(&thread, NULL, replace_descriptor, &fd);
	case_tell(case_connect(fd));
	pthread_join(thread, NULL);
	case_tell(getpeername(fd, (struct sockaddr *)&peer, &len));
}

void connect_reused_second(void)
{
	int fd = case_socket(0);

	case_tell(case_connect(fd));
	close(fd);
	connect_reused();
}

/* An alarm leaves the attempt itself. */
void connect_hanging_longjmp(void)
{
	static int fd;
	struct sigaction action = { .sa_handler = leave };
	struct itimerval soon = { .it_value.tv_usec = 100000 };

	fd = case_socket(0);
	case_fill_own_listener();
	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &soon, NULL);
	if (sigsetjmp(way_out, 1) == 0)
		case_tell(case_connect(fd));
	case_tell_limit(fd);
}

void connect_hanging_interrupted(void)
{
	struct sigaction action = { .sa_handler = on_signal };
	struct itimerval soon = { .it_value.tv_usec = 100000 };
	int fd = case_socket(0);

	case_fill_own_listener();
	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &soon, NULL);
	case_tell(case_connect(fd));
	case_tell_limit(fd);
}

void connect_in_vfork(void)
{
	int fd = case_socket(0), status;
	pid_t child = vfork(); /* NOLINT: what is tested */

	if (child == 0)
		_exit(case_connect(fd) == 0 ? 0 : errno); /* NOLINT */
	waitpid(child, &status, 0);
	printf("%s\n", WEXITSTATUS(status) ? errno_name(WEXITSTATUS(status)) : "connected");
}

static volatile sig_atomic_t handler_result;

static void connect_on_signal(int number)
{
	(void)number;
	handler_result = case_connect(case_socket(0)) == 0 ? 0 : errno;
}

void connect_in_handler(void)
{
	handle(connect_on_signal);
	raise(SIGUSR1);
	printf("%s\n", handler_result ? errno_name(handler_result) : "connected");
}
