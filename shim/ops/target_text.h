/*
 * What a call was about, as logs and reports name it. Pure; async-signal-safe; allocates nothing.
 */
#ifndef RS_OPS_TARGET_TEXT_H
#define RS_OPS_TARGET_TEXT_H

#include "retry/outcome.h"

/* Longer than "unix:" and any path, and than "[" a host name "]:65535". */
#define RS_TARGET_TEXT_SIZE 320

/* "host:port", "127.0.0.1:5432", "[::1]:80" (RFC 5952) or "unix:/path" into buf; no secrets. The
 * span points into buf, or is cut where it does not fit. */
struct rs_span rs_target_text(const struct rs_target *target, char buf[RS_TARGET_TEXT_SIZE]);

#endif
