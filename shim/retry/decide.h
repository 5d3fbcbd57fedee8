/*
 * Given this outcome, what next? The one question that every interposed call asks.
 *
 * No I/O, no clock, no randomness of its own: they are passed in. Allocates nothing, takes no
 * lock; safe from any thread and in a signal handler.
 */
#ifndef RS_RETRY_DECIDE_H
#define RS_RETRY_DECIDE_H

#include "retry/purse.h"
#include "retry/rule.h"

/* What a call remembers from attempt to attempt. Begin with rs_call_begin(); owns nothing. */
#define RS_RULES_PER_CALL 8
struct rs_call_state {
	int64_t started_ns;       /* monotonic */
	int32_t attempts;         /* begun so far */
	int64_t previous_wait_ns; /* computed, before the server's wishes; 0 before the first */
	struct rs_purse paid;     /* where the last retry was paid from, for the refund */
	int32_t paid_cost;
	const struct rs_rule *last_rule; /* that caused the last retry */
	/* Retries per rule, up to a place without one. A call that meets more rules than this
	 * counts the rest together in the last place: their backoff then grows sooner, never later.
	 */
	struct {
		const struct rs_rule *rule;
		int32_t retries;
	} seen[RS_RULES_PER_CALL];
};

enum rs_action {
	RS_ACTION_RETRY,     /* wait wait_ns, then make the next attempt */
	RS_ACTION_EXHAUSTED, /* hand over and report; `reason` says why */
	RS_ACTION_PERMANENT, /* hand over and report */
	RS_ACTION_RECOVER,   /* run the rule's recover command, then wait and retry; once per rule
				and call, after that RETRY */
	RS_ACTION_FOLLOWUP,  /* hand over, run the followup command, report */
};

enum rs_reason {
	RS_REASON_ATTEMPTS,
	RS_REASON_ELAPSED,
	RS_REASON_QUOTA,
	RS_REASON_RETRY_AFTER,
	RS_REASON_CANCELLED,
	RS_REASON_NOT_REPLAYABLE,
	RS_REASON_COMMITTED,
};

struct rs_circumstances {
	bool replayable; /* the request can be sent again byte for byte */
	bool committed;  /* the program has seen bytes of this attempt */
	int64_t now_ns;  /* monotonic */
	int64_t wall_now_ns;
	int64_t pace_ns;                /* the target's pace asks for at least this wait */
	uint64_t random;                /* uniform over uint64_t */
	const struct rs_target *target; /* whose bucket pays, where quotas have one per target */
};

struct rs_decision {
	enum rs_action action;
	enum rs_reason reason; /* RS_ACTION_EXHAUSTED only */
	int64_t wait_ns;       /* RS_ACTION_RETRY, RS_ACTION_RECOVER */
	int32_t quota_left;    /* after paying; -1 where the policy has no quota */
};

/* Of `seen` only the first place is set: the others are once they are needed. */
static inline void rs_call_begin(struct rs_call_state *state, int64_t now_ns)
{
	state->started_ns = now_ns;
	state->attempts = 0;
	state->previous_wait_ns = 0;
	state->paid.quota = NULL;
	state->paid_cost = 0;
	state->last_rule = NULL;
	state->seen[0].rule = NULL;
	state->seen[0].retries = 0;
}

/*
 * Judge an outcome that `rule` matched, in the order rule, max_attempts, replayable and
 * uncommitted, wait, retry_after_cap, max_elapsed, quota. When the answer is to retry the quota
 * has been paid and `state` counts the retry; the caller counts the attempt (state->attempts)
 * when it begins one.
 */
struct rs_decision rs_decide(const struct rs_rules *rules, const struct rs_rule *rule,
			     struct rs_call_state *state, const struct rs_outcome *outcome,
			     const struct rs_circumstances *now);

/* Would a retry that `rule` causes begin with its recover command? */
bool rs_recovers_first(const struct rs_rule *rule, const struct rs_call_state *state);

/* The retry that was decided on last is not made: give back what it paid. */
void rs_call_unpaid(struct rs_call_state *state, int64_t now_ns);

/* Has a success anything to give back? A load or two for each quota: for nearly every call it
 * ends here. */
bool rs_call_refunds(const struct rs_rules *rules, const struct rs_call_state *state);

/* The call has succeeded: refund what success gives back (AWS standard mode). */
void rs_call_succeeded(const struct rs_rules *rules, const struct rs_call_state *state,
		       const struct rs_target *target, int64_t now_ns);

const char *rs_reason_name(enum rs_reason reason);
const char *rs_class_name(enum rs_class class);
const char *rs_call_name(enum rs_call call);

#endif
