/*
 * retryshim explain, in four steps.
 *
 *   explain.c          the command line: what the user asks about
 *   explain_answer.c   what would be done, asked of the code that does it
 *   explain_because.c  why a rule does not match it, in words
 *   explain_print.c    the answer
 */
#ifndef RS_CLI_EXPLAIN_H
#define RS_CLI_EXPLAIN_H

#include <stdbool.h>

#include "retry/decide.h"
#include "retry/outcome.h"
#include "retry/rule.h"

/* What the user asks about: a call, and how it ended. */
struct rs_explain_case {
	struct rs_target target;
	struct rs_outcome outcome;
};

/* What would become of it. */
struct rs_explain_answer {
	bool judged;                 /* false: no rule is asked about such an ending */
	const struct rs_rule *rule;  /* that decides, or NULL */
	struct rs_decision decision; /* where there is a rule: at a call's first attempt, and with
					the shortest wait that jitter allows */
	int64_t wall_now_ns;         /* when that was asked */
};

/* The quotas of `rules` pay for the retry. */
struct rs_explain_answer rs_explain_answer(const struct rs_rules *rules,
					   const struct rs_explain_case *asked);

/* Will there be another attempt? */
static inline bool rs_explain_goes_on(const struct rs_explain_answer *answer)
{
	return answer->rule && (answer->decision.action == RS_ACTION_RETRY ||
				answer->decision.action == RS_ACTION_RECOVER);
}

/* Enough for a key and two lists, which are cut where they are longer. */
struct rs_because {
	char text[512];
};

/* Why the rule does not match: "status: 404 is not among 500-504"; "" where it does. */
struct rs_because rs_explain_because(const struct rs_rule *rule,
				     const struct rs_explain_case *asked);

/* The answer on stdout. */
void rs_explain_print(const struct rs_rules *rules, const struct rs_explain_answer *answer,
		      const struct rs_explain_case *asked);
void rs_explain_print_json(const struct rs_rules *rules, const struct rs_explain_answer *answer,
			   const struct rs_explain_case *asked);

/* "CURLE_COULDNT_CONNECT (ECONNREFUSED)", "503", "a success". */
struct rs_because rs_explain_ending(const struct rs_explain_case *asked);

#endif
