/*
 * Faults on purpose: which attempts go wrong, and how.
 *
 * A fault strikes by count and by chance. With a seed the chance of an attempt follows from the
 * seed, the fault, the target and how often that target was tried before, and from nothing else:
 * threads that come in another order change nothing for each other's targets.
 *
 * No I/O, no clock; allocates nothing, takes no lock; safe from any thread and in a signal handler.
 */
#ifndef RS_RETRY_FAULT_H
#define RS_RETRY_FAULT_H

#include "retry/rule.h"

#define RS_CERTAIN  1000000 /* probability, in millionths */
#define RS_NO_CUT   SIZE_MAX
#define RS_NO_FIRST 0

/* An error as each kind of call reports it; 0: such a call does not end so. */
struct rs_fault_error {
	int curl;
	int sys; /* connect: the error; else the errno behind it */
	int eai;
};

struct rs_fault {
	const char *name;
	struct rs_rule scope; /* its scope matchers; nothing else of it is used */

	/* What happens: an error, or an answer, or the real thing; later, or cut short. */
	struct rs_fault_error error;
	int status;             /* 0: no answer of ours */
	struct rs_span headers; /* lines with CRLF */
	struct rs_span body;
	int64_t delay_min_ns, delay_max_ns;
	size_t cut; /* body bytes; RS_NO_CUT */

	/* How often. */
	int32_t probability; /* millionths */
	int32_t first;       /* attempts of each target; RS_NO_FIRST: all */
	int32_t every;       /* 1: each */
};

/*
 * How often something was tried: open hash tables. A place is half of a key, and above it the
 * count; 0 is a free one. What finds none counts together. Only those that are used cost memory.
 */
#define RS_FAULT_PLACES 4096
struct rs_fault_table {
	_Atomic uint64_t places[RS_FAULT_PLACES];
	_Atomic uint32_t others;
};

/* By the faults' names, so that it may outlive the rules. Requests are many more than targets, and
 * must not take their places. */
struct rs_fault_counts {
	struct rs_fault_table targets;
	struct rs_fault_table requests;
};

/* What becomes of an attempt. */
struct rs_fault_strike {
	const struct rs_fault *fault; /* NULL: nothing */
	int64_t delay_ns;
};

/* Which faults an attempt can have. */
enum rs_fault_means {
	RS_FAULTS_ALL,
	RS_FAULTS_WITHOUT_ANSWER, /* nothing in it could be answered by a response of ours */
};

/*
 * An attempt of a call to this target is about to begin: the first fault in file order that
 * strikes it. Counts the attempt for those that could. `random` is uniform over uint64_t, and used
 * without a seed.
 */
struct rs_fault_strike rs_fault_next(const struct rs_rules *rules, const struct rs_target *target,
				     enum rs_fault_means means, uint64_t random);

#endif
