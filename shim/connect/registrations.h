/*
 * Keeping an epoll set quiet about a connect that waits for its next attempt.
 *
 * A socket that is not connected reports HUP without end. So, once its failure has shown up, the
 * program's registration is read from /proc/thread-self/fdinfo, and exchanged for a mark of ours:
 * one-shot, for no event, with the address of the place as its data. The kernel reports the mark
 * once, which the waits swallow (and which wakes a thread that waits already, to learn of the new
 * time); then the set is silent. With the next attempt the program's own registration is put back.
 * It stays a registration all the time: the program can change or delete it, and closing ends it.
 */
#ifndef RS_CONNECT_REGISTRATIONS_H
#define RS_CONNECT_REGISTRATIONS_H

#include "connect/pending.h"

struct epoll_event;

/* Called for every descriptor registered in a set: `fd`, what for, and the program's data. -1: one
 * that this process has not, or not under that number. */
typedef void (*rs_registered_fn)(void *arg, int fd, uint32_t events, uint64_t data);

/* 0 or -errno: without /proc there is nothing to learn. Keeps no descriptor open. */
int rs_registrations_read(int epfd, rs_registered_fn each, void *arg);

/* Is a held place's descriptor registered in this set? That takes no /proc. One that is not, is for
 * a moment, with the mark, which another thread that adds it would find there. */
bool rs_registrations_has(const struct rs_pending *pending, int epfd);

/*
 * Exchange a registration of a held place that WAITS, as the set says right now, for the mark.
 * `reported` is what the set has
 * just told about it (0: nothing): a one-shot registration forgets its events when it fires, and is
 * left to the thread that is told. False where it cannot be done.
 */
bool rs_registrations_mark(struct rs_pending *pending, const struct rs_registration *registered,
			   uint32_t reported);

/*
 * What a set says right now of a held place for which something is due: that the mark still is
 * there, or what the program asks for, which a one-shot registration forgets with the event that
 * follows when an attempt is called off. To read a set once is enough for all that is due.
 */
void rs_registrations_see(struct rs_pending *pending, const struct rs_registration *registered);

/* The set has been read: a mark that was not seen is none any more. */
void rs_registrations_all_seen(struct rs_pending *pending, int epfd);

/* What the program has asked for, `registered` being what the set says: more than that only where
 * it has fired and was noted. */
uint32_t rs_registrations_events(const struct rs_pending *pending,
				 const struct rs_registration *registered);

/* Is the set quiet about a held place? Only then may a thread that waits for it make an attempt:
 * else the failure of the last one is on its way to somebody. */
bool rs_registrations_marked(const struct rs_pending *pending, int epfd);

/* The program's data in the set, where that is known; else the mark, which is none. */
uint64_t rs_registrations_data(const struct rs_pending *pending, int epfd);

/* If this one of the program's is one-shot and has fired, it was for nothing that the program may
 * know: ask for it again. `reported` as above. */
void rs_registrations_rearm(int fd, const struct rs_registration *registered, uint32_t reported);

/* Put the program's own back, wherever the mark still is. A set is read again where it was not seen
 * just now. */
void rs_registrations_restore(struct rs_pending *pending);

#endif
