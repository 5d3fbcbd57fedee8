/*
 * What the two sides of a running command share: the program's (hook.c) and the helper's
 * (hook_helper.c). One mapping, shared between both processes.
 */
#ifndef RS_OPS_HOOK_RUN_H
#define RS_OPS_HOOK_RUN_H

#include <stdatomic.h>
#include <time.h>

#include "ops/hook.h"
#include "retry/ns.h"

struct rs_hook_run {
	/* The program writes, the helper reads. */
	bool secure;     /* the program runs under secure execution */
	bool inherits;   /* orphans below it become its children: it is process 1, or a subreaper */
	size_t env_len;  /* of `env` */
	atomic_int stop; /* end the command now */

	/* The helper writes; `done` last. A futex. */
	_Atomic uint32_t done;
	atomic_int group; /* of the command; 0: not started */
	atomic_int exec_errno;
	int wait_status;
	bool timed_out, cut;
	bool stays; /* the helper, as what is left of the command's parent */
	size_t output_len;

	char env[RS_HOOK_ENV];
	char output[RS_HOOK_OUTPUT + 1]; /* and room to end it as a string */
};

static inline int64_t rs_hook_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * RS_NS_PER_S + now.tv_nsec;
}

/* The helper's life. `program` is the process that it helps. */
_Noreturn void rs_hook_helper(const struct rs_hook *hook, struct rs_hook_run *run, int program);

#endif
