/*
 * Retries of connect() on the program's own descriptor; a blocking one is waited for here.
 */
#ifndef RS_CONNECT_BLOCKING_H
#define RS_CONNECT_BLOCKING_H

#include <stdint.h>

#include "real.h"

/* One connect() as the program asked for it. */
struct rs_connect {
	rs_connect_fn real;
	int fd;
	const struct sockaddr *addr;
	socklen_t len;
	uint64_t began; /* rs_mark() */
};

/*
 * The first attempt has failed with `error`. Judge it, and as long as the rules say so wait and
 * try again. 0, or -errno of the last real attempt. Where nothing is to be done that is -error,
 * and for an errno that no rule names no system call is made.
 *
 * A non-blocking socket is not waited for: it becomes pending (connect/pending.h), which for one
 * that failed at once makes the answer -EINPROGRESS.
 *
 * Takes no lock and no heap: a signal handler may leave by siglongjmp, and a thread be cancelled,
 * during a wait. Never changes the socket's flags. Async-signal-safe once the rules are loaded.
 */
int rs_connect_retry(const struct rs_connect *call, int error);

#endif
