#include <time.h>

#include "process.h"
#include "transfer/exchange.h"

#define SLICE_NS (50 * RS_NS_PER_MS)

/* A signal only makes the slice shorter: libcurl's own waits go on after one, too. */
static void sleep_until(int64_t until_ns)
{
	const struct timespec until = {
		.tv_sec = until_ns / RS_NS_PER_S,
		.tv_nsec = until_ns % RS_NS_PER_S,
	};

	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
}

/* libcurl lets CURLOPT_XFERINFOFUNCTION win over the older callback. */
static int ask(struct rs_exchange *x)
{
	const struct rs_options *o = &x->handle->options;

	if (o->no_progress)
		return 0;
	if (o->xferinfo_fn)
		return rs_resume_xferinfo(x, 0, 0, 0, 0);
	return rs_resume_progress(x, 0, 0, 0, 0);
}

bool rs_exchange_go_on(struct rs_exchange *x)
{
	int answer = ask(x);

	return answer == 0 || answer == CURL_PROGRESSFUNC_CONTINUE;
}

bool rs_exchange_wait(struct rs_exchange *x, int64_t until_ns)
{
	int64_t now_ns = rs_now_ns();

	while (now_ns < until_ns) {
		if (!rs_exchange_go_on(x)) {
			rs_transfer_error(x, "Callback aborted");
			return false;
		}
		sleep_until(rs_ns_min(until_ns, now_ns + SLICE_NS));
		now_ns = rs_now_ns();
	}
	return true;
}
