/*
 * What the GNU C library has and others, musl among them, do not: named here and nowhere else, with
 * what stands in for it. Where a stand-in can do less, fewer calls are retried; none goes wrong.
 */
#ifndef RS_GNU_H
#define RS_GNU_H

#include <features.h>
#include <regex.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>

struct link_map;

/* The other C library, for which this is not built, and how the names of its loaders begin. */
#ifdef __GLIBC__
#define RS_OTHER_LIBC   "musl"
#define RS_OTHER_LOADER "/ld-musl"
#else
#define RS_OTHER_LIBC   "glibc"
#define RS_OTHER_LOADER "/ld-linux"
#endif

/* dlopen() and dlsym() can be hooks where dlvsym() finds the real ones past them, on machines that
 * hooks/dl_entry.c has entry points for. */
#if defined(__GLIBC__) && (defined(__x86_64__) || defined(__aarch64__))
#define RS_DL_HOOKS 1
#else
#define RS_DL_HOOKS 0
#endif

/* The second parameter of connect(), in GNU a union of all kinds of addresses. */
#ifdef __GLIBC__
#define RS_SOCKADDR_ARG      __CONST_SOCKADDR_ARG
#define RS_SOCKADDR_OF(addr) ((addr).__sockaddr__)
#else
#define RS_SOCKADDR_ARG      const struct sockaddr *
#define RS_SOCKADDR_OF(addr) (addr)
#endif

/* The environment at a constructor's call: its third argument in glibc, which gives constructors
 * what it gives main(). Elsewhere it may be NULL. */
#ifdef __GLIBC__
#define rs_start_environ(third) (third)
#else
#define rs_start_environ(third) ((void)(third), environ)
#endif

#ifndef __GLIBC__
#define NETDB_INTERNAL (-1) /* h_errno: see errno */
struct epoll_event;
struct timespec;
int epoll_pwait2(int epoll, struct epoll_event *events, int count, const struct timespec *timeout,
		 const sigset_t *mask);
#endif

/*
 * Does the expression match somewhere in these `len` bytes? `at` may be NULL where there are none.
 * Without REG_STARTEND a copy is looked at, in which NUL bytes have become \001, and false returned
 * when there is no memory for it.
 */
bool rs_regex_finds(const regex_t *regex, const char *at, size_t len);

/*
 * The loaded object that holds `address`, or NULL. From any thread. With glibc 2.35 and later it
 * takes no lock and is async-signal-safe; elsewhere the dynamic linker's lock is taken.
 */
struct link_map *rs_object_of(const void *address);

#endif
