/*
 * A blocking call that is tried again: connect(), a look-up. The thread that called it waits.
 *
 * The caller makes the attempts. Asked after each that failed, this judges, runs commands, waits,
 * reports and counts. Takes no lock that it holds while it waits, and no heap: a signal handler may
 * leave by siglongjmp, and a thread be cancelled, during a wait. Async-signal-safe once the rules
 * are loaded. Preserves errno.
 */
#ifndef RS_RETRIED_H
#define RS_RETRIED_H

#include <stdbool.h>

#include "ops/report.h"
#include "pause.h"
#include "retry/decide.h"

/* One call, from its first failure on. Owns nothing. */
struct rs_retried {
	const struct rs_rules *rules;
	const struct rs_target *target; /* valid as long as this */
	/* Asked now and then in a wait, and after it: is there still something to make the attempt
	 * on? NULL: yes. */
	bool (*is_there)(void *arg);
	void *arg;

	struct rs_call_state state;
	struct rs_history history;
	int64_t attempt_ns;      /* when the last attempt began */
	struct rs_before before; /* of the program, while signals are held back */
	bool decided;            /* by a rule, at least once */
};

/* The first attempt of a call that began at `began_ns` has failed. */
void rs_retried_begin(struct rs_retried *retried, const struct rs_rules *rules,
		      const struct rs_target *target, int64_t began_ns);

/* The attempt has ended so. True: it is time for the next. False: that is the outcome, and has been
 * reported. A handled signal ends the wait. */
bool rs_retried_again(struct rs_retried *retried, const struct rs_outcome *outcome);

/* The call is over: count it, give back to the quota, and log a success, which it took more than
 * one attempt to get. */
void rs_retried_end(const struct rs_retried *retried, bool succeeded);

/* The turn of an attempt that is about to be made at `now_ns`: how long it has to wait, logged. It
 * is taken. 0: it is there. There is a pace to be kept (rules->pacers). */
int64_t rs_turn_wait_ns(const struct rs_rules *rules, const struct rs_target *target,
			int64_t now_ns);

/* Before a first attempt: wait for its turn, as far as its target's pace asks for that. A handled
 * signal ends the wait. */
void rs_first_await_turn(const struct rs_rules *rules, const struct rs_target *target);

/* Has the success of a first attempt anything to give back, or to tell its target's pace? */
bool rs_first_success_matters(const struct rs_rules *rules);
/* Then do it. `target` may be NULL: one that nobody knows. */
void rs_first_succeeded(const struct rs_rules *rules, const struct rs_target *target);

#endif
