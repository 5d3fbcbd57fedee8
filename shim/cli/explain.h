/*
 * retryshim explain, in three steps.
 *
 *   explain.c          the command line: what the user asks about
 *   explain_because.c  why a rule does not match it, in words
 *   explain_print.c    the answer
 */
#ifndef RS_CLI_EXPLAIN_H
#define RS_CLI_EXPLAIN_H

#include <stdbool.h>

#include "retry/outcome.h"
#include "retry/rule.h"

/* What the user asks about: a call, and how it ended. */
struct rs_explain_case {
	struct rs_target target;
	struct rs_outcome outcome;
};

/* Enough for a key and two lists, which are cut where they are longer. */
struct rs_because {
	char text[512];
};

/* Why the rule does not match: "status: 404 is not among 500-504"; "" where it does. */
struct rs_because rs_explain_because(const struct rs_rule *rule,
				     const struct rs_explain_case *asked);

/* The answer on stdout. `decides` is the rule that matches, or NULL. */
void rs_explain_print(const struct rs_rules *rules, const struct rs_rule *decides,
		      const struct rs_explain_case *asked);
void rs_explain_print_json(const struct rs_rules *rules, const struct rs_rule *decides,
			   const struct rs_explain_case *asked);

/* "CURLE_COULDNT_CONNECT (ECONNREFUSED)", "503", "a success". */
struct rs_because rs_explain_ending(const struct rs_explain_case *asked);

#endif
