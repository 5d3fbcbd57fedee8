/*
 * What the server asked for: Retry-After (RFC 9110 §10.2.3: seconds, or any of the three date
 * forms of §5.6.7) and x-amz-retry-after (milliseconds). Pure; safe anywhere.
 */
#ifndef RS_RETRY_RETRY_AFTER_H
#define RS_RETRY_RETRY_AFTER_H

#include "retry/outcome.h"
#include "retry/rule.h"

#define RS_NO_RETRY_AFTER (-1)

/* The value of the first header `name` (any case) in raw header lines, trimmed; {NULL, 0}: none. */
struct rs_span rs_header_value(struct rs_span headers, const char *name);

/* Cut lines off raw header lines up to the first that has a name, which may be empty, and a value,
 * trimmed; false where none has. */
bool rs_header_next(struct rs_span *rest, struct rs_span *name, struct rs_span *value);

/* An HTTP date in seconds since 1970, or -1 where it is none of the three forms. `now_s` resolves
 * the two-digit years of RFC 850. */
int64_t rs_http_date_s(struct rs_span text, int64_t now_s);

/* Seconds or a date from now (0 for a date in the past); RS_NO_RETRY_AFTER where it is neither. */
int64_t rs_retry_after_ns(struct rs_span value, int64_t wall_now_ns);

/*
 * The wait once the server's wishes are taken in: the policy's retry_after mode over `wait_ns`,
 * x-amz-retry-after held within [wait_ns, wait_ns + 5 s]. *asked_ns gets what the server asked
 * for (to be held against retry_after_cap), or RS_NO_RETRY_AFTER.
 */
int64_t rs_wait_with_server_ns(const struct rs_policy *policy, struct rs_span headers,
			       int64_t wait_ns, int64_t wall_now_ns, int64_t *asked_ns);

#endif
