#include "retry/error_set.h"

/* A domain's words, const where the set is. */
#define WORDS(set, domain)                                                                         \
	((domain) == RS_DOMAIN_CURL    ? (set)->curl                                               \
	 : (domain) == RS_DOMAIN_ERRNO ? (set)->sys                                                \
				       : &(set)->eai)

/* EAI codes are negative: -1..-31 as bits 1..31, glibc's -100..-131 as bits 32..63. */
static int eai_bit(int code)
{
	if (code < 0 && code > -32)
		return -code;
	if (code <= -100 && code > -132)
		return -code - 100 + 32;
	return -1;
}

/* The bit that stands for a code among its domain's words; -1 where none does. */
static int bit_of(enum rs_error_domain domain, int code)
{
	switch (domain) {
	case RS_DOMAIN_CURL:
		return code > 0 && code < 128 ? code : -1;
	case RS_DOMAIN_ERRNO:
		return code > 0 && code < 192 ? code : -1;
	case RS_DOMAIN_EAI:
		break;
	}
	return eai_bit(code);
}

void rs_error_set_add(struct rs_error_set *set, enum rs_error_domain domain, int code)
{
	int bit = bit_of(domain, code);

	if (bit >= 0)
		WORDS(set, domain)[bit / 64] |= UINT64_C(1) << (bit % 64);
}

bool rs_error_set_has(const struct rs_error_set *set, enum rs_error_domain domain, int code)
{
	int bit = bit_of(domain, code);

	return bit >= 0 && (WORDS(set, domain)[bit / 64] >> (bit % 64) & 1) != 0;
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

uint64_t rs_error_set_folded(const struct rs_error_set *set)
{
	return set->curl[0] | set->curl[1] | set->sys[0] | set->sys[1] | set->sys[2] | set->eai;
}

static uint64_t folded(enum rs_error_domain domain, int code)
{
	int bit = bit_of(domain, code);

	return bit >= 0 ? UINT64_C(1) << bit % 64 : 0;
}

uint64_t rs_error_folded(enum rs_call call, const struct rs_outcome *outcome)
{
	return folded(domain_of(call), outcome->error) |
	       folded(RS_DOMAIN_ERRNO, outcome->sys_errno);
}
