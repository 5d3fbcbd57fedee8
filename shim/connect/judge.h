/*
 * What every way to connect asks of the rules, and of a socket.
 *
 * Nothing here waits, takes a lock or the heap. Async-signal-safe once the rules are loaded.
 */
#ifndef RS_CONNECT_JUDGE_H
#define RS_CONNECT_JUDGE_H

#include <stdbool.h>
#include <stdint.h>

#include "connect/target.h"
#include "retry/decide.h"
#include "retry/rule.h"

/* Is this the errno of an attempt that has failed? The others say that the connection goes on, or
 * is there, or that the address could not be read. */
bool rs_connect_is_failure(int error);

/* Does any rule for connects name this errno? A bit test. */
bool rs_connect_rules_name(const struct rs_rules *rules, int error);

/* Does any name an errno at all? */
bool rs_connect_rules_name_any(const struct rs_rules *rules);

/*
 * An attempt at `target` has failed with `error`. True: try again, wait_ns from now; the quota has
 * been paid. False: it is final (*rule is NULL where no rule cares), or the rules only observe.
 * Logged.
 */
bool rs_connect_judge(const struct rs_rules *rules, const struct rs_target *target,
		      struct rs_call_state *state, int error, const struct rs_rule **rule,
		      int64_t *wait_ns);

/* Log that something ended the wait after `error`. */
void rs_connect_report_cancelled(const struct rs_rules *rules, const struct rs_rule *rule,
				 const struct rs_target *target, const struct rs_call_state *state,
				 int error);

/* The call has succeeded: give back to the quota, and log if it took more than one attempt. */
void rs_connect_report_success(const struct rs_rules *rules, const struct rs_target *target,
			       const struct rs_call_state *state);

/* Which socket the descriptor is, for as long as the machine runs; 0 where it is none. */
uint64_t rs_socket_cookie(int fd);

/* A stream or seqpacket socket? */
bool rs_socket_connects(int fd);

#endif
