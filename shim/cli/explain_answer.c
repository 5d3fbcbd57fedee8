#include <time.h>

#include "cli/explain.h"
#include "retry/ending.h"
#include "retry/match.h"
#include "retry/ns.h"

struct rs_explain_answer rs_explain_answer(const struct rs_rules *rules,
					   const struct rs_explain_case *asked)
{
	struct rs_explain_answer answer = {
		.judged = rs_ending_is_judged(asked->target.call, &asked->outcome),
		.wall_now_ns = (int64_t)time(NULL) * RS_NS_PER_S,
	};
	const struct rs_circumstances now = {
		.replayable = true,
		.wall_now_ns = answer.wall_now_ns,
		.target = &asked->target,
	};
	struct rs_call_state call;

	if (!answer.judged || rs_match(rules, &asked->target, &asked->outcome, RS_KNOWN_ALL,
				       &answer.rule) != RS_MATCH_RULE) {
		answer.rule = NULL;
		return answer;
	}
	rs_call_begin(&call, 0);
	call.attempts = 1;
	answer.decision = rs_decide(rules, answer.rule, &call, &asked->outcome, &now);
	return answer;
}
