/*
 * The life of a connect that is pending: an attempt flies, fails, waits, and flies again, until it
 * has connected or failed for good. Nothing here blocks; who waits, and for how long, is the
 * business of the calls that the program waits with.
 *
 * Signals are to be held back (rs_signals_hold) around all of this.
 */
#ifndef RS_CONNECT_FLIGHT_H
#define RS_CONNECT_FLIGHT_H

#include "connect/call.h"
#include "connect/pending.h"
#include "process.h"
#include "retry/fault.h"

/* connect() returned EINPROGRESS: note it, unless no rule for connects could ever match. Where none
 * limits how long it may take that is no system call, and signals need not be held back. Preserves
 * errno. */
void rs_flight_begin(const struct rs_connect *call);

/* connect() on a non-blocking socket failed at once. -EINPROGRESS where it is to be tried again, or
 * a command has to run first, else -error. */
int rs_flight_failed_at_once(const struct rs_connect *call, int error);

/* A fault strikes the first attempt of a non-blocking connect(), and it is to be told later. True:
 * it is pending. */
bool rs_flight_struck(const struct rs_connect *call, const struct rs_fault_strike *strike);

/* The first attempt of a non-blocking connect() is to be made at due_ns. True: it is pending. */
bool rs_flight_paced(const struct rs_connect *call, int64_t due_ns);

/* Hold the place of `fd` if its socket still is the one it was, else NULL. Of one that has not
 * failed yet that is found out when it has (rs_flight_advance). */
struct rs_pending *rs_flight_hold(int fd);

/* When there is something to be done for a held place, whatever the kernel says until then: the
 * next attempt, or the end of one that takes too long. RS_FOREVER: nothing. */
int64_t rs_flight_due_ns(const struct rs_pending *pending);

/* Without holding it: may there be such a time? */
static inline bool rs_flight_may_be_due(int fd)
{
	return rs_pending_may_be(fd, RS_PENDING_WAITS) ||
	       (rs_limits_possible && rs_pending_may_be(fd, RS_PENDING_FLYING));
}

/*
 * Bring a held place up to date: the next attempt is made if it is due, and how an attempt ended,
 * be it because its time is over, is judged. Returns the stage; *revents is what poll() says about
 * `events` now, as far as the program may know it (0 while the call goes on; NULL: not asked).
 */
enum rs_pending_stage rs_flight_advance(struct rs_pending *pending, int64_t now_ns, short events,
					short *revents);

/* Something ends the waiting: it has failed, with the error of the last attempt. Where none has
 * been made yet it is made now, and the stage says what came of it. */
void rs_flight_cancel(struct rs_pending *pending);

/* The descriptor is no longer the program's connect: it is being closed, or becomes another one. */
void rs_flight_forget(int fd);

/* The program has asked the kernel for the error of one that flies, which is gone with that.
 * Returns the stage: NONE where it stays the program's. */
enum rs_pending_stage rs_flight_told(struct rs_pending *pending, int error);

/*
 * The kernel has reported that `fd` is connected, of the time since rs_pending_taken() was `since`:
 * it is pending no longer. False: there is more to it than that, and somebody has to look at it as
 * rs_flight_advance() does. No system call. Async-signal-safe; signals need not be held back.
 */
bool rs_flight_landed(int fd, uint32_t since);

/* The same where it comes to its end otherwise: the program closes it, or has. */
bool rs_flight_dropped(int fd, uint32_t since);

/* Those that have connected are pending no longer: what goes wrong with them from now on is none
 * of ours. For waits that report data, not descriptors. */
void rs_flight_land_all(void);

/* Forget connects whose sockets were closed, or have connected without the program waiting for it.
 * Looks at them all, but seldom: not again within a tenth of a second. */
void rs_flight_sweep(int64_t now_ns);

#endif
