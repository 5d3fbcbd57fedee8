/*
 * Between two attempts of a blocking connect(): a failure is judged, its command run, and the next
 * attempt waited for.
 */
#ifndef RS_CONNECT_BETWEEN_H
#define RS_CONNECT_BETWEEN_H

#include "connect/call.h"
#include "connect/judge.h"

/* What stays the same from attempt to attempt. */
struct rs_retried {
	const struct rs_rules *rules;
	struct sockaddr_storage addr;
	struct rs_connect_target about;
	uint64_t cookie; /* says which socket the descriptor is; 0 where the kernel does not */
	struct rs_call_state state;
	struct rs_history history;
	int64_t attempt_ns; /* when the last attempt began */
	bool decided;       /* by a rule, at least once */
};

/* True: it is time for the next attempt on `fd`. False: `error` is final, and was reported. Signals
 * wait until the wait begins: one that came just before it must end it, too. */
bool rs_connect_wait_for_next(struct rs_retried *retried, int fd, int error);

#endif
