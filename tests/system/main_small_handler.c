/*
 * small-handler PORT BYTES: connect() in a signal handler that has so many bytes of stack, and in
 * which nothing may be allocated. Says how it went.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../errno_name.h"

static struct sockaddr_in target = { .sin_family = AF_INET };
static volatile sig_atomic_t in_handler, allocations, error;

#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
void *__libc_malloc(size_t size);

void *malloc(size_t size)
{
	allocations += in_handler;
	return __libc_malloc(size);
}
#endif

static void on_signal(int number)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	(void)number;
	in_handler = 1;
	error = connect(fd, (const struct sockaddr *)&target, sizeof(target)) == 0 ? 0 : errno;
	in_handler = 0;
	close(fd);
}

/* Below it lies a page that nobody may touch. */
static void give_stack(size_t size)
{
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);
	const size_t whole = (size + page - 1) / page * page;
	char *at = mmap(NULL, page + whole, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	const stack_t stack = { .ss_sp = at + page + whole - size, .ss_size = size };

	if (at == MAP_FAILED || mprotect(at + page, whole, PROT_READ | PROT_WRITE) != 0 ||
	    sigaltstack(&stack, NULL) != 0)
		abort();
}

int main(int argc, char **argv)
{
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_ONSTACK };

	if (argc != 3)
		return 2;
	target.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	target.sin_port = htons((uint16_t)strtoul(argv[1], NULL, 10));
	give_stack(strtoul(argv[2], NULL, 10));
	sigaction(SIGUSR1, &action, NULL);
	raise(SIGUSR1);
	printf("%s, %d allocations\n", errno_name(error), (int)allocations);
	return 0;
}
