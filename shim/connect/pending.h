/*
 * Connects that go on while the program waits for them: a place per descriptor.
 *
 * A non-blocking connect() that returned EINPROGRESS gets a place; it keeps it until the program
 * has been told how the call ended, or somebody has found out that it has connected. Nearly all of
 * them do, at their first attempt: so such a place is *plain*. Where it goes to is all that is
 * noted of it, and to come and to go takes it no system call and no hold. What else there is to
 * know is filled in when it is first held. Whose socket the descriptor is, a plain place cannot
 * tell: before anything is done to it the kernel is asked where it was to connect to
 * (connect/socket.h). From its first failure on a place remembers which socket it is (SO_COOKIE).
 * So a descriptor that has become another one's is never touched.
 *
 * The table lies in BSS: nothing is allocated. A place is held by one thread at a time, only
 * between two waits, with all signals blocked, and never over a system call that could block. A
 * thread that finds it held gives way; one that finds it held for long (its holder is below this
 * very signal handler) gives up. A holder in the process that this one was forked from is none.
 *
 * A fork leaves parent and child a table each, and one socket. Neither knows of the other, and any
 * of them may wait: so nothing is done to the socket that could end a connection of the other's.
 *
 * A signal handler that leaves a plain place's coming or going by siglongjmp leaves a place that
 * nobody uses any more, or a count too high: calls then take a look more than they need to.
 */
#ifndef RS_CONNECT_PENDING_H
#define RS_CONNECT_PENDING_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "connect/call.h"
#include "ops/commands.h"

/* How many connects can be pending at once. One more is the program's own affair. */
#define RS_PENDING_MAX 1024

enum rs_pending_stage {
	RS_PENDING_NONE,   /* no such connect, or no longer */
	RS_PENDING_FLYING, /* an attempt is under way */
	RS_PENDING_WAITS,  /* none is: something is to be done at due_ns */
	RS_PENDING_FAILED, /* for good: `error` is what the program has yet to be told */
};

/* What is to be done when the time of one that WAITS has come. */
enum rs_pending_step {
	RS_STEP_ATTEMPT, /* the next attempt, or the first one, that had to wait for its turn */
	RS_STEP_LAUNCH,  /* the real connect of an attempt that a fault has delayed */
	RS_STEP_STRIKE,  /* the attempt fails, with the fault's error */
	RS_STEP_LOOK,    /* a command runs: is it over? */
};

/* Where an epoll set knows the descriptor: what the program asked for. */
struct rs_registration {
	int epfd;
	uint32_t events;
	uint64_t data;
	bool marked; /* exchanged for the mark, and not put back yet */
	bool seen;   /* the mark, just now */
	bool noted;  /* read before the event that is expected */
};
#define RS_REGISTRATIONS 4

struct rs_pending {
	/* Noted of every one. */
	int fd;
	uint32_t number; /* which taking of a place this was */
	uint32_t unseen; /* rs_pending_unseen, when the attempt began */
	socklen_t len;
	uint64_t began; /* rs_mark() */
	struct sockaddr_storage addr;

	/* Filled in when it is held. */
	enum rs_pending_stage stage;
	bool is_special;
	int process;                /* that began its attempt, or judged the last one */
	uint64_t cookie;            /* 0: it has not failed yet */
	struct rs_call_state state; /* state.attempts: begun, put off by a fault or not */
	int64_t attempt_ns;         /* when the last one began; 0: at `began` */
	int64_t ends_ns; /* FLYING: it takes no longer; RS_FOREVER: as long as it takes */
	int64_t due_ns;
	enum rs_pending_step step;
	int struck;        /* STRIKE: the error */
	int error;         /* of the last attempt that failed; 0: none has */
	bool kernel_tells; /* the error was not taken away from the kernel */

	/* How that was judged. */
	const struct rs_rules *rules;
	const struct rs_rule *rule; /* NULL: none has decided yet */
	struct rs_decision decision;
	int64_t judged_ns;
	struct rs_history history;
	struct rs_errand errand; /* its command; never outlives the place */
	int64_t look_ns;         /* LOOK: from one look to the next */

