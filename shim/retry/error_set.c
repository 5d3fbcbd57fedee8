#include "retry/error_set.h"

#include <stddef.h>

/* EAI codes are negative: -1..-31 as bits 1..31, glibc's -100..-131 as bits 32..63. */
static int eai_bit(int code)
{
	if (code < 0 && code > -32)
		return -code;
	if (code <= -100 && code > -132)
		return -code - 100 + 32;
	return -1;
}

/* The word and bit that stand for a code; NULL where no bit does. */
static uint64_t *word_of(struct rs_error_set *set, enum rs_error_domain domain, int code, int *bit)
{
	switch (domain) {
	case RS_DOMAIN_CURL:
		*bit = code % 64;
		return code > 0 && code < 128 ? &set->curl[code / 64] : NULL;
	case RS_DOMAIN_ERRNO:
		*bit = code % 64;
		return code > 0 && code < 192 ? &set->sys[code / 64] : NULL;
	case RS_DOMAIN_EAI:
		*bit = eai_bit(code);
		return *bit >= 0 ? &set->eai : NULL;
	}
	return NULL;
}

void rs_error_set_add(struct rs_error_set *set, enum rs_error_domain domain, int code)
{
	int bit;
	uint64_t *word = word_of(set, domain, code, &bit);

	if (word)
		*word |= UINT64_C(1) << bit;
}

bool rs_error_set_has(const struct rs_error_set *set, enum rs_error_domain domain, int code)
{
	int bit;
	struct rs_error_set copy = *set;
	const uint64_t *word = word_of(&copy, domain, code, &bit);

	return word && (*word >> bit & 1) != 0;
}

static enum rs_error_domain domain_of(enum rs_call call)
{
	return call == RS_CALL_RESOLVE ? RS_DOMAIN_EAI : RS_DOMAIN_CURL;
}

bool rs_error_set_matches(const struct rs_error_set *set, enum rs_call call,
			  const struct rs_outcome *outcome)
{
	return rs_error_set_has(set, domain_of(call), outcome->error) ||
	       rs_error_set_has(set, RS_DOMAIN_ERRNO, outcome->sys_errno);
}
