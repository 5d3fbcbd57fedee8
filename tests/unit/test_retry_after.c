#include "unit.h"

#include <time.h>

#include "retry/retry_after.h"

/* 2015-10-21 07:28:00 GMT, the date in MDN's example. */
#define NOW_S  INT64_C(1445412480)
#define NOW_NS S(NOW_S)

/* In memory of exactly its size, so that reading past the end shows. */
static struct rs_span exact(const char *text)
{
	size_t len = strlen(text);
	char *copy = malloc(len + (len == 0));

	assert_non_null(copy);
	memcpy(copy, text, len);
	return (struct rs_span){ copy, len };
}

static void release(struct rs_span text)
{
	free((void *)(uintptr_t)text.at);
}

static void header_values(void **state)
{
	static const struct {
		const char *headers, *name, *value;
	} cases[] = {
		{ "", "A", NULL },
		{ "A: 1\r\n", "A", "1" },
		{ "A: 1\r\n", "a", "1" },
		{ "retry-after: 7\r\n", "Retry-After", "7" },
		{ "A:1", "A", "1" },
		{ "A: \t 1 2 \t \r\nB: 3\r\n", "A", "1 2" },
		{ "A: 1\nB: 2\n", "B", "2" },
		{ "AB: 1\r\nA: 2\r\n", "A", "2" },
		{ "B: A: 9\r\nA: 2\r\nA: 3\r\n", "A", "2" },
		{ "A\r\nA : 1\r\n", "A", NULL },
		{ "A:\r\n", "A", "" },
		{ "A:", "A", "" },
		{ "HTTP/1.1 503 A: 1\r\n\r\n", "A", NULL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct rs_span headers = exact(cases[i].headers);
		struct rs_span value = rs_header_value(headers, cases[i].name);

		if (!cases[i].value) {
			assert_null(value.at);
		} else {
			assert_non_null(value.at);
			assert_int_equal(value.len, strlen(cases[i].value));
			assert_memory_equal(value.at, cases[i].value, value.len);
		}
		release(headers);
	}
	assert_null(rs_header_value(span(NULL), "A").at);
}

struct date_case {
	const char *text;
	int64_t s;
};

static const struct date_case date_cases[] = {
	/* RFC 9110's own examples */
	{ "Sun, 06 Nov 1994 08:49:37 GMT", 784111777 },
	{ "Sunday, 06-Nov-94 08:49:37 GMT", 784111777 },
	{ "Sun Nov  6 08:49:37 1994", 784111777 },
	{ "Sun Nov 16 08:49:37 1994", 784975777 },
	/* edges of the calendar */
	{ "Thu, 01 Jan 1970 00:00:00 GMT", 0 },
	{ "Thu, 01 Jan 1970 00:00:01 GMT", 1 },
	{ "Wed, 31 Dec 1969 23:59:59 GMT", 0 },
	{ "Mon, 01 Jan 0000 00:00:00 GMT", 0 },
	{ "Tue, 29 Feb 2000 23:59:59 GMT", 951868799 },
	{ "Wed, 01 Mar 2000 00:00:00 GMT", 951868800 },
	{ "Thu, 29 Feb 2024 12:00:00 GMT", 1709208000 },
	{ "Sat, 31 Dec 2016 23:59:60 GMT", 1483228800 },
	{ "Tue, 19 Jan 2038 03:14:08 GMT", 2147483648 },
	{ "Fri, 31 Dec 9999 23:59:59 GMT", 253402300799 },
	/* two-digit years: up to 50 years ahead of 2015, else the past */
	{ "Wednesday, 21-Oct-15 07:28:00 GMT", NOW_S },
	{ "Wednesday, 21-Oct-65 07:28:00 GMT", 3023335680 },
	{ "Wednesday, 21-Oct-65 07:28:01 GMT", -132683519 },
	{ "Friday, 01-Jan-66 00:00:00 GMT", -126230400 },
	{ "Saturday, 01-Jan-00 00:00:00 GMT", 946684800 },
	/* not dates */
	{ "", -1 },
	{ "now", -1 },
	{ "Sun, 06 Nov 1994 08:49:37", -1 },
	{ "Sun, 06 Nov 1994 08:49:37 UTC", -1 },
	{ "Sun, 06 Nov 1994 08:49:37 GMT ", -1 },
	{ "Sun, 06 Nov 1994 08:49:37 GMTX", -1 },
	{ "Sun, 6 Nov 1994 08:49:37 GMT", -1 },
	{ "Sun 06 Nov 1994 08:49:37 GMT", -1 },
	{ "Xun, 06 Nov 1994 08:49:37 GMT", -1 },
	{ "sun, 06 nov 1994 08:49:37 gmt", -1 },
	{ "Sun, 06 Nox 1994 08:49:37 GMT", -1 },
	{ "Sun, 00 Nov 1994 08:49:37 GMT", -1 },
	{ "Sun, 32 Nov 1994 08:49:37 GMT", -1 },
	{ "Sun, 31 Nov 1994 08:49:37 GMT", -1 },
	{ "Wed, 29 Feb 2023 08:49:37 GMT", -1 },
	{ "Thu, 29 Feb 1900 08:49:37 GMT", -1 },
	{ "Sun, 06 Nov 94 08:49:37 GMT", -1 },
	{ "Sun, 06 Nov 199x 08:49:37 GMT", -1 },
	{ "Sun, 06 Nov 1994 24:49:37 GMT", -1 },
	{ "Sun, 06 Nov 1994 08:60:37 GMT", -1 },
	{ "Sun, 06 Nov 1994 08:49:61 GMT", -1 },
	{ "Sun, 06 Nov 1994 08-49:37 GMT", -1 },
	{ "Sun, 06 Nov 1994 08:49-37 GMT", -1 },
	{ "Sun, 06-Nov-94 08:49:37 GMT", -1 },
	{ "Sunday, 06-Nov-1994 08:49:37 GMT", -1 },
	{ "Sunday, 06 Nov 94 08:49:37 GMT", -1 },
	{ "Sunday, 06-Nov 94 08:49:37 GMT", -1 },
	{ "Sunday, 06-Nox-94 08:49:37 GMT", -1 },
	{ "Sunday, 06-Nov-94T08:49:37 GMT", -1 },
	{ "Sunday, 06-Nov-94 08:49:37 EST", -1 },
	{ "Sunday, 06-Nov-94 08:49:37 GMT+1", -1 },
	{ "Sunday  06-Nov-94 08:49:37 GMT", -1 },
	{ "Sunday, x6-Nov-94 08:49:37 GMT", -1 },
	{ "Sunday, 06-Nov-9x 08:49:37 GMT", -1 },
	{ "Sunday, 06-Nov-94 08:49", -1 },
	{ "Sun Nov  6 08-49:37 1994", -1 },
	{ "Sunday, 31-Feb-94 08:49:37 GMT", -1 },
	{ "Sun Nov 6 08:49:37 1994", -1 },
	{ "Sun Nov  0 08:49:37 1994", -1 },
	{ "Sun Nov   6 08:49:37 1994", -1 },
	{ "Sun Nov  6 08:49:37 94", -1 },
	{ "Sun Nov  6 08:49:37 1994 GMT", -1 },
	{ "Sun Nox  6 08:49:37 1994", -1 },
	{ "Sun Nov  6T08:49:37 1994", -1 },
	{ "Sun Nov  6 08:49:37T1994", -1 },
	{ "SunNov  6 08:49:37 1994", -1 },
	{ "Sun Nov-06 08:49:37 1994", -1 },
	{ "Sun, 06 Nov 1994T08:49:37 GMT", -1 },
	{ "Sun, 06-Nov 1994 08:49:37 GMT", -1 },
	{ "Sun, 06 Nov-1994 08:49:37 GMT", -1 },
	{ "2015-10-21T07:28:00Z", -1 },
	{ "1445412480", -1 },
};

static void http_dates(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(date_cases); i++) {
		struct rs_span text = exact(date_cases[i].text);
		int64_t wanted = date_cases[i].s;

		if (wanted < -1) /* a date before 1970 */
			wanted = 0;
		if (rs_http_date_s(text, NOW_S) != wanted)
			fail_msg("%s: %lld", date_cases[i].text,
				 (long long)rs_http_date_s(text, NOW_S));
		release(text);
	}
	assert_int_equal(rs_http_date_s(span(NULL), NOW_S), -1);
}

