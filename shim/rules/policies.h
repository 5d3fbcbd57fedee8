/*
 * The policies of a document: the defaults, what [policy default] and options make of them, and the
 * others, which start from that.
 */
#ifndef RS_RULES_POLICIES_H
#define RS_RULES_POLICIES_H

#include "rules/fields.h"
#include "rules/options.h"

/* Fill rules->policies. False where there is no memory. */
bool rs_build_policies(struct rs_build *build, const struct rs_options *options,
		       struct rs_rules *rules);

/* The policy that the rule names, before any key of the rule changes it. Never NULL; one that is
 * not there is a fault, and the default's. */
const struct rs_policy *rs_named_policy(struct rs_build *build, const struct rs_section *section,
					const struct rs_rules *rules);

/* A fault where nothing would end the retries, and it is this section that says so. */
void rs_check_bounded(struct rs_build *build, const struct rs_section *section,
		      const struct rs_policy *policy);

#endif
