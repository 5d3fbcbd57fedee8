/*
 * Which rule decides an outcome: the first in file order that matches. Pure. Rules with body_regex
 * aside, which curl calls alone can match, it allocates nothing and is safe in a signal handler.
 */
#ifndef RS_RETRY_MATCH_H
#define RS_RETRY_MATCH_H

#include "retry/held.h"
#include "retry/rule.h"
#include "retry/text_index.h"

enum rs_match {
	RS_MATCH_NONE,      /* no rule matches, whatever else may come */
	RS_MATCH_RULE,      /* *rule decides, whatever else may come */
	RS_MATCH_NEED_MORE, /* a rule may match once more of the response is known */
};

/* How much of a response the judgement may rely on. */
enum rs_known {
	RS_KNOWN_STATUS,  /* headers and body may still come */
	RS_KNOWN_HEADERS, /* the body may still come */
	RS_KNOWN_ALL,     /* the attempt has ended, or no more of its body will be looked at */
};

/*
 * Find the deciding rule. With RS_KNOWN_ALL the answer is never NEED_MORE. A rule whose text is
 * already found in a part of the body counts as matched. *rule is set only for RS_MATCH_RULE.
 *
 * A response matcher matches where outcome->status != 0; an error matcher where the attempt
 * failed. method is not looked at where outcome->never_sent.
 */
enum rs_match rs_match(const struct rs_rules *rules, const struct rs_target *target,
		       const struct rs_outcome *outcome, enum rs_known known,
		       const struct rs_rule **rule);

/* What is found out about a response for one rule, kept for the others, where they are many. */
struct rs_match_room {
	struct rs_held_headers headers;
	bool whole_body;                   /* what is not in it will not be */
	const struct rs_text_index *index; /* of the rules, or NULL */
	struct rs_found_texts texts;
};

/* The same in a room that need not be set to anything: for a thread whose stack may have no place
 * for one. */
enum rs_match rs_match_in(struct rs_match_room *room, const struct rs_rules *rules,
			  const struct rs_target *target, const struct rs_outcome *outcome,
			  enum rs_known known, const struct rs_rule **rule);

/* Why a rule does not match, for `explain` and for tests: the key of the first matcher that says
 * no, or NULL when the rule matches. */
const char *rs_rule_refuses(const struct rs_rule *rule, const struct rs_target *target,
			    const struct rs_outcome *outcome);

/* Do all scope matchers of the rule fit a call to this target? */
bool rs_scope_fits(const struct rs_rule *rule, const struct rs_target *target);

/* The first rule that could match some outcome of a call to this target, by its scope matchers
 * alone; NULL: none. Its policy holds for what comes before any outcome. */
const struct rs_rule *rs_first_covering(const struct rs_rules *rules,
					const struct rs_target *target);

#endif
