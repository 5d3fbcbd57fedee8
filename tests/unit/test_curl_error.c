/* What libcurl makes of an errno, and which of its errors come before a request is sent. */
#include "unit.h"

#include <curl/curl.h>
#include <errno.h>

#include "retry/curl_error.h"

static void errors_of_the_system(void **state)
{
	static const struct {
		int error;
		CURLcode code;
	} rows[] = {
		{ ETIMEDOUT, CURLE_OPERATION_TIMEDOUT },
		{ ECONNRESET, CURLE_RECV_ERROR },
		{ ECONNABORTED, CURLE_RECV_ERROR },
		{ ENETRESET, CURLE_RECV_ERROR },
		{ EPIPE, CURLE_SEND_ERROR },
		{ ECONNREFUSED, CURLE_COULDNT_CONNECT },
		{ EHOSTUNREACH, CURLE_COULDNT_CONNECT },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_int_equal(rs_curl_error_of_errno(rows[i].error), rows[i].code);
	assert_int_equal(rs_curl_error_of_look_up(), CURLE_COULDNT_RESOLVE_HOST);
}

/* Whatever the method, such a request may be sent: it has not been. */
static void before_the_request(void **state)
{
	static const CURLcode before[] = {
		CURLE_COULDNT_RESOLVE_PROXY, CURLE_COULDNT_RESOLVE_HOST,
		CURLE_COULDNT_CONNECT,       CURLE_SSL_CONNECT_ERROR,
		CURLE_SSL_CERTPROBLEM,       CURLE_SSL_CIPHER,
		CURLE_SSL_ISSUER_ERROR,      CURLE_PEER_FAILED_VERIFICATION,
		CURLE_SSL_INVALIDCERTSTATUS, CURLE_SSL_PINNEDPUBKEYNOTMATCH,
	};

	(void)state;
	for (int code = 0; code < CURL_LAST; code++) {
		bool wanted = false;

		for (size_t i = 0; i < COUNT(before); i++)
			wanted = wanted || (int)before[i] == code;
		assert_int_equal(rs_curl_error_before_request(code), wanted);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(errors_of_the_system),
		cmocka_unit_test(before_the_request),
	};

	return cmocka_run_group_tests_name("curl_error", tests, NULL, NULL);
}
