/* Retry-After: eight bytes of a moment, then a header value. A moment that is written in any of the
 * three date forms is read back; a value is a wait that is not negative, or none. */
#include <time.h>

#include "fuzz.h"
#include "retry/ns.h"
#include "retry/retry_after.h"

#define YEAR_9999_S INT64_C(253402300799)

static void read_back(int64_t moment_s, const char *format)
{
	time_t time = (time_t)moment_s;
	struct tm tm;
	char text[64];
	size_t len;

	gmtime_r(&time, &tm);
	len = strftime(text, sizeof(text), format, &tm);
	MUST(rs_http_date_s((struct rs_span){ text, len }, moment_s) == moment_s);
}

static void check_moment(int64_t moment_s)
{
	read_back(moment_s, "%a, %d %b %Y %H:%M:%S GMT");
	read_back(moment_s, "%A, %d-%b-%y %H:%M:%S GMT");
	read_back(moment_s, "%a %b %e %H:%M:%S %Y");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = input_of(data, size);
	uint64_t moment = 0;
	int64_t now_s, date_s, wait_ns;
	struct rs_span text;
	char *bytes;

	for (int i = 0; i < 5; i++)
		moment = moment << 8 | take_byte(&in);
	check_moment((int64_t)(moment % (uint64_t)YEAR_9999_S));
	now_s = (int64_t)(moment % (RS_FOREVER / RS_NS_PER_S)); /* a clock of nanoseconds */

	text = take_bytes(&in, in.left);
	bytes = exact_copy(text);
	text.at = bytes;
	date_s = rs_http_date_s(text, now_s);
	MUST(date_s >= -1 && date_s <= YEAR_9999_S + 1);
	wait_ns = rs_retry_after_ns(text, rs_ns_mul(now_s, RS_NS_PER_S));
	MUST(wait_ns >= 0 || wait_ns == RS_NO_RETRY_AFTER);
	MUST(date_s < 0 || wait_ns >= 0);
	MUST(date_s < 0 || date_s > now_s || wait_ns == 0);
	free(bytes);
	return 0;
}
