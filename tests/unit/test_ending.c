/* What no rule is asked about. */
#include "unit.h"

#include <curl/curl.h>
#include <errno.h>
#include <netdb.h>

#include "retry/ending.h"

static void connects(void **state)
{
	static const int others[] = { EINPROGRESS, EALREADY, EISCONN, EINTR, EFAULT, EBADF };

	(void)state;
	for (size_t i = 0; i < COUNT(others); i++) {
		const struct rs_outcome outcome = { .sys_errno = others[i] };

		assert_false(rs_connect_is_failure(others[i]));
		assert_false(rs_ending_is_judged(RS_CALL_CONNECT, &outcome));
		assert_true(rs_ending_is_judged(RS_CALL_CURL, &outcome));
	}
	assert_true(rs_connect_is_failure(ECONNREFUSED));
	assert_true(rs_ending_is_judged(RS_CALL_CONNECT,
					&(struct rs_outcome){ .sys_errno = ETIMEDOUT }));
}

static void look_ups(void **state)
{
	const struct rs_outcome small = { .error = EAI_SYSTEM, .sys_errno = ERANGE };
	const struct rs_outcome failed = { .error = EAI_AGAIN };

	(void)state;
	assert_false(rs_look_up_is_failure(0, 0));
	assert_true(rs_look_up_is_failure(EAI_AGAIN, ERANGE));
	assert_true(rs_look_up_is_failure(EAI_SYSTEM, EIO));
	assert_false(rs_ending_is_judged(RS_CALL_RESOLVE, &small));
	assert_true(rs_ending_is_judged(RS_CALL_RESOLVE, &failed));
}

static void transfers(void **state)
{
	(void)state;
	for (int code = 0; code < CURL_LAST; code++) {
		const struct rs_outcome outcome = { .error = code };
		bool wanted = code == CURLE_ABORTED_BY_CALLBACK || code == CURLE_READ_ERROR ||
			      code == CURLE_WRITE_ERROR || code == CURLE_CHUNK_FAILED;

		assert_int_equal(rs_curl_error_is_programs(code), wanted);
		assert_int_equal(rs_ending_is_judged(RS_CALL_CURL, &outcome), !wanted);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(connects),
		cmocka_unit_test(look_ups),
		cmocka_unit_test(transfers),
	};

	return cmocka_run_group_tests_name("ending", tests, NULL, NULL);
}
