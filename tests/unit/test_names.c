#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <curl/curl.h>
#include <errno.h>
#include <netdb.h>
#include <string.h>

#include "../errno_name.h"
#include "rules/name_tables.h"
#include "rules/names.h"

static void tables_are_sorted(void **state)
{
	const struct rs_error_table tables[] = { rs_curl_names(), rs_curl_aliases(),
						 rs_errno_names(), rs_errno_aliases(),
						 rs_eai_names() };

	(void)state;
	for (size_t t = 0; t < sizeof(tables) / sizeof(tables[0]); t++) {
		for (size_t i = 1; i < tables[t].count; i++)
			assert_true(strcmp(tables[t].at[i - 1].name, tables[t].at[i].name) < 0);
	}
}

static void every_code_has_a_name(void **state)
{
	(void)state;
	for (int code = 1; code < CURL_LAST; code++)
		assert_non_null(rs_error_name(RS_DOMAIN_CURL, code));
	for (int code = 1; code < 134; code++) {
		/* The two that Linux leaves out. */
		if (errno_name(code) == NULL)
			continue;
		assert_string_equal(rs_error_name(RS_DOMAIN_ERRNO, code), errno_name(code));
	}
	assert_null(rs_error_name(RS_DOMAIN_CURL, CURLE_OK));
	assert_null(rs_error_name(RS_DOMAIN_CURL, 120));
	assert_null(rs_error_name(RS_DOMAIN_ERRNO, 0));
	assert_null(rs_error_name(RS_DOMAIN_EAI, 1));
}

