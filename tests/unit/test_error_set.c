#include "unit.h"

#include <errno.h>
#include <netdb.h>

#include "retry/error_set.h"

/* Every code that has a bit, alone in a set, is the only one found there. */
static void each_code_has_its_own_bit(void **state)
{
	static const struct {
		enum rs_error_domain domain;
		int first, last;
	} ranges[] = {
		{ RS_DOMAIN_CURL, 1, 127 },
		{ RS_DOMAIN_ERRNO, 1, 191 },
		{ RS_DOMAIN_EAI, -31, -1 },
		{ RS_DOMAIN_EAI, -131, -100 },
	};

	(void)state;
	for (size_t r = 0; r < COUNT(ranges); r++) {
		for (int code = ranges[r].first; code <= ranges[r].last; code++) {
			struct rs_error_set set = { 0 };
			int found = 0;

			rs_error_set_add(&set, ranges[r].domain, code);
			assert_true(rs_error_set_has(&set, ranges[r].domain, code));
			for (int other = -200; other < 300; other++) {
				found += rs_error_set_has(&set, RS_DOMAIN_CURL, other);
				found += rs_error_set_has(&set, RS_DOMAIN_ERRNO, other);
				found += rs_error_set_has(&set, RS_DOMAIN_EAI, other);
			}
			assert_int_equal(found, 1);
		}
	}
}

static void codes_outside_are_ignored(void **state)
{
	static const struct {
		enum rs_error_domain domain;
		int code;
	} cases[] = {
		{ RS_DOMAIN_CURL, 0 },        { RS_DOMAIN_CURL, -1 },
		{ RS_DOMAIN_CURL, 128 },      { RS_DOMAIN_ERRNO, 0 },
		{ RS_DOMAIN_ERRNO, -1 },      { RS_DOMAIN_ERRNO, 192 },
		{ RS_DOMAIN_EAI, 0 },         { RS_DOMAIN_EAI, 1 },
		{ RS_DOMAIN_EAI, -32 },       { RS_DOMAIN_EAI, -99 },
		{ RS_DOMAIN_EAI, -132 },      { RS_DOMAIN_CURL, INT32_MIN },
		{ RS_DOMAIN_EAI, INT32_MIN }, { RS_DOMAIN_ERRNO, INT32_MAX },
	};
	struct rs_error_set set = { 0 };
	const struct rs_error_set empty = { 0 };

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		rs_error_set_add(&set, cases[i].domain, cases[i].code);
		assert_memory_equal(&set, &empty, sizeof(set));
		assert_false(rs_error_set_has(&set, cases[i].domain, cases[i].code));
	}
}

static void a_call_speaks_its_domain(void **state)
{
	struct rs_error_set set = { 0 };
	const struct rs_outcome curl_error = { .error = 7 };
	const struct rs_outcome eai_error = { .error = EAI_AGAIN };
	const struct rs_outcome refused = { .sys_errno = ECONNREFUSED };
	const struct rs_outcome refused_behind_another = { .error = 28, .sys_errno = ECONNREFUSED };
	const struct rs_outcome success = { .status = 200 };

	(void)state;
	rs_error_set_add(&set, RS_DOMAIN_CURL, 7);
	rs_error_set_add(&set, RS_DOMAIN_EAI, EAI_AGAIN);
	rs_error_set_add(&set, RS_DOMAIN_ERRNO, ECONNREFUSED);
	assert_true(rs_error_set_matches(&set, RS_CALL_CURL, &curl_error));
	assert_false(rs_error_set_matches(&set, RS_CALL_RESOLVE, &curl_error));
	assert_true(rs_error_set_matches(&set, RS_CALL_RESOLVE, &eai_error));
	assert_false(rs_error_set_matches(&set, RS_CALL_CURL, &eai_error));
	assert_true(rs_error_set_matches(&set, RS_CALL_CONNECT, &refused));
	assert_true(rs_error_set_matches(&set, RS_CALL_CURL, &refused_behind_another));
	assert_true(rs_error_set_matches(&set, RS_CALL_RESOLVE, &refused));
	assert_false(rs_error_set_matches(&set, RS_CALL_CURL, &success));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_code_has_its_own_bit),
		cmocka_unit_test(codes_outside_are_ignored),
		cmocka_unit_test(a_call_speaks_its_domain),
	};

	return cmocka_run_group_tests_name("error_set", tests, NULL, NULL);
}