/* At the end of a century the next one's years are the near ones; and no clock, however wrong,
 * makes the search run away. */
static void two_digit_years_roll_over(void **state)
{
	const struct rs_span text = span("Friday, 01-Jan-00 00:00:00 GMT");

	(void)state;
	assert_int_equal(rs_http_date_s(text, INT64_C(4102444799)), INT64_C(4102444800)); /* 2100 */
	assert_int_equal(rs_http_date_s(text, 0), INT64_C(946684800));
	assert_int_equal(rs_http_date_s(text, INT64_MIN), 0);
	assert_int_equal(rs_http_date_s(text, INT64_MAX), INT64_C(250246627200)); /* 9900 */
}

/* Every day of four centuries against the C library. */
static void dates_agree_with_gmtime(void **state)
{
	(void)state;
	for (int64_t day = 0; day < 146097; day += 1) {
		time_t s = (time_t)(day * 86400 + day % 86400);
		struct tm tm;
		char text[64];

		assert_non_null(gmtime_r(&s, &tm));
		assert_true(strftime(text, sizeof(text), "%a, %d %b %Y %H:%M:%S GMT", &tm) > 0);
		assert_int_equal(rs_http_date_s(span(text), NOW_S), s);
	}
}

static void retry_after_values(void **state)
{
	static const struct {
		const char *value;
		int64_t ns;
	} cases[] = {
		{ "0", 0 },
		{ "120", S(120) },
		{ "007", S(7) },
		{ "9223372036", S(9223372036) },
		{ "9223372037", RS_FOREVER },
		{ "99999999999999999999999999999999", RS_FOREVER },
		{ "Wed, 21 Oct 2015 07:28:30 GMT", S(30) },
		{ "Wed, 21 Oct 2015 07:28:00 GMT", 0 },
		{ "Wed, 21 Oct 2015 07:27:00 GMT", 0 },
		{ "Wednesday, 21-Oct-15 07:28:30 GMT", S(30) },
		{ "Wed Oct 21 07:28:30 2015", S(30) },
		{ "Fri, 31 Dec 9999 23:59:59 GMT", RS_FOREVER - NOW_NS },
		{ "", RS_NO_RETRY_AFTER },
		{ "-1", RS_NO_RETRY_AFTER },
		{ "+1", RS_NO_RETRY_AFTER },
		{ "1.5", RS_NO_RETRY_AFTER },
		{ "1 ", RS_NO_RETRY_AFTER },
		{ "1s", RS_NO_RETRY_AFTER },
		{ "0x10", RS_NO_RETRY_AFTER },
		{ "soon", RS_NO_RETRY_AFTER },
		{ "120, 60", RS_NO_RETRY_AFTER },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct rs_span value = exact(cases[i].value);

		assert_int_equal(rs_retry_after_ns(value, NOW_NS), cases[i].ns);
		release(value);
	}
	/* The clock's fraction of a second counts. */
	assert_int_equal(rs_retry_after_ns(span("Wed, 21 Oct 2015 07:28:30 GMT"), NOW_NS + MS(250)),
			 MS(29750));
}

