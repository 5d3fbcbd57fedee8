/*
 * Connects that go on while the program waits for them: a place per descriptor.
 *
 * A non-blocking connect() that returned EINPROGRESS gets a place; it keeps it until the program
 * has been told how the call ended. The place remembers which socket the descriptor was
 * (SO_COOKIE): a descriptor that has become another one's is never touched.
 *
 * The table lies in BSS: nothing is allocated. A place is held by one thread at a time, only
 * between two waits, with all signals blocked, and never over a system call that could block. A
 * thread that finds it held gives way; one that finds it held for long (its holder is in the
 * process that this one was forked from, or below this very signal handler) gives up.
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
	bool noted;  /* read before the event that is expected */
};
#define RS_REGISTRATIONS 4

struct rs_pending {
	_Atomic uint32_t word; /* the stage, or that and whose process holds it */
	enum rs_pending_stage stage;
	int fd;
	uint64_t cookie;
	uint64_t began; /* rs_mark() */
	struct sockaddr_storage addr;
	socklen_t len;
	struct rs_call_state state; /* state.attempts: begun, put off by a fault or not */
	int64_t attempt_ns;         /* when the last one began; 0: at `began` */
	int64_t ends_ns; /* FLYING: it takes no longer; RS_FOREVER: as long as it takes */
	int64_t due_ns;
	enum rs_pending_step step;
	int struck; /* STRIKE: the error */
	int error;  /* of the last attempt that failed; 0: none has */

	/* How that was judged. */
	const struct rs_rules *rules;
	const struct rs_rule *rule; /* NULL: none has decided yet */
	struct rs_decision decision;
	int64_t judged_ns;
	struct rs_history history;
	struct rs_errand errand; /* its command; never outlives the place */
	int64_t look_ns;         /* LOOK: from one look to the next */

	int registrations;
	struct rs_registration registered[RS_REGISTRATIONS]; /* as last seen while WAITS */
};

extern atomic_int rs_pending_count __attribute__((visibility("hidden")));
/* How often a place was taken: has anything been pending since? */
extern atomic_uint rs_pending_taken __attribute__((visibility("hidden")));

/* One load: nothing is pending in most programs most of the time. */
static inline bool rs_pending_any(void)
{
	return atomic_load_explicit(&rs_pending_count, memory_order_acquire) > 0;
}

/* Note a connect to `addr`, its first attempt FLYING; an earlier one on this descriptor is
 * forgotten. The place is held and must be released. NULL: there is none left. */
struct rs_pending *rs_pending_add(const struct rs_connect *call,
				  const struct sockaddr_storage *addr);

/* Has the descriptor a place? Mostly not: a few loads. */
bool rs_pending_has(int fd);

/* Without holding it: has it one in this stage, or one that somebody holds right now? */
bool rs_pending_may_be(int fd, enum rs_pending_stage stage);

/* Hold the place of `fd`, or NULL. What it holds belongs to the caller until it is released. */
struct rs_pending *rs_pending_hold(int fd);

/* Let go; stage NONE frees the place. */
void rs_pending_release(struct rs_pending *pending);

/* The descriptors that have a place, from place *next on; -1 after the last. */
int rs_pending_each(unsigned *next);

/* Is this address a place of the table? For marks in epoll sets. */
bool rs_pending_is_place(uint64_t address);

#endif
