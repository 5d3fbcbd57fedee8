/*
 * A plan on stdout, for people and for programs.
 */
#ifndef RS_CLI_PLAN_PRINT_H
#define RS_CLI_PLAN_PRINT_H

#include "cli/plan_math.h"

/* An aligned table; with a bar per wait, to scale, where stdout is a terminal. `rule`: whose policy
 * it is, or NULL. */
void rs_plan_print_table(const struct rs_policy *policy, const struct rs_rule *rule,
			 const struct rs_plan *plan);

/* Is what a rule of this class matches ever tried again? */
static inline bool rs_plan_retries(enum rs_class class)
{
	return class == RS_TEMPORARY || class == RS_RECOVERABLE;
}

/* One object, the keys of which are fixed; milliseconds. */
void rs_plan_print_json(const struct rs_policy *policy, const struct rs_plan *plan);

#endif
