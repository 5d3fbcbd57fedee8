/*
 * Name look-ups of the program: blocking calls whose outcome is an EAI_ code.
 */
#ifndef RS_RESOLVE_LOOKUP_H
#define RS_RESOLVE_LOOKUP_H

#include <stdbool.h>
#include <stdint.h>

/*
 * One look-up, be it getaddrinfo() or gethostbyname(): the first member of what its hook knows of
 * it. Both functions are the hook's, and set `eai` and `sys_errno`.
 */
struct rs_lookup {
	const char *host;    /* never NULL */
	const char *service; /* NULL: none; only a number is of use */
	uint64_t began;      /* rs_mark() */

	/* Make the real call. */
	void (*attempt)(struct rs_lookup *lookup);
	/* Let it end with `eai` as the real call would, for `sys_errno` where that is EAI_SYSTEM.
	 */
	void (*fail)(struct rs_lookup *lookup, int eai, int sys_errno);

	/* How the last attempt has ended; 0: well. For EAI_SYSTEM there is an errno, ERANGE where
	 * the program's buffer was too small, which is no failure. */
	int eai;
	int sys_errno;
};

/*
 * Make a look-up: its turn, its first attempt, and as long as the rules say so another one. Holds
 * nothing while it waits: a handled signal ends the wait, a handler may leave it, a thread be
 * cancelled. errno is what the last attempt left there.
 */
void rs_lookup_make(struct rs_lookup *lookup);

/* Does it take a look-up to get from this name to an address? Not for an address in digits. */
bool rs_lookup_is_due(const char *host);

/* What getaddrinfo() would have called the ending that h_errno names, and the other way round.
 * Where gethostbyname() cannot end so that is NO_RECOVERY. */
int rs_eai_of_h_errno(int error);
int rs_h_errno_of_eai(int eai);

#endif
