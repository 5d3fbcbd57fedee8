/*
 * What every way to connect asks about an errno. Async-signal-safe.
 */
#ifndef RS_CONNECT_JUDGE_H
#define RS_CONNECT_JUDGE_H

#include <stdbool.h>

#include "retry/ending.h"
#include "retry/rule.h"

/* Does any rule for connects name this errno? A bit test. */
bool rs_connect_rules_name(const struct rs_rules *rules, int error);

/* Does any name an errno at all? */
bool rs_connect_rules_name_any(const struct rs_rules *rules);

static inline struct rs_outcome rs_connect_outcome(int error)
{
	return (struct rs_outcome){ .sys_errno = error, .never_sent = true };
}

#endif
