#include "rules/build.h"

void rs_warn_unreachable(const struct rs_rules *rules, struct rs_faults *faults)
{
	(void)rules;
	(void)faults;
}