	int absent;   /* from this set, when that was last read for it; -1 */
	bool is_left; /* WAITS, and nobody waits in a set that is quiet about it (connect/left.h) */
	int registrations;
	struct rs_registration registered[RS_REGISTRATIONS]; /* as last seen while WAITS */
};

/* How many places are in use, and, above that, how often one was taken. */
extern _Atomic uint64_t rs_pending_tally __attribute__((visibility("hidden")));
/* How many are not plain, and, above that, how often one ceased to be. */
extern _Atomic uint64_t rs_pending_specials __attribute__((visibility("hidden")));
/* How often a wait returned that may have told of a connection, nobody knows which. */
extern atomic_uint rs_pending_unseen __attribute__((visibility("hidden")));

/* One load: nothing is pending in most programs most of the time. */
static inline bool rs_pending_any(void)
{
	return (uint32_t)atomic_load_explicit(&rs_pending_tally, memory_order_acquire) != 0;
}

/* How often a place was taken: has anything been pending since? */
static inline uint32_t rs_pending_taken(void)
{
	return (uint32_t)(atomic_load_explicit(&rs_pending_tally, memory_order_relaxed) >> 32);
}

/* Is there more to be done than to wait and see: are any but plain ones pending? */
static inline bool rs_pending_any_special(void)
{
	return (uint32_t)atomic_load_explicit(&rs_pending_specials, memory_order_acquire) != 0;
}

/* Have there ever been? */
static inline bool rs_pending_ever_special(void)
{
	return atomic_load_explicit(&rs_pending_specials, memory_order_relaxed) != 0;
}

/* ---- plain ones: no system call, no hold ---- */

/* Note a connect that is under way, at its first attempt. The kernel has read its address. False:
 * there is no place for it, or somebody holds the one it has. Async-signal-safe. */
bool rs_pending_note(const struct rs_connect *call);

enum rs_pending_taking {
	RS_PENDING_TOOK,
	RS_PENDING_NOT_THERE, /* the descriptor has no place */
	RS_PENDING_NOT_PLAIN, /* or is newer than `since`: nothing was done */
};

/* Take the place of `fd` away if it is plain, and was there when rs_pending_taken() was `since`:
 * what has become of its connect is known. Async-signal-safe. */
enum rs_pending_taking rs_pending_take_plain(int fd, uint32_t since);

/* ---- any ---- */

/* Give a connect to `addr` a place, its first attempt FLYING; an earlier one on this descriptor is
 * forgotten. The place is held and must be released. NULL: there is none left. */
struct rs_pending *rs_pending_add(const struct rs_connect *call,
				  const struct sockaddr_storage *addr);

/* Has the descriptor a place? Mostly not: a few loads. */
bool rs_pending_has(int fd);

/* Without holding it: has it one in this stage, or one that somebody holds right now? */
bool rs_pending_may_be(int fd, enum rs_pending_stage stage);

/* Has it a place that is not plain, and that another process was the last to hold? Then this one is
 * a fork's child, whose table is a copy of that one's; or a vfork's, whose table is the same. */
bool rs_pending_is_anothers(int fd);

/* Is a held place this process's own affair? Else it was another one's when that one forked, and
 * only matters here if somebody waits for it. */
bool rs_pending_is_ours(const struct rs_pending *pending);

/* Hold the place of `fd`, or NULL. What it holds belongs to the caller until it is released. */
struct rs_pending *rs_pending_hold(int fd);

/* Let go; stage NONE frees the place, and one that is as plain as ever is plain again. */
void rs_pending_release(struct rs_pending *pending);

/* The descriptors that have a place, from place *next on; -1 after the last. */
int rs_pending_each(unsigned *next);

/* Is this address a place of the table? For marks in epoll sets. */
bool rs_pending_is_place(uint64_t address);

#endif
