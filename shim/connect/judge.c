#include "connect/judge.h"

#include "retry/error_set.h"

bool rs_connect_rules_name(const struct rs_rules *rules, int error)
{
	return (rules->calls & 1u << RS_CALL_CONNECT) != 0 &&
	       rs_error_set_has(&rules->error, RS_DOMAIN_ERRNO, error);
}

bool rs_connect_rules_name_any(const struct rs_rules *rules)
{
	const uint64_t *named = rules->error.sys;

	return (rules->calls & 1u << RS_CALL_CONNECT) != 0 && (named[0] | named[1] | named[2]) != 0;
}
