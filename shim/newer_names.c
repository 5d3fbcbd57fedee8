/*
 * What the library uses of libc that came, or changed, after libc's first version.
 *
 * Each version that an object asks for is searched for whenever a program starts under it, which
 * takes some 300 instructions; a variable, or a function whose address is taken, takes 800. The
 * linker (--wrap, in the Makefile) puts what stands here in the place of such names: made of what
 * was always there, or looked up when it is first called.
 */
#include <ctype.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <link.h>
#include <regex.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "at_start.h"
#include "next_symbol.h"
#include "process.h"
#include "real.h"

#ifdef __GLIBC__ /* another C library has one version of each */

#define WRAPPED __attribute__((visibility("hidden")))

WRAPPED void *__wrap_memcpy(void *to, const void *from, size_t len);
WRAPPED int __wrap_stat(const char *path, struct stat *st);
WRAPPED int __wrap_lstat(const char *path, struct stat *st);
WRAPPED int __wrap_fstat(int fd, struct stat *st);
WRAPPED unsigned long __wrap_getauxval(unsigned long type);
WRAPPED int __wrap_regexec(const regex_t *regex, const char *text, size_t count,
			   regmatch_t *matches, int flags);
#ifdef DLFO_STRUCT_HAS_EH_DBASE /* else gnu.c does without */
WRAPPED int __wrap__dl_find_object(void *address, struct dl_find_object *found);
#endif
WRAPPED const unsigned short **__wrap___ctype_b_loc(void);
WRAPPED char *__wrap_fgets(char *to, int size, FILE *stream);
WRAPPED _Noreturn void __wrap___stack_chk_fail(void);

/* ---- made of what was always there ---- */

/* On x86-64 there are two, and both are memmove(). */
void *__wrap_memcpy(void *to, const void *from, size_t len)
{
	return memmove(to, from, len);
}

/* The kernel's struct stat is libc's where a long has 64 bits. */
#if defined(__LP64__) && (defined(__x86_64__) || defined(__aarch64__))
int __wrap_stat(const char *path, struct stat *st)
{
	return (int)syscall(SYS_newfstatat, AT_FDCWD, path, st, 0);
}

int __wrap_lstat(const char *path, struct stat *st)
{
	return (int)syscall(SYS_newfstatat, AT_FDCWD, path, st, AT_SYMLINK_NOFOLLOW);
}

RS_CODE_AT_START int __wrap_fstat(int fd, struct stat *st)
{
	return (int)syscall(SYS_fstat, fd, st);
}
#else
int __real_stat(const char *path, struct stat *st);
int __real_lstat(const char *path, struct stat *st);
int __real_fstat(int fd, struct stat *st);

int __wrap_stat(const char *path, struct stat *st)
{
	return __real_stat(path, st);
}

int __wrap_lstat(const char *path, struct stat *st)
{
	return __real_lstat(path, st);
}

int __wrap_fstat(int fd, struct stat *st)
{
	return __real_fstat(fd, st);
}
#endif

/* For inih, which asks for isspace() and nothing else. As in the C locale, whatever the program's:
 * in some a byte inside of a UTF-8 letter would be a space. */
const unsigned short **__wrap___ctype_b_loc(void)
{
	static const unsigned short classes[384] = {
		[128 + ' '] = _ISspace,  [128 + '\t'] = _ISspace, [128 + '\n'] = _ISspace,
		[128 + '\v'] = _ISspace, [128 + '\f'] = _ISspace, [128 + '\r'] = _ISspace,
	};
	static const unsigned short *from_zero = classes + 128;

	return &from_zero;
}

/* For inih's way of reading files, which is not used here. */
char *__wrap_fgets(char *to, int size, FILE *stream)
{
	(void)to;
	(void)size;
	(void)stream;
	return NULL;
}

/* ---- looked up: by signal handlers, too, and so without the linker's lock where that goes ---- */

static void *find(const char *name, _Atomic(void *) *found)
{
	void *symbol = atomic_load_explicit(found, memory_order_relaxed);

	if (!symbol) {
		symbol = rs_next_symbol(name);
		if (!symbol)
			symbol = rs_real_dlsym(RTLD_NEXT, name);
		atomic_store_explicit(found, symbol, memory_order_relaxed);
	}
	return symbol;
}

/* 0 is what a vector without the entry gives, too. */
unsigned long __wrap_getauxval(unsigned long type)
{
	RS_DATA_AT_START static _Atomic(void *) found;
	unsigned long (*real)(unsigned long) =
		(unsigned long (*)(unsigned long))find("getauxval", &found);

	return real ? real(type) : 0;
}

/* The first version does not know REG_STARTEND. */
int __wrap_regexec(const regex_t *regex, const char *text, size_t count, regmatch_t *matches,
		   int flags)
{
	RS_DATA_AT_START static _Atomic(void *) found;
	__typeof__(&regexec) real = (__typeof__(&regexec))find("regexec", &found);

	return real ? real(regex, text, count, matches, flags) : REG_NOMATCH;
}

#ifdef DLFO_STRUCT_HAS_EH_DBASE
/* Where it is missing (glibc 2.34) there is a slower way to the one field that is used. */
int __wrap__dl_find_object(void *address, struct dl_find_object *result)
{
	RS_DATA_AT_START static _Atomic(void *) found;
	__typeof__(&_dl_find_object) real =
		(__typeof__(&_dl_find_object))find("_dl_find_object", &found);
	Dl_info info;

	if (real)
		return real(address, result);
	return dladdr1(address, &info, (void **)&result->dlfo_link_map, RTLD_DL_LINKMAP) ? 0 : -1;
}
#endif

void __wrap___stack_chk_fail(void)
{
	RS_DATA_AT_START static _Atomic(void *) found;
	void (*real)(void) = (void (*)(void))find("__stack_chk_fail", &found);

	if (real)
		real();
	abort();
}

#endif

/* ---- variables ---- */

/* It may have been moved into the program (a copy relocation): whichever comes first is in use. */
char ***rs_process_environ(void)
{
	RS_DATA_AT_START static _Atomic(char ***) found;
	static char **none;
	char ***variable = atomic_load_explicit(&found, memory_order_relaxed);

	if (!variable) {
		variable = rs_real_dlsym(RTLD_DEFAULT, "environ");
		atomic_store_explicit(&found, variable ? variable : &none, memory_order_relaxed);
	}
	return variable ? variable : &none;
}

const char rs_not_asked;
RS_DATA_AT_START _Atomic(const char *) rs_found_single_threaded = &rs_not_asked;

/* poll() asks it, and is not to wait for the linker's lock: where that alone can tell, a program is
 * taken to have threads. libc keeps its own up to date also beside a program's copy. */
const char *rs_find_single_threaded(void)
{
	static const char unknown;
	const char *variable = rs_next_symbol("__libc_single_threaded");

	if (!variable)
		variable = &unknown;
	atomic_store_explicit(&rs_found_single_threaded, variable, memory_order_relaxed);
	return variable;
}
