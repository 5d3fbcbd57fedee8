/*
 * What rules and logs call a look-up.
 */
#ifndef RS_RESOLVE_TARGET_H
#define RS_RESOLVE_TARGET_H

#include "resolve/lookup.h"
#include "retry/outcome.h"

/* The name, and the port where the service is one. A view into the look-up. */
struct rs_target rs_lookup_target(const struct rs_lookup *lookup);

#endif