static void names_go_both_ways(void **state)
{
	static const struct {
		const char *name;
		enum rs_error_domain domain;
		int code;
		const char *back;
	} rows[] = {
		{ "CURLE_COULDNT_CONNECT", RS_DOMAIN_CURL, CURLE_COULDNT_CONNECT, NULL },
		{ "CURLE_OPERATION_TIMEDOUT", RS_DOMAIN_CURL, CURLE_OPERATION_TIMEDOUT, NULL },
		{ "CURLE_OPERATION_TIMEOUTED", RS_DOMAIN_CURL, CURLE_OPERATION_TIMEDOUT,
		  "CURLE_OPERATION_TIMEDOUT" },
		{ "CURLE_SSL_CACERT", RS_DOMAIN_CURL, 60, "CURLE_PEER_FAILED_VERIFICATION" },
		{ "CURLE_TOO_LARGE", RS_DOMAIN_CURL, 100, NULL },
		{ "ECONNREFUSED", RS_DOMAIN_ERRNO, ECONNREFUSED, NULL },
		{ "EWOULDBLOCK", RS_DOMAIN_ERRNO, EAGAIN, "EAGAIN" },
		{ "ENOTSUP", RS_DOMAIN_ERRNO, EOPNOTSUPP, "EOPNOTSUPP" },
		{ "EAI_AGAIN", RS_DOMAIN_EAI, EAI_AGAIN, NULL },
		{ "EAI_IDN_ENCODE", RS_DOMAIN_EAI, -105, NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		enum rs_error_domain domain;
		int code;

		assert_true(rs_error_by_name(rows[i].name, &domain, &code));
		assert_int_equal(domain, rows[i].domain);
		assert_int_equal(code, rows[i].code);
		assert_string_equal(rs_error_name(domain, code),
				    rows[i].back ? rows[i].back : rows[i].name);
	}
}

static void unknown_names_are_refused(void **state)
{
	static const char *const names[] = { "",         "C",    "E",
					     "CURLE_",   "EAI_", "econnrefused",
					     "CURLE_OK", "all",  "ECONNREFUSE" };
	struct rs_error_set set = { 0 };
	const struct rs_error_set empty = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		assert_false(rs_error_set_add_name(&set, names[i]));
	assert_memory_equal(&set, &empty, sizeof(set));
}

static void groups_have_their_members(void **state)
{
	static const struct {
		const char *group;
		enum rs_error_domain domain;
		int code;
		bool member;
	} rows[] = {
		{ "refused", RS_DOMAIN_ERRNO, ECONNREFUSED, true },
		{ "refused", RS_DOMAIN_ERRNO, ETIMEDOUT, false },
		/* It carries an errno, which may be another. */
		{ "refused", RS_DOMAIN_CURL, CURLE_COULDNT_CONNECT, false },
		{ "timeout", RS_DOMAIN_CURL, CURLE_OPERATION_TIMEDOUT, true },
		{ "timeout", RS_DOMAIN_ERRNO, ETIMEDOUT, true },
		{ "unreachable", RS_DOMAIN_ERRNO, ENETUNREACH, true },
		{ "unreachable", RS_DOMAIN_ERRNO, EHOSTUNREACH, true },
		{ "unreachable", RS_DOMAIN_ERRNO, ECONNREFUSED, false },
		{ "reset", RS_DOMAIN_ERRNO, ECONNRESET, true },
		{ "reset", RS_DOMAIN_ERRNO, EPIPE, true },
		{ "reset", RS_DOMAIN_CURL, CURLE_GOT_NOTHING, true },
		{ "reset", RS_DOMAIN_CURL, CURLE_RECV_ERROR, true },
		{ "reset", RS_DOMAIN_CURL, CURLE_PARTIAL_FILE, false },
		{ "dns", RS_DOMAIN_CURL, CURLE_COULDNT_RESOLVE_HOST, true },
		{ "dns", RS_DOMAIN_EAI, EAI_AGAIN, true },
		{ "tls", RS_DOMAIN_CURL, CURLE_PEER_FAILED_VERIFICATION, true },
		{ "partial", RS_DOMAIN_CURL, CURLE_PARTIAL_FILE, true },
		{ "any", RS_DOMAIN_CURL, CURLE_URL_MALFORMAT, true },
		{ "any", RS_DOMAIN_ERRNO, ENOENT, true },
		{ "any", RS_DOMAIN_EAI, EAI_SYSTEM, true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct rs_error_set set = { 0 };

		assert_true(rs_error_set_add_name(&set, rows[i].group));
		assert_int_equal(rs_error_set_has(&set, rows[i].domain, rows[i].code),
				 rows[i].member);
	}
}

static void refused_means_the_same_for_both_calls(void **state)
{
	const struct rs_outcome by_curl = { .error = CURLE_COULDNT_CONNECT,
					    .sys_errno = ECONNREFUSED };
	const struct rs_outcome other = { .error = CURLE_COULDNT_CONNECT,
					  .sys_errno = ENETUNREACH };
	const struct rs_outcome by_connect = { .sys_errno = ECONNREFUSED };
	struct rs_error_set set = { 0 };

	(void)state;
	assert_true(rs_error_set_add_name(&set, "refused"));
	assert_true(rs_error_set_matches(&set, RS_CALL_CURL, &by_curl));
	assert_true(rs_error_set_matches(&set, RS_CALL_CONNECT, &by_connect));
	assert_false(rs_error_set_matches(&set, RS_CALL_CURL, &other));
}

static void nearest_names(void **state)
{
	static const char *const keys[] = { "max_attempts", "base", "jitter", "max_elapsed" };
	static const struct {
		const char *word, *nearest;
	} rows[] = {
		{ "max_attempt", "max_attempts" },
		{ "max_atempts", "max_attempts" },
		{ "jiter", "jitter" },
		{ "ijtter", "jitter" },
		{ "BASE", "base" },
		{ "bsae", "base" },
		{ "elapsed", NULL },
		{ "colour", NULL },
		{ "", NULL },
		{ "x", NULL },
		{ "a_word_that_is_longer_than_any_name_could_reasonably_be_here", NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *found = rs_nearest(rows[i].word, keys, 4);

		if (rows[i].nearest)
			assert_string_equal(found, rows[i].nearest);
		else
			assert_null(found);
	}
	assert_string_equal(rs_error_nearest("ECONREFUSED"), "ECONNREFUSED");
	assert_string_equal(rs_error_nearest("timeuot"), "timeout");
	assert_string_equal(rs_error_nearest("CURLE_COULDNT_CONECT"), "CURLE_COULDNT_CONNECT");
	assert_null(rs_error_nearest("CURLE_FOO"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tables_are_sorted),
		cmocka_unit_test(every_code_has_a_name),
		cmocka_unit_test(names_go_both_ways),
		cmocka_unit_test(unknown_names_are_refused),
		cmocka_unit_test(groups_have_their_members),
		cmocka_unit_test(refused_means_the_same_for_both_calls),
		cmocka_unit_test(nearest_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
