#include "rules/calls_of.h"

#include <stddef.h>

#define CURL    (1U << RS_CALL_CURL)
#define CONNECT (1U << RS_CALL_CONNECT)
#define RESOLVE (1U << RS_CALL_RESOLVE)

unsigned rs_calls_of(const struct rs_rule *rule, const char **key)
{
	const struct {
		const char *key;
		size_t count; /* of what the rule wants */
		unsigned calls;
	} matchers[] = {
		{ "scheme", rule->scheme.count, CURL },
		{ "host", rule->host.count, CURL | RESOLVE },
		{ "url", rule->url.count, CURL },
		{ "address", rule->address_count, CONNECT },
	};
	unsigned calls = rule->calls;

	for (size_t i = 0; i < sizeof(matchers) / sizeof(matchers[0]) && calls; i++) {
		if (matchers[i].count > 0)
			calls &= matchers[i].calls;
		if (!calls && key)
			*key = matchers[i].key;
	}
	return calls;
}

struct rs_error_set rs_errors_of(const struct rs_rule *rule, unsigned calls)
{
	struct rs_error_set errors = rule->error;

	if (!(calls & CURL))
		errors.curl[0] = errors.curl[1] = 0;
	if (!(calls & RESOLVE))
		errors.eai = 0;
	return errors;
}
