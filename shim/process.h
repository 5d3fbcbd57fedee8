/*
 * What this process runs under: its environment as it was at start, its rules, its name.
 *
 * The constructor copies what it needs from the environment (the program may overwrite or clear
 * it), and notes what descriptor 2 is: no file is opened, nothing allocated.
 */
#ifndef RS_PROCESS_H
#define RS_PROCESS_H

#include <stdint.h>

#include "retry/ns.h"
#include "retry/rule.h"

/* How long the values of RETRYSHIM_RULES (and each path), of RETRYSHIM_OPTIONS and of
 * RETRYSHIM_FAULTS may be, with their NUL. Rules are refused where one is longer. */
#define RS_ENV_RULES_SIZE   8192
#define RS_ENV_OPTIONS_SIZE 4096
#define RS_ENV_FAULTS_SIZE  4096
#define RS_ENV_PATH_SIZE    4096 /* of a directory: a longer one counts as none */

/*
 * The rules, loaded at the first call that needs them; NULL where there are none to apply
 * (disabled, mode = off, or they could not be loaded: that was logged once). Lock-free: threads
 * that come at the same time may load twice, one result is kept. The rules live for the rest of
 * the process. `call`: for which kind of call. Async-signal-safe for connects and look-ups.
 * Preserves errno.
 */
const struct rs_rules *rs_process_rules(enum rs_call call);

/* The same at a failure: when the rules in memory are older than `reload` says, their files are
 * looked at, and changed ones taken up. Rules that were in force stay valid all the same. */
const struct rs_rules *rs_process_rules_at_failure(enum rs_call call);

/* What was loaded; read it through the function below. */
extern const struct rs_rules *_Atomic rs_rules_loaded __attribute__((visibility("hidden")));

/* The rules if they are loaded already, else NULL; rules without a rule or a quota where there are
 * none to apply. One load, for the successful path. */
static inline const struct rs_rules *rs_process_rules_if_loaded(void)
{
	return atomic_load_explicit(&rs_rules_loaded, memory_order_acquire);
}

/*
 * Must a connect() ask for faults before it is made? True where RETRYSHIM_FAULTS is set, be it to
 * nothing, and once rules with faults for connects are loaded. Rules are otherwise not read before
 * something has failed, and the successful path is to pay no more than this test.
 */
extern atomic_bool rs_faults_watched __attribute__((visibility("hidden")));

/* The same for name look-ups. */
extern atomic_bool rs_lookups_watched __attribute__((visibility("hidden")));

/* May a rule limit an attempt that is yet to be made? Then the rules are needed before the first
 * one. Where they are not loaded yet the environment has to say so: `retryshim run` sets
 * RETRYSHIM_EARLY=1 for rules that limit attempts. */
extern atomic_bool rs_limits_possible __attribute__((visibility("hidden")));

/* libc's `environ`, the variable itself. Looked up when it is first asked for, so that a forked
 * child must not be the first. Never NULL. */
char ***rs_process_environ(void);

/* Base name of the executable. Never NULL. */
const char *rs_program_name(void);

/* CLOCK_MONOTONIC and CLOCK_REALTIME in nanoseconds. Async-signal-safe. */
int64_t rs_now_ns(void);
int64_t rs_wall_now_ns(void);

/* Uniform over uint64_t: from the kernel, or repeatable where the rules set a seed. Forked
 * children do not share a sequence unless a seed asks for it. Async-signal-safe. */
uint64_t rs_random(const struct rs_rules *rules);

/* > 0 while this thread is inside a real libcurl transfer: connects and look-ups made there are
 * libcurl's own business. */
extern _Thread_local int rs_curl_depth
	__attribute__((tls_model("initial-exec"), visibility("hidden")));

/* The socket that libcurl was given as connected already, in this thread: descriptor + 1, or 0.
 * Some versions (7.88) connect it all the same, and what that brings is no failure. */
extern _Thread_local int rs_connected_fd
	__attribute__((tls_model("initial-exec"), visibility("hidden")));

#endif
