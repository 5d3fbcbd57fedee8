/*
 * Retries of name look-ups: a blocking call whose outcome is an EAI_ code.
 *
 * The caller makes the attempts; asked after each that failed, this judges, and waits where the
 * answer is to try again.
 */
#ifndef RS_RESOLVE_LOOKUP_H
#define RS_RESOLVE_LOOKUP_H

#include <stdbool.h>
#include <stdint.h>

#include "retry/decide.h"

/* One look-up. Begin with { .host, .service, .began }; the rest is filled in when it fails. */
struct rs_lookup {
	const char *host;
	const char *service; /* NULL: none; only a number is of use */
	uint64_t began;      /* rs_mark() */
	struct rs_call_state state;
	const struct rs_rules *rules;
};

/* What getaddrinfo() would have called the ending that h_errno names. */
int rs_eai_of_h_errno(int error);

/*
 * The attempt has ended with `eai` (EAI_SYSTEM: for `sys_errno`). True: it is time for the next.
 * False: that is the outcome. Holds nothing while it waits: a handled signal ends the wait, a
 * handler may leave it, a thread be cancelled. Preserves errno.
 */
bool rs_lookup_again(struct rs_lookup *lookup, int eai, int sys_errno);

/* It has succeeded: give back to the quota, and log if it took more than one attempt. */
void rs_lookup_succeeded(const struct rs_lookup *lookup);

#endif
