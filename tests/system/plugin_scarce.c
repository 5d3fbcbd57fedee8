/*
 * Preloaded before the library under test: whatever it asks the system for can be refused, at any
 * one of the times that it asks. Calls from elsewhere, libcurl and libc included, go straight on.
 *
 * Refused are memory (the heap, mappings, what libc allocates on the library's behalf), descriptors
 * and processes.
 */
#include "scarce.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <regex.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define EXPORT    __attribute__((visibility("default")))
#define HELD_MOST 8192

static struct plan {
	atomic_long asked, refuse;
	atomic_bool counts, ever_after;
} * plan; /* NULL: not yet */

static uintptr_t begin, end; /* of the library under test */

static struct {
	void *(*malloc)(size_t);
	void *(*calloc)(size_t, size_t);
	void *(*realloc)(void *, size_t);
	void (*free)(void *);
	void *(*mmap)(void *, size_t, int, int, int, off_t);
	int (*munmap)(void *, size_t);
	long (*syscall)(long, ...);
	int (*open)(const char *, int, ...);
	FILE *(*fopen)(const char *, const char *);
	int (*fallocate)(int, off_t, off_t);
	int (*socket)(int, int, int);
	int (*socketpair)(int, int, int, int *);
	int (*regcomp)(regex_t *, const char *, int);
} real;

/* glibc's own, for what is asked for before the constructor. */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *memory, size_t size);
void __libc_free(void *memory);

static int find_library(struct dl_phdr_info *info, size_t size, void *unused)
{
	(void)size;
	(void)unused;
	if (!strstr(info->dlpi_name, "libretryshim.so"))
		return 0;
	for (int i = 0; i < info->dlpi_phnum; i++) {
		uintptr_t from = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr;

		if (info->dlpi_phdr[i].p_type != PT_LOAD || !(info->dlpi_phdr[i].p_flags & PF_X))
			continue;
		begin = from;
		end = from + info->dlpi_phdr[i].p_memsz;
	}
	return 1;
}

#define FIND(name, symbol) (*(void **)(&real.name) = dlsym(RTLD_NEXT, symbol))

__attribute__((constructor)) static void prepare(void)
{
	struct plan *shared;

	FIND(mmap, "mmap");
	FIND(munmap, "munmap");
	FIND(syscall, "syscall");
	FIND(open, "open");
	FIND(fallocate, "posix_fallocate");
	FIND(socket, "socket");
	FIND(socketpair, "socketpair");
	FIND(regcomp, "regcomp");
	FIND(malloc, "malloc");
	FIND(calloc, "calloc");
	FIND(realloc, "realloc");
	FIND(free, "free");
	shared = real.mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
			   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		abort();
	/* A command of the rules' is without the library, and nothing is refused to it. */
	if (dl_iterate_phdr(find_library, NULL) == 1)
		plan = shared;
}

static bool is_library(const void *caller)
{
	return plan && (uintptr_t)caller >= begin && (uintptr_t)caller < end;
}

/* Is this one refused? */
static bool refused(const void *caller)
{
	long refuse, number;

	if (!is_library(caller) || !atomic_load(&plan->counts))
		return false;
	refuse = atomic_load(&plan->refuse);
	number = atomic_fetch_add(&plan->asked, 1) + 1;
	return refuse > 0 && (number == refuse || (number > refuse && plan->ever_after));
}

#define CALLER __builtin_return_address(0)

extern scarce_arm scarce_refuse;
extern scarce_end scarce_grant;
extern scarce_asked scarce_count;
extern scarce_held scarce_pieces;

EXPORT void scarce_refuse(long n, bool ever_after)
{
	atomic_store(&plan->ever_after, ever_after);
	atomic_store(&plan->asked, 0);
	atomic_store(&plan->refuse, n);
	atomic_store(&plan->counts, true);
}

EXPORT void scarce_grant(void)
{
	atomic_store(&plan->counts, false);
}

EXPORT long scarce_count(void)
{
	return atomic_load(&plan->asked);
}

/* ---- what is held ---- */

static _Atomic(void *) held[HELD_MOST];
static atomic_long held_count;

static void *hold(const void *caller, void *memory)
{
	if (!memory || memory == MAP_FAILED || !is_library(caller))
		return memory;
	for (size_t i = 0; i < HELD_MOST; i++) {
		void *vacant = NULL;

		if (atomic_compare_exchange_strong(&held[i], &vacant, memory)) {
			atomic_fetch_add(&held_count, 1);
			return memory;
		}
	}
	abort();
}

