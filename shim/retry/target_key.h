/*
 * Fingerprints: of a name, and of the host:port (or address) that a call goes to. Pure.
 *
 * 64 bits stand for the whole: that two targets of one table share theirs is not to be expected,
 * and then they would share a bucket.
 */
#ifndef RS_RETRY_TARGET_KEY_H
#define RS_RETRY_TARGET_KEY_H

#include <stdint.h>

#include "retry/outcome.h"

/* Never 0. */
uint64_t rs_name_key(const char *name);

/* Host names without regard to case; NULL: a target that nobody knows. */
uint64_t rs_target_key(const struct rs_target *target);

/* One from two; never 0. */
uint64_t rs_key_of_both(uint64_t a, uint64_t b);

#endif
