/*
 * Counters per rule and call, in a file that processes share (stats = PATH).
 *
 * A table of fixed size. An entry is found by the fingerprint of its rule's name and its call, and
 * holds the name, so that a reader needs no rules. Every word is atomic and only grows, so that a
 * process may be killed at any instruction; at worst it leaves an entry without its name, which
 * the next one that counts there writes. No lock; any thread; async-signal-safe.
 */
#ifndef RS_SHARED_COUNTERS_H
#define RS_SHARED_COUNTERS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "retry/outcome.h"
#include "shared/file.h"

enum rs_counter {
	RS_COUNT_CALLS,
	RS_COUNT_RETRIES,
	RS_COUNT_RECOVERED,
	RS_COUNT_EXHAUSTED,
	RS_COUNT_QUOTA_REFUSED,
	RS_COUNT_WAIT_NS,
	RS_COUNTERS,
};

#define RS_COUNTERS_TITLE "retryshim counters, version 1\n"
#define RS_COUNTERS_SLOTS 1024 /* a power of two */
#define RS_RULE_NAME_SIZE 200  /* with its NUL; longer ones are cut */

/* The rule under which is counted what found no place. No rule can have this name. */
#define RS_OTHER_RULES "(other)"

struct rs_counters_slot {
	_Atomic uint64_t key; /* 0: free */
	_Atomic uint64_t counts[RS_COUNTERS];
	_Atomic uint64_t name[RS_RULE_NAME_SIZE / 8];
};

struct rs_counters {
	char title[RS_TITLE_SIZE];
	uint64_t unused;
	struct rs_counters_slot slots[RS_COUNTERS_SLOTS];
	struct rs_counters_slot others[RS_CALL_COUNT];
};

/* What to add at once. */
struct rs_amounts {
	uint64_t at[RS_COUNTERS];
};

/* `rule`: its name; "" for calls that no rule decided. */
void rs_counters_add(struct rs_counters *counters, enum rs_call call, const char *rule,
		     const struct rs_amounts *amounts);

/* One line of what was counted. */
struct rs_counted {
	enum rs_call call;
	char rule[RS_RULE_NAME_SIZE];
	struct rs_amounts amounts;
};

#define RS_COUNTED_MOST (RS_COUNTERS_SLOTS + RS_CALL_COUNT)

/* All lines, by call and rule, each pair once; how many. A table of any bytes is safe to read:
 * rules in it are "", RS_OTHER_RULES, or names as a rule may have. */
size_t rs_counters_read(const struct rs_counters *counters,
			struct rs_counted lines[RS_COUNTED_MOST]);

#endif
