/*
 * Which recovery is under way, or has just been made, for a rule and a target: so that calls that
 * fail together are mended by one run.
 *
 * A small table under a lock that is held for a few instructions, with all signals waiting. A lock
 * or a run that a fork left behind in the child is taken over there.
 */
#ifndef RS_OPS_FLIGHT_H
#define RS_OPS_FLIGHT_H

#include <stdint.h>

#include "ops/commands.h"

enum rs_flight_role {
	RS_FLIGHT_RUNS,   /* the caller runs the command, then calls rs_flight_land() */
	RS_FLIGHT_SHARES, /* *recovery is one to use: the caller is a user of it now */
	RS_FLIGHT_WAITS,  /* another call runs it: ask again */
	RS_FLIGHT_NESTED, /* another call of this very thread does: it goes on when this one lets it
			   */
};

/* The key of an incident. Pure. */
struct rs_flight_key rs_flight_key_of(const struct rs_incident *incident);

/* `attempt_ns`: a recovery that ended before has not helped. `until_ns`: a run of the caller's
 * counts as given up after that. */
enum rs_flight_role rs_flight_board(const struct rs_flight_key *key, int64_t attempt_ns,
				    int64_t until_ns, struct rs_recovery **recovery);

/* The caller's run is over; `recovery` may be shared from now on. NULL, or one that was cancelled:
 * whoever waits runs it anew. */
void rs_flight_land(const struct rs_flight_key *key, struct rs_recovery *recovery);

#endif
