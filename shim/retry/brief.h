/*
 * What a rule asks for in brief. Where many rules are judged nearly all of them are passed over by
 * their brief: these lie side by side, while to look at the rules themselves takes longer than all
 * else, since they have to come from memory.
 *
 * Superimposed coding (Knuth, "Sorting and Searching" 6.5): a bit stands for more than one thing,
 * so what is not passed over is still to be judged. Pure; safe anywhere.
 */
#ifndef RS_RETRY_BRIEF_H
#define RS_RETRY_BRIEF_H

#include <stdbool.h>
#include <stdint.h>

#include "retry/rule.h"

/* With fewer rules than this there are no briefs: they would not be worth the look at the target.
 */
#define RS_BRIEF_LEAST 16

struct rs_brief {
	uint64_t errors, statuses; /* one of these has to be the outcome: a bit a code, modulo 64 */
	struct rs_pairs pairs;     /* all of these have to be in the target's texts */

	/* One of these has to be in the body, unless the outcome is one of the errors. */
	struct rs_text_set texts;
};

struct rs_brief rs_brief_of(const struct rs_rule *rule);

/* What a call and its outcome have to offer to the briefs of rules. */
struct rs_brief rs_brief_offer(const struct rs_target *target, const struct rs_outcome *outcome);

/* False: the rule does not match. */
static inline bool rs_brief_allows(const struct rs_brief *brief, const struct rs_brief *offer)
{
	return ((brief->errors & offer->errors) | (brief->statuses & offer->statuses)) != 0 &&
	       rs_pairs_within(&brief->pairs, &offer->pairs);
}

#endif
