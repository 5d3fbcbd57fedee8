/*
 * Counting what calls of every kind come to, for `stats = PATH`.
 *
 * What a rule decided is added to the file at once. A call that no rule had to decide costs one
 * atomic addition in this process; the sum is added to the file along with the next decision, at
 * the end of a curl call when the last time is a second ago, and when the program ends by exit(3)
 * or by returning from main. So a program that is killed takes at most its last second of curl
 * calls that went well out of the counters, and never a retry.
 *
 * The file is mapped for the addition only: it may be removed, rotated or cut short meanwhile. A
 * forked child starts at zero. Same guarantees as ops/log.h.
 */
#ifndef RS_OPS_STATS_H
#define RS_OPS_STATS_H

#include "retry/decide.h"
#include "retry/rule.h"

/* Calls that no rule decided, since the file last had them. */
struct rs_passed {
	_Atomic uint64_t calls[RS_CALL_COUNT];
	_Atomic int64_t told_ns; /* when that was */
};

/* Begin to count where the rules ask for it: rules->passed. */
void rs_stats_attach(struct rs_rules *rules);

/* A call ended without any rule deciding. Inside a curl transfer only the transfer is counted:
 * the caller looks at that. */
static inline void rs_stats_passed(const struct rs_rules *rules, enum rs_call call)
{
	if (rules->passed)
		atomic_fetch_add_explicit(&rules->passed->calls[call], 1, memory_order_relaxed);
}

/* The same where a system call a second is affordable. */
void rs_stats_passed_at(const struct rs_rules *rules, enum rs_call call, int64_t now_ns);

/* A rule has decided; a call came to a good end after retries. */
void rs_stats_decision(const struct rs_rules *rules, const struct rs_rule *rule, enum rs_call call,
		       const struct rs_call_state *state, const struct rs_decision *decision);
void rs_stats_recovered(const struct rs_rules *rules, enum rs_call call,
			const struct rs_call_state *state);

/* The program ends. */
void rs_stats_flush(const struct rs_rules *rules);

#endif