/* Whoever lets it go: libc does so for memory that it was given. */
static void let_go(void *memory)
{
	if (!memory || atomic_load_explicit(&held_count, memory_order_relaxed) == 0)
		return;
	for (size_t i = 0; i < HELD_MOST; i++) {
		void *there = memory;

		if (atomic_compare_exchange_strong(&held[i], &there, NULL)) {
			atomic_fetch_sub(&held_count, 1);
			return;
		}
	}
}

EXPORT long scarce_pieces(void)
{
	return atomic_load(&held_count);
}

/* ---- memory ---- */

static void *no_memory(void)
{
	errno = ENOMEM;
	return NULL;
}

EXPORT void *malloc(size_t size)
{
	if (refused(CALLER))
		return no_memory();
	return hold(CALLER, real.malloc ? real.malloc(size) : __libc_malloc(size));
}

EXPORT void *calloc(size_t count, size_t size)
{
	if (refused(CALLER))
		return no_memory();
	return hold(CALLER, real.calloc ? real.calloc(count, size) : __libc_calloc(count, size));
}

EXPORT void *realloc(void *memory, size_t size)
{
	void *moved;

	if (refused(CALLER))
		return no_memory();
	moved = real.realloc ? real.realloc(memory, size) : __libc_realloc(memory, size);
	if (moved)
		let_go(memory);
	return hold(CALLER, moved);
}

EXPORT void free(void *memory)
{
	let_go(memory);
	if (real.free)
		real.free(memory);
	else
		__libc_free(memory);
}

EXPORT char *strdup(const char *text)
{
	size_t size = strlen(text) + 1;
	char *copy = refused(CALLER) ? no_memory() : real.malloc(size);

	if (copy)
		memcpy(copy, text, size);
	return hold(CALLER, copy);
}

EXPORT int asprintf(char **to, const char *format, ...)
{
	va_list args;
	int len;

	if (refused(CALLER)) {
		errno = ENOMEM;
		return -1;
	}
	va_start(args, format);
	len = vasprintf(to, format, args);
	va_end(args);
	if (len >= 0)
		(void)hold(CALLER, *to);
	return len;
}

EXPORT int regcomp(regex_t *regex, const char *text, int flags)
{
	return refused(CALLER) ? REG_ESPACE : real.regcomp(regex, text, flags);
}

EXPORT void *mmap(void *at, size_t len, int protection, int flags, int fd, off_t offset)
{
	if (!real.mmap)
		return (void *)syscall(SYS_mmap, at, len, protection, flags, fd, offset);
	if (refused(CALLER)) {
		errno = ENOMEM;
		return MAP_FAILED;
	}
	return hold(CALLER, real.mmap(at, len, protection, flags, fd, offset));
}

EXPORT int munmap(void *at, size_t len)
{
	if (!real.munmap)
		return (int)syscall(SYS_munmap, at, len);
	if (is_library(CALLER))
		let_go(at);
	return real.munmap(at, len);
}

/* ---- descriptors and processes ---- */

static bool makes_something(long number)
{
	return number == SYS_clone || number == SYS_pipe2;
}

EXPORT long syscall(long number, ...)
{
	long words[6];
	va_list args;

	va_start(args, number);
	for (int i = 0; i < 6; i++)
		words[i] = va_arg(args, long);
	va_end(args);
	if (makes_something(number) && refused(CALLER)) {
		errno = number == SYS_clone ? EAGAIN : EMFILE;
		return -1;
	}
	if (!real.syscall)
		FIND(syscall, "syscall");
	return real.syscall(number, words[0], words[1], words[2], words[3], words[4], words[5]);
}

static int no_descriptor(void)
{
	errno = EMFILE;
	return -1;
}

EXPORT int open(const char *path, int flags, ...)
{
	va_list args;
	int mode;

	va_start(args, flags);
	mode = va_arg(args, int);
	va_end(args);
	if (!real.open)
		FIND(open, "open");
	return refused(CALLER) ? no_descriptor() : real.open(path, flags, mode);
}

EXPORT FILE *fopen64(const char *path, const char *mode)
{
	if (!real.fopen)
		FIND(fopen, "fopen64");
	if (refused(CALLER))
		return no_memory();
	return real.fopen(path, mode);
}

EXPORT int posix_fallocate(int fd, off_t offset, off_t len)
{
	return refused(CALLER) ? ENOSPC : real.fallocate(fd, offset, len);
}

EXPORT int socket(int family, int type, int protocol)
{
	if (!real.socket)
		FIND(socket, "socket");
	return refused(CALLER) ? no_descriptor() : real.socket(family, type, protocol);
}

EXPORT int socketpair(int family, int type, int protocol, int ends[2])
{
	return refused(CALLER) ? no_descriptor() : real.socketpair(family, type, protocol, ends);
}