static void server_wishes(void **state)
{
	static const struct {
		enum rs_retry_after_mode mode;
		const char *headers;
		int64_t wait_ns, asked_ns;
	} cases[] = {
		{ RS_RETRY_AFTER_MAX, "", S(2), RS_NO_RETRY_AFTER },
		{ RS_RETRY_AFTER_MAX, "Retry-After: 5\r\n", S(5), S(5) },
		{ RS_RETRY_AFTER_MAX, "Retry-After: 1\r\n", S(2), S(1) },
		{ RS_RETRY_AFTER_MAX, "Retry-After: never\r\n", S(2), RS_NO_RETRY_AFTER },
		{ RS_RETRY_AFTER_MAX, "Retry-After: 999999999999\r\n", RS_FOREVER, RS_FOREVER },
		{ RS_RETRY_AFTER_SERVER, "", S(2), RS_NO_RETRY_AFTER },
		{ RS_RETRY_AFTER_SERVER, "Retry-After: 5\r\n", S(5), S(5) },
		{ RS_RETRY_AFTER_SERVER, "Retry-After: 0\r\n", 0, 0 },
		{ RS_RETRY_AFTER_SERVER, "Retry-After: never\r\n", S(2), RS_NO_RETRY_AFTER },
		{ RS_RETRY_AFTER_IGNORE, "Retry-After: 5\r\n", S(2), RS_NO_RETRY_AFTER },
		{ RS_RETRY_AFTER_IGNORE, "x-amz-retry-after: 5000\r\n", S(2), RS_NO_RETRY_AFTER },
		/* within [wait, wait + 5 s], and so never a reason to give up */
		{ RS_RETRY_AFTER_MAX, "x-amz-retry-after: 1500\r\n", S(2), RS_NO_RETRY_AFTER },
		{ RS_RETRY_AFTER_MAX, "x-amz-retry-after: 4500\r\n", MS(4500), RS_NO_RETRY_AFTER },
		{ RS_RETRY_AFTER_MAX, "x-amz-retry-after: 7000\r\n", S(7), RS_NO_RETRY_AFTER },
		{ RS_RETRY_AFTER_MAX, "x-amz-retry-after: 7001\r\n", S(7), RS_NO_RETRY_AFTER },
		{ RS_RETRY_AFTER_MAX, "x-amz-retry-after: 99999999999999999999\r\n", S(7),
		  RS_NO_RETRY_AFTER },
		{ RS_RETRY_AFTER_MAX, "x-amz-retry-after: 1.5\r\n", S(2), RS_NO_RETRY_AFTER },
		{ RS_RETRY_AFTER_SERVER, "x-amz-retry-after: 500\r\n", S(2), RS_NO_RETRY_AFTER },
		/* both: no earlier than either asks */
		{ RS_RETRY_AFTER_MAX, "x-amz-retry-after: 4000\r\nRetry-After: 3\r\n", S(4), S(3) },
		{ RS_RETRY_AFTER_MAX, "x-amz-retry-after: 4000\r\nRetry-After: 9\r\n", S(9), S(9) },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct rs_policy policy = steps_policy();
		int64_t asked_ns = 77;

		policy.retry_after = cases[i].mode;
		assert_int_equal(rs_wait_with_server_ns(&policy, span(cases[i].headers), S(2),
							NOW_NS, &asked_ns),
				 cases[i].wait_ns);
		assert_int_equal(asked_ns, cases[i].asked_ns);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(header_values),
		cmocka_unit_test(http_dates),
		cmocka_unit_test(two_digit_years_roll_over),
		cmocka_unit_test(dates_agree_with_gmtime),
		cmocka_unit_test(retry_after_values),
		cmocka_unit_test(server_wishes),
	};

	return cmocka_run_group_tests_name("retry_after", tests, NULL, NULL);
}
